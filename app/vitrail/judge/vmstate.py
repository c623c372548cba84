# SPDX-License-Identifier: GPL-3.0-or-later
"""What the VM's own state and definition mean for a change of its graphics, and which other VM wants the same card."""

from __future__ import annotations

from vitrail.judge.card import own_functions
from vitrail.judge.conclude import failed, not_known, passed, seen
from vitrail.judge.words import listed, plain
from vitrail.model.finding import Evidence, Finding, Severity
from vitrail.model.machine import Gpu, Host
from vitrail.model.reading import Known, Unknown
from vitrail.model.text import Text, text
from vitrail.model.vm import GuestSystem, Vm, VmState

_HOLDS_ITS_CARD = (VmState.RUNNING, VmState.PAUSED, VmState.SUSPENDED)


_SYSTEMS = {
    GuestSystem.WINDOWS: "judge.system.windows",
    GuestSystem.LINUX: "judge.system.linux",
    GuestSystem.MACOS: "judge.system.macos",
    GuestSystem.BSD: "judge.system.bsd",
}


def system_name(system: GuestSystem) -> Text:
    """What runs inside, as people call it."""
    return text(_SYSTEMS[system])


def vm_findings(vm: Vm) -> tuple[Finding, ...]:
    """What holds for every change of this VM's graphics."""
    return (*_running(vm), *_saved(vm), *_not_persistent(vm))


def _running(vm: Vm) -> tuple[Finding, ...]:
    if isinstance(vm.state, Unknown):
        title = text("judge.vm.state-unknown", reason=vm.state.reason)
        return (not_known("vm.state", Severity.INFO, title, None),)
    if vm.state.value in _HOLDS_ITS_CARD:
        title = text("judge.vm.running", vm=vm.name)
        return (failed("vm.state", Severity.INFO, title, text("judge.vm.running-remedy"), seen(vm.state)),)
    return (passed("vm.state", Severity.INFO, text("judge.vm.off"), seen(vm.state)),)


def _saved(vm: Vm) -> tuple[Finding, ...]:
    if not isinstance(vm.has_managed_save, Known) or not vm.has_managed_save.value:
        return ()
    title = text("judge.vm.saved", vm=vm.name)
    remedy = text("judge.vm.saved-remedy", vm=vm.name)
    return (failed("vm.managed-save", Severity.WARNS, title, remedy, seen(vm.has_managed_save)),)


def _not_persistent(vm: Vm) -> tuple[Finding, ...]:
    if vm.persistent:
        return ()
    title = text("judge.vm.transient", vm=vm.name)
    return (failed("vm.persistent", Severity.BLOCKS, title, text("judge.vm.transient-remedy")),)


def vm_for_card(vm: Vm) -> tuple[Finding, ...]:
    """What of this VM does not go well with a real card."""
    found: list[Finding] = []
    if vm.virt_type != "kvm":
        evidence = (Evidence("domain@type", vm.virt_type),)
        title = text("judge.vm.no-kvm", type=vm.virt_type)
        found.append(failed("vm.kvm", Severity.WARNS, title, text("judge.vm.no-kvm-remedy"), evidence))
    if vm.arch == "x86_64" and "q35" not in vm.machine:
        evidence = (Evidence("os/type@machine", vm.machine),)
        title = text("judge.vm.old-board", machine=vm.machine)
        found.append(failed("vm.board", Severity.WARNS, title, text("judge.vm.old-board-remedy"), evidence))
    if vm.uefi is False:
        title = text("judge.vm.bios")
        found.append(failed("vm.firmware", Severity.INFO, title, text("judge.vm.bios-remedy")))
    return tuple(found)


def uses_card(vm: Vm, gpu: Gpu) -> bool:
    """Whether this VM's definition names a function of this card; a virtual function of it is a card of its own."""
    mine = own_functions(gpu)
    return any(one.pci in mine for one in vm.hostdevs)


def other_users(host: Host, vm: Vm | None, gpu: Gpu) -> tuple[Finding, ...]:
    """Other VMs that have this card: one that runs is a stop, one that is off a warning."""
    name = "card.other-vm"
    if isinstance(host.vms, Unknown):
        return (
            not_known(
                name,
                Severity.WARNS,
                text("judge.others.unknown", reason=host.vms.reason),
                text("judge.others.unknown-remedy"),
            ),
        )
    mine = vm.uuid if vm is not None and vm.uuid else None
    others = [one for one in host.vms.value if one.uuid != mine and uses_card(one, gpu)]
    if not others:
        return (passed(name, Severity.BLOCKS, text("judge.others.none")),)
    running = [one for one in others if isinstance(one.state, Known) and one.state.value in _HOLDS_ITS_CARD]
    evidence = tuple(Evidence(host.vms.source, one.name) for one in running or others)
    who = listed([plain(one.name) for one in running or others])
    if running:
        title = text("judge.others.running", who=who)
        return (failed(name, Severity.BLOCKS, title, text("judge.others.running-remedy"), evidence),)
    title = text("judge.others.off", who=who)
    return (failed(name, Severity.WARNS, title, text("judge.others.off-remedy"), evidence),)
