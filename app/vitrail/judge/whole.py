# SPDX-License-Identifier: GPL-3.0-or-later
"""Modes in which the VM has a card for itself: passthrough, single GPU, Looking Glass, GVT-d.

All stand on the same judgement of the card; each adds what is its own.
"""

from __future__ import annotations

from vitrail.judge.card import is_integrated_intel, other_screens
from vitrail.judge.conclude import failed, not_known, passed, seen
from vitrail.judge.passthrough import host_needs
from vitrail.judge.qemu import capabilities_read, vfio_usable
from vitrail.judge.situation import Situation
from vitrail.judge.vmstate import system_name
from vitrail.judge.weigh import stops, weigh
from vitrail.judge.words import card_name, listed
from vitrail.model.finding import Finding, Severity
from vitrail.model.machine import Gpu, Host
from vitrail.model.mode import Mode
from vitrail.model.reading import Unknown
from vitrail.model.text import text
from vitrail.model.verdict import CardVerdict, Feasibility
from vitrail.model.vm import GuestSystem, Vm


def whole_card(situation: Situation, gpu: Gpu, mode: Mode, of_card: tuple[Finding, ...]) -> CardVerdict:
    """This card as a whole for this VM, in one of the modes that take it whole.

    `of_card` are its `passthrough_findings`: the same for all these modes, so they are made once a card.
    """
    host, vm = situation.host, situation.vm
    found: list[Finding] = [*_own_conditions(host, vm, gpu, mode)]
    if any(stops(one) for one in found):
        # Nothing about the card would change that.
        return CardVerdict(gpu.address, Feasibility.IMPOSSIBLE, tuple(found))
    found += of_card
    found += vfio_usable(situation.capabilities)
    found += capabilities_read(situation.capabilities)
    return CardVerdict(gpu.address, weigh_whole(host, gpu, mode, tuple(found)), tuple(found))


def weigh_whole(host: Host, gpu: Gpu, mode: Mode, findings: tuple[Finding, ...]) -> Feasibility:
    """The one word; what a plan would change on this computer counts as a change."""
    needs = host_needs(host, gpu)
    # A single card goes and comes while this computer runs; nothing is reserved from the start.
    steps = bool(needs.arguments) or (needs.reserve and mode is not Mode.SINGLE_GPU)
    # Giving a card takes no capability that every libvirt of these years lacks, so not having asked only warns.
    weighed = [one for one in findings if one.id != "capabilities.read"]
    return weigh(weighed, needs_steps=steps, groups_come_later=bool(needs.arguments))


def _own_conditions(host: Host, vm: Vm, gpu: Gpu, mode: Mode) -> tuple[Finding, ...]:
    match mode:
        case Mode.SINGLE_GPU:
            return _single(host, gpu)
        case Mode.LOOKING_GLASS:
            return _looking_glass(host, vm, gpu)
        case Mode.GVT_D:
            return (_integrated(gpu),)
        case _:
            return ()


def _single(host: Host, gpu: Gpu) -> tuple[Finding, ...]:
    found = [failed("host.hooks", Severity.WARNS, text("judge.single.hooks"), text("judge.single.hooks-remedy"))]
    others = other_screens(host, gpu)
    if others:
        stays = listed([card_name(one) for one in others])
        found.append(
            failed("card.single", Severity.INFO, text("judge.single.others", stays=stays), text("judge.single.simpler"))
        )
    return tuple(found)


def _looking_glass(host: Host, vm: Vm, gpu: Gpu) -> tuple[Finding, ...]:
    return (_seen_on(host, gpu), _windows_inside(vm), _program_inside())


def _seen_on(host: Host, gpu: Gpu) -> Finding:
    name = "card.seen-on"
    others = other_screens(host, gpu)
    if others:
        stays = listed([card_name(one) for one in others])
        return passed(name, Severity.BLOCKS, text("judge.glass.seen-on", stays=stays))
    if isinstance(host.gpus, Unknown):
        return not_known(name, Severity.BLOCKS, text("judge.draws.no-cards-read", reason=host.gpus.reason), None)
    return failed(name, Severity.BLOCKS, text("judge.glass.no-screen"), text("judge.only-screen.remedy"))


def _windows_inside(vm: Vm) -> Finding:
    name = "guest.fits"
    if isinstance(vm.guest, Unknown):
        title = text("judge.glass.guest-unknown", reason=vm.guest.reason)
        return not_known(name, Severity.WARNS, title, text("judge.guest.3d-unknown-remedy"))
    if vm.guest.value is GuestSystem.WINDOWS:
        return passed(name, Severity.WARNS, text("judge.glass.windows"), seen(vm.guest))
    title = text("judge.glass.other", system=system_name(vm.guest.value))
    return failed(name, Severity.WARNS, title, text("judge.glass.other-remedy"), seen(vm.guest))


def _program_inside() -> Finding:
    return failed("guest.program", Severity.WARNS, text("judge.glass.program"), text("judge.glass.program-remedy"))


def _integrated(gpu: Gpu) -> Finding:
    name = "card.integrated"
    if is_integrated_intel(gpu.device):
        return passed(name, Severity.BLOCKS, text("judge.gvtd.yes"))
    if gpu.device.identity.vendor_id is None:
        return not_known(name, Severity.BLOCKS, text("judge.card.ids-unknown"), text("judge.card.ids-remedy"))
    return failed(name, Severity.BLOCKS, text("judge.gvtd.no"), text("judge.gvtd.other-way"))
