# SPDX-License-Identifier: GPL-3.0-or-later
"""What happened around a moment that stuttered, in plain sentences, the likeliest cause first.

Separate from the standing troubles because it explains one moment and never warns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from vitrail.model.stutter import CardInstant, Instant, Stutter, VmInstant
from vitrail.model.text import Text, text

_AROUND_S = 4.0
"""Who presses the button does so a moment late: what counts is from some seconds before it."""
_BEFORE_S = 8.0
_JUMP_PERCENT = 20.0
_BUSY_PERCENT = 85.0
_WAITED_PERCENT = 10.0
_DISK_PERCENT = 25.0


def what_happened(stutter: Stutter) -> tuple[Text, ...]:
    """Sentences about the half minute; that nothing was seen is one too."""
    near = tuple(one for one in stutter.instants if -_BEFORE_S <= one.at - stutter.marked_at <= _AROUND_S)
    if not near:
        return (text("judge.stutter.nothing-measured"),)
    before = tuple(one for one in stutter.instants if one.at < stutter.marked_at - _BEFORE_S)
    found = (*_taken(near, before), *_busy(near), *_slowed(near), *_waited(near))
    silent = _silent(near)
    return (found or (text("judge.stutter.nothing-seen"),)) + silent


def _taken(near: tuple[Instant, ...], before: tuple[Instant, ...]) -> tuple[Text, ...]:
    """VMs that suddenly took much of a card."""
    was, now = _highest(before), _highest(near)
    jumps = sorted(
        (now[key][0] - was[key][0], key) for key in now if key in was and now[key][0] - was[key][0] >= _JUMP_PERCENT
    )
    return tuple(_jump(was[key][0], *now[key]) for _, key in reversed(jumps))


def _jump(was: float, load: float, vm: VmInstant) -> Text:
    before, percent = f"{was:.0f}", f"{load:.0f}"
    if vm.of_card:
        return text("judge.stutter.took-card", vm=vm.name, card=vm.card, percent=percent, before=before)
    return text("judge.stutter.took-share", vm=vm.name, card=vm.card, percent=percent, before=before)


def _highest(instants: Iterable[Instant]) -> dict[str, tuple[float, VmInstant]]:
    found: dict[str, tuple[float, VmInstant]] = {}
    for instant in instants:
        for vm in instant.vms:
            if vm.load is not None and (vm.key not in found or found[vm.key][0] < vm.load):
                found[vm.key] = (vm.load, vm)
    return found


def _busy(near: tuple[Instant, ...]) -> tuple[Text, ...]:
    """Cards without room, with the VM that had most of each."""
    found: dict[str, Text] = {}
    for instant in near:
        for card in instant.cards:
            if card.load is None or card.load < _BUSY_PERCENT or card.key in found:
                continue
            on_it = [vm for vm in instant.vms if vm.card == card.name and vm.load is not None and vm.of_card]
            percent = f"{card.load:.0f}"
            most = max(on_it, key=lambda vm: vm.load or 0.0, default=None)
            if most is None:
                found[card.key] = text("judge.stutter.card-busy", card=card.name, percent=percent)
            else:
                part = f"{most.load or 0.0:.0f}"
                found[card.key] = text(
                    "judge.stutter.card-busy-by", card=card.name, percent=percent, vm=most.name, part=part
                )
    return tuple(found.values())


def _slowed(near: tuple[Instant, ...]) -> tuple[Text, ...]:
    reasons: dict[str, dict[str, None]] = {}
    for instant in near:
        for card in instant.cards:
            if card.slowed_by:
                reasons.setdefault(card.name, {}).update(dict.fromkeys(card.slowed_by))
    return tuple(text("judge.stutter.slowed", card=name, why=", ".join(why)) for name, why in reasons.items())


def _waited(near: tuple[Instant, ...]) -> tuple[Text, ...]:
    vcpu, disk = _longest(near, _vcpu), _longest(near, _disk)
    return (
        *(
            text("judge.stutter.vcpu-wait", vm=name, percent=f"{percent:.0f}")
            for name, percent in vcpu.items()
            if percent >= _WAITED_PERCENT
        ),
        *(
            text("judge.stutter.disk-wait", vm=name, percent=f"{percent:.0f}")
            for name, percent in disk.items()
            if percent >= _DISK_PERCENT
        ),
    )


def _longest(near: tuple[Instant, ...], part: Callable[[VmInstant], float | None]) -> dict[str, float]:
    found: dict[str, float] = {}
    for instant in near:
        for vm in instant.vms:
            value = part(vm)
            if value is not None:
                found[vm.name] = max(value, found.get(vm.name, 0.0))
    return found


def _vcpu(vm: VmInstant) -> float | None:
    return vm.vcpu_wait


def _disk(vm: VmInstant) -> float | None:
    return vm.disk_wait


def _silent(near: tuple[Instant, ...]) -> tuple[Text, ...]:
    """What was never known around the moment, so that nobody takes silence for rest."""
    every: list[VmInstant | CardInstant] = []
    for instant in near:
        # Without a card behind it a VM has no load that could be missed.
        every += (vm for vm in instant.vms if vm.card)
        every += instant.cards
    names = {one.key: one.name for one in every}
    known = {one.key for one in every if one.load is not None}
    unseen = [name for key, name in names.items() if key not in known]
    return (text("judge.stutter.not-seen", names=", ".join(unseen)),) if unseen else ()
