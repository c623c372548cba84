# SPDX-License-Identifier: GPL-3.0-or-later
"""How things are called on every page: one name for a card, a device, a VM's state, a verdict.

Plain words first, the term in brackets, the address last.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from vitrail.judge.words import kind, kind_key
from vitrail.model.finding import Severity, Status
from vitrail.model.machine import Connection as Plugged
from vitrail.model.machine import Gpu, HolderKind, Host, Output, PciDevice
from vitrail.model.mode import mode_name
from vitrail.model.outcome import RunState
from vitrail.model.pci import CLASS_HDA_AUDIO
from vitrail.model.reading import Known, Reading, Unknown
from vitrail.model.text import Text, text
from vitrail.model.verdict import GroupVerdict, Isolation
from vitrail.model.vm import Vm, VmGraphics, VmState
from vitrail.qt.facts import CardFacts, Facts
from vitrail.qt.theme import Tone
from vitrail.text.visible import visible, visible_lines

Words = Text | str
"""Something to say: a message, or somebody's own words (a name, an address), which are made visible before."""

_MARKETED = re.compile(r"\[([^\]]+)\]\s*$")


def tell(say: Callable[[Text], str], words: Words) -> str:
    """The words for a screen; `say` is a speaker's method."""
    if isinstance(words, Text):
        return say(words)
    return visible(words)


def sentence_start(words: str) -> str:
    """The words as they stand where nothing is before them."""
    return words[:1].upper() + words[1:]


@dataclass(frozen=True, slots=True)
class Badge:
    """A status: words, what they mean, the icon where it is not the tone's own."""

    words: Words
    tone: Tone
    mark: str | None = None


def device_name(device: PciDevice) -> Words:
    """The name that people know, else the ids, else where it sits."""
    if device.common_name is not None:
        return device.common_name
    identity = device.identity
    if identity.vendor_id is None or identity.device_id is None:
        return text("qt.device.nameless", address=device.address.short)
    return text("qt.device.ids", ids=f"{identity.vendor_id:04x}:{identity.device_id:04x}")


def card_name(gpu: Gpu) -> Words:
    """What this card is called."""
    return device_name(gpu.device)


def maker_of(device: PciDevice) -> Words:
    """Who made it, short: what stands in brackets at the end (`[AMD/ATI]`), else the first words."""
    if isinstance(device.vendor_name, Unknown) or not device.vendor_name.value:
        return text("qt.unknown.maker")
    found = _MARKETED.search(device.vendor_name.value)
    return found.group(1) if found else device.vendor_name.value


def has_sound(gpu: Gpu) -> bool:
    """Whether the card carries a sound function, which goes wherever it goes."""
    return any(function.pci_class.short == CLASS_HDA_AUDIO for function in gpu.functions)


def plugged_outputs(gpu: Gpu) -> tuple[Output, ...]:
    """The sockets with a monitor in them, as far as they could be read."""
    if isinstance(gpu.outputs, Unknown):
        return ()
    return tuple(
        output
        for output in gpu.outputs.value
        if isinstance(output.status, Known) and output.status.value is Plugged.CONNECTED
    )


def verdict_words(card: CardFacts) -> Badge:
    """What the IOMMU group means for this card."""
    if card.management:
        return Badge(text("qt.card.management"), Tone.PLAIN, "lock")
    match card.verdict.isolation:
        case Isolation.ISOLATED if card.needed is not None:
            return Badge(text("qt.card.needed"), Tone.WARN, "link-2")
        case Isolation.ISOLATED if has_sound(card.gpu):
            return Badge(text("qt.card.alone-with-sound"), Tone.GOOD)
        case Isolation.ISOLATED:
            return Badge(text("qt.card.alone"), Tone.GOOD)
        case Isolation.SHARED:
            return Badge(text("qt.card.tied"), Tone.WARN, "link-2")
        case Isolation.UNKNOWN:
            in_no_group = isinstance(card.gpu.device.group, Known) and card.gpu.device.group.value is None
            return Badge(text("qt.card.no-group" if in_no_group else "qt.card.alone-unknown"), Tone.UNKNOWN)


def group_badge(verdict: GroupVerdict | None, members: tuple[PciDevice, ...]) -> Badge:
    """What a whole group allows."""
    if all(member.pci_class.is_bridge for member in members):
        return Badge(text("qt.group.bridges"), Tone.PLAIN)
    if verdict is None or verdict.isolation is Isolation.UNKNOWN:
        return Badge(text("qt.group.unknown"), Tone.UNKNOWN)
    if verdict.isolation is Isolation.ISOLATED:
        return Badge(text("qt.group.alone"), Tone.GOOD)
    return Badge(text("qt.group.tied"), Tone.WARN, "link-2")


def use_words(card: CardFacts) -> Words:
    """Who uses the card at the moment, in one line."""
    gpu = card.gpu
    if isinstance(gpu.holders, Unknown):
        return text("qt.use.unknown")
    seen = gpu.holders.value.seen
    vms = [holder for holder in seen if holder.kind is HolderKind.VM]
    programs = {holder.pid for holder in seen if holder.kind is HolderKind.PROCESS}
    if vms:
        return text("qt.use.vm", name=vms[0].name)
    if programs:
        return text("qt.use.programs", count=len(programs))
    if given := sum(_in_a_vm(share) for share in card.shares):
        return text("qt.use.shares", count=given)
    if gpu.holders.value.processes_not_seen:
        return text("qt.use.perhaps", count=gpu.holders.value.processes_not_seen)
    return text("qt.use.drivers") if seen else text("qt.use.nobody")


def _in_a_vm(gpu: Gpu) -> bool:
    return isinstance(gpu.holders, Known) and any(one.kind is HolderKind.VM for one in gpu.holders.value.seen)


def state_badge(state: Reading[VmState]) -> Badge:
    """Whether a VM runs."""
    return _STATE_UNKNOWN if isinstance(state, Unknown) else _state_badge(state.value)


_STATE_UNKNOWN = Badge(text("qt.state.unknown"), Tone.UNKNOWN)


@cache
def _state_badge(state: VmState) -> Badge:
    tone, mark = {
        VmState.RUNNING: (Tone.GOOD, "play"),
        VmState.PAUSED: (Tone.INFO, "pause"),
        VmState.SUSPENDED: (Tone.INFO, "moon"),
        VmState.SAVED: (Tone.INFO, "moon"),
        VmState.OFF: (Tone.PLAIN, "square"),
        VmState.CRASHED: (Tone.BAD, "octagon-x"),
    }[state]
    return Badge(text(f"qt.state.{state.value}"), tone, mark)


def run_badge(state: RunState) -> Badge:
    """What became of a change."""
    tone, mark = {
        RunState.APPLIED: (Tone.GOOD, "circle-check"),
        RunState.AWAITING_KEEP: (Tone.WARN, "refresh-cw"),
        RunState.TAKEN_BACK: (Tone.PLAIN, "undo-2"),
        RunState.INCOMPLETE: (Tone.BAD, "octagon-x"),
        RunState.INTERRUPTED: (Tone.WARN, "triangle-alert"),
        RunState.FAILED: (Tone.PLAIN, "undo-2"),
        RunState.UNREADABLE: (Tone.UNKNOWN, "circle-question-mark"),
    }[state]
    return Badge(text(f"qt.run.{state.value.replace('_', '-')}"), tone, mark)


def graphics_words(facts: Facts, graphics: VmGraphics) -> Words:
    """One thing that gives a VM its picture, with the card where there is one."""
    plain = mode_name(graphics.mode.value) if graphics.mode is not None else graphics.detail
    card = facts.card_at(graphics.gpu)
    if card is not None:
        name = card_name(card.gpu)
        return text("qt.graphics.on-card", mode=plain, card=name)
    if graphics.gpu is not None:
        return text("qt.graphics.missing-card", mode=plain, address=graphics.gpu.short)
    return plain


def vm_graphics_words(facts: Facts, vm: Vm) -> tuple[Words, ...]:
    """Everything that gives this VM a picture."""
    return tuple(graphics_words(facts, graphics) for graphics in vm.graphics) or (text("qt.graphics.none"),)


def tied_words(host: Host, device: PciDevice) -> Words:
    """What a device is to its owner: the network interface, the disk, the keyboard, else its kind."""
    for reading, message in (
        (host.network_cards, "qt.tied.network"),
        (host.disk_controllers, "qt.tied.disks"),
        (host.input_controllers, "qt.tied.input"),
    ):
        pairs = reading.value if isinstance(reading, Known) else ()
        names = [name for address, name in pairs if address == device.address]
        if names:
            return text(message, name=", ".join(names[:2]))
    return kind(kind_key(device))


def diff_lines(diff: str) -> str:
    """A diff made harmless for a screen."""
    return visible_lines(diff)


def finding_tone(status: Status, severity: Severity) -> Tone:
    """How a finding is marked."""
    if status is Status.PASS:
        return Tone.GOOD
    if status is Status.UNKNOWN:
        return Tone.UNKNOWN
    return {Severity.BLOCKS: Tone.BAD, Severity.WARNS: Tone.WARN, Severity.INFO: Tone.INFO}[severity]
