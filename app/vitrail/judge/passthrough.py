# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a whole card can go to a VM: what stands against it, what the host needs, what forbids writing it yet.

Three questions on the same facts, so they stay in one file: findings (what is true), needs (what a plan adds), gates
(what this version will not carry out while nothing guards the screens).
"""

from __future__ import annotations

from dataclasses import dataclass

from vitrail.judge.card import VFIO, bound_to, bus_of, companions, ids_of
from vitrail.judge.conclude import failed, not_known, passed, seen
from vitrail.judge.guard import judge_guard
from vitrail.judge.hostuse import host_things
from vitrail.judge.iommu import iommu_need
from vitrail.judge.isolation import judge_card
from vitrail.judge.reports import known_reports, management_findings
from vitrail.judge.restart import restart_findings
from vitrail.judge.usage import only_screen, usage_findings
from vitrail.judge.vmstate import other_users, vm_for_card
from vitrail.judge.words import card_name, is_sound, kind, kind_key, listed
from vitrail.model.finding import Evidence, Finding, Severity
from vitrail.model.knowledge import Knowledge
from vitrail.model.machine import Gpu, Host
from vitrail.model.reading import Known, Unknown
from vitrail.model.text import Text, text
from vitrail.model.verdict import Isolation
from vitrail.model.vm import Vm

_ASLEEP = ("D3hot", "D3cold")


@dataclass(frozen=True, slots=True)
class HostNeeds:
    """What has to change on this computer before the card can be given."""

    arguments: tuple[str, ...] = ()
    """For the kernel's command line; the boot stack's own tool writes them."""
    reserve: bool = False
    """The card has to be kept free from the start, because this computer uses it or may."""
    firmware: Text | None = None
    """What only the user can change, in the firmware's setup; None where nothing is needed there."""

    @property
    def any_step(self) -> bool:
        """Whether a plan needs a step on the host."""
        return bool(self.arguments) or self.reserve


def host_needs(host: Host, gpu: Gpu) -> HostNeeds:
    """The changes to this computer that giving this card takes; none where it is free already."""
    need = iommu_need(host, gpu)
    stays = _held_by_vms(host, gpu)
    used = [one for one in usage_findings(host, gpu, Severity.BLOCKS) if one.stops and one not in stays]
    return HostNeeds(need.arguments, bool(used), need.firmware)


def _held_by_vms(host: Host, gpu: Gpu) -> tuple[Finding, ...]:
    """Who holds a card that VMs have already: keeping it from the start would free it of nobody."""
    if not bound_to(gpu.device, VFIO):
        return ()
    found = usage_findings(host, gpu, Severity.BLOCKS)
    return tuple(one for one in found if one.id == "card.held" and one.stops)


def apply_gates(host: Host, gpu: Gpu) -> tuple[Finding, ...]:
    """What forbids carrying a plan out: a picture could go, and nothing would bring it back."""
    needs = host_needs(host, gpu)
    gates = [*_held_by_vms(host, gpu), *_boot_stack(host, gpu, Severity.BLOCKS)]
    if needs.reserve:
        gates.append(only_screen(host, gpu, Severity.BLOCKS))
    return tuple(one for one in (*gates, *before_restart(host, gpu)) if one.stops)


def before_restart(host: Host, gpu: Gpu) -> tuple[Finding, ...]:
    """What was looked at before the restart that giving this card takes, passes included; () where it takes none."""
    needs = host_needs(host, gpu)
    found = restart_findings(host, gpu, judge_guard(host)) if needs.any_step else ()
    # A card that is not kept from the start goes on showing whatever it shows.
    return tuple(one for one in found if needs.reserve or one.id != "restart.passphrase-dark")


def passthrough_findings(host: Host, vm: Vm | None, gpu: Gpu, knowledge: Knowledge) -> tuple[Finding, ...]:
    """Everything that was looked at before this card may be given, passes included.

    What only a change to this computer stands against is a warning here; a plan shows that change.
    """
    identity = _what_it_is(host, gpu, knowledge)
    if any(one.stops for one in identity):
        return identity
    return (
        *identity,
        iommu_finding(host, gpu),
        _group(host, gpu),
        host_things(host, gpu),
        *usage_findings(host, gpu, Severity.WARNS),
        only_screen(host, gpu),
        *_what_to_know(host, gpu),
        *known_reports(gpu, knowledge),
        *other_users(host, vm, gpu),
        *(vm_for_card(vm) if vm is not None else ()),
    )


def _what_it_is(host: Host, gpu: Gpu, knowledge: Knowledge) -> tuple[Finding, ...]:
    device = gpu.device
    if not device.pci_class.is_display:
        what = kind(kind_key(device))
        title = text("judge.card.no-display", what=what, address=device.address.short)
        evidence = (Evidence(str(device.address), str(device.pci_class)),)
        return (failed("card.display", Severity.BLOCKS, title, text("judge.card.choose-other"), evidence),)
    found = [passed("card.display", Severity.BLOCKS, text("judge.card.display", card=card_name(gpu)))]
    found += management_findings(gpu, knowledge)
    if device.physical_function is not None:
        title = text("judge.card.part", whole=device.physical_function.short)
        found.append(failed("card.whole", Severity.BLOCKS, title, text("judge.card.part-remedy")))
    found.append(_parts(host, gpu))
    return tuple(found)


def _parts(host: Host, gpu: Gpu) -> Finding:
    name = "card.parts"
    sriov = gpu.sriov.value if isinstance(gpu.sriov, Known) else None
    if sriov is not None and sriov.active:
        title = text("judge.parts.functions", sriov.active)
        return failed(name, Severity.BLOCKS, title, text("judge.parts.remedy"), seen(gpu.sriov)[:1])
    if isinstance(host.mediated_devices, Known):
        cut = [one for one in host.mediated_devices.value if one.parent.slot_key == gpu.address.slot_key]
        if cut:
            evidence = tuple(Evidence(host.mediated_devices.source, f"{one.uuid} {one.type_id}") for one in cut)
            title = text("judge.parts.mediated", len(cut))
            return failed(name, Severity.BLOCKS, title, text("judge.parts.remedy"), evidence)
    unread = next((one for one in (gpu.sriov, host.mediated_devices) if isinstance(one, Unknown)), None)
    if unread is not None:
        return not_known(
            name, Severity.WARNS, text("judge.parts.unknown", reason=unread.reason), text("judge.parts.look")
        )
    return passed(name, Severity.BLOCKS, text("judge.parts.none"))


def iommu_finding(host: Host, gpu: Gpu | None) -> Finding:
    """Whether the IOMMU works for this card; without a card: for this machine."""
    name = "iommu.active"
    need = iommu_need(host, gpu)
    evidence = seen(host.iommu.active, host.iommu.kind, host.iommu.offered, host.cpu.vendor, host.cmdline)
    if need.firmware is not None:
        return failed(name, Severity.BLOCKS, text("judge.iommu.off"), need.firmware, evidence)
    if need.arguments:
        arguments = " ".join(need.arguments)
        on = isinstance(host.iommu.active, Known) and host.iommu.active.value
        title = text("judge.iommu.not-for-integrated") if on else text("judge.iommu.off")
        return failed(name, Severity.WARNS, title, text("judge.iommu.argument", arguments=arguments), evidence)
    if need.doubt:
        if isinstance(host.iommu.active, Unknown):
            title = text("judge.iommu.unknown", reason=host.iommu.active.reason)
            return not_known(name, Severity.WARNS, title, text("judge.iommu.unknown-remedy"), evidence)
        return not_known(name, Severity.WARNS, text("judge.iommu.off"), text("judge.iommu.off-unclear"), evidence)
    return passed(name, Severity.BLOCKS, text("judge.iommu.on"), evidence)


def _group(host: Host, gpu: Gpu) -> Finding:
    name = "group.isolated"
    verdict = judge_card(host, gpu)
    evidence = seen(gpu.device.group)
    match verdict.isolation:
        case Isolation.ISOLATED:
            return passed(name, Severity.BLOCKS, text("judge.group.alone"), evidence)
        case Isolation.SHARED:
            return failed(name, Severity.BLOCKS, listed(list(verdict.reasons)), text("judge.group.remedy"), evidence)
        case Isolation.UNKNOWN:
            remedy = text("judge.group.unknown-remedy")
            return not_known(name, Severity.WARNS, listed(list(verdict.reasons)), remedy, evidence)


def _what_to_know(host: Host, gpu: Gpu) -> tuple[Finding, ...]:
    return (
        _twins(host, gpu),
        *_sound_apart(host, gpu),
        _reset(gpu),
        *_asleep(gpu),
        *_inside_a_vm(host),
        *_boot_stack(host, gpu),
    )


def _twins(host: Host, gpu: Gpu) -> Finding:
    name = "card.identical"
    if isinstance(host.devices, Unknown):
        return not_known(name, Severity.INFO, text("judge.identical.unknown", reason=host.devices.reason), None)
    mine = {ids for one in gpu.functions if (ids := ids_of(one)) is not None}
    own = {one.address for one in gpu.functions}
    twins = [one for one in host.devices.value if one.address not in own and ids_of(one) in mine]
    if not twins:
        return passed(name, Severity.INFO, text("judge.identical.none"))
    evidence = tuple(Evidence(str(one.address), ids_of(one) or "?") for one in twins)
    return failed(name, Severity.INFO, text("judge.identical.some", len(twins)), None, evidence)


def _sound_apart(host: Host, gpu: Gpu) -> tuple[Finding, ...]:
    apart = [one for one in companions(bus_of(host), gpu.device) if is_sound(one)]
    return tuple(
        failed(
            "card.sound-apart",
            Severity.WARNS,
            text("judge.sound.apart", address=one.address.short),
            text("judge.sound.apart-remedy"),
            (Evidence(str(one.address), str(one.pci_class)),),
        )
        for one in apart
    )


def _reset(gpu: Gpu) -> Finding:
    name = "card.reset"
    if isinstance(gpu.reset_methods, Unknown):
        title = text("judge.reset.unknown", reason=gpu.reset_methods.reason)
        return not_known(name, Severity.INFO, title, None)
    if not gpu.reset_methods.value:
        return failed(
            name, Severity.WARNS, text("judge.reset.none"), text("judge.reset.remedy"), seen(gpu.reset_methods)
        )
    return passed(name, Severity.WARNS, text("judge.reset.some"), seen(gpu.reset_methods))


def _asleep(gpu: Gpu) -> tuple[Finding, ...]:
    if isinstance(gpu.power_state, Known) and gpu.power_state.value in _ASLEEP:
        title = text("judge.asleep", card=card_name(gpu))
        return (failed("card.asleep", Severity.INFO, title, text("judge.asleep.remedy"), seen(gpu.power_state)),)
    return ()


def _inside_a_vm(host: Host) -> tuple[Finding, ...]:
    if isinstance(host.virtual, Known) and host.virtual.value is not None:
        title = text("judge.virtual.yes", hypervisor=host.virtual.value)
        return (failed("host.virtual", Severity.WARNS, title, text("judge.virtual.remedy"), seen(host.virtual)),)
    return ()


def _boot_stack(host: Host, gpu: Gpu, severity: Severity = Severity.WARNS) -> tuple[Finding, ...]:
    if not host_needs(host, gpu).any_step:
        return ()
    stack = host.boot.stack
    if isinstance(stack, Unknown):
        title = text("judge.stack.unknown", reason=stack.reason)
        return (not_known("boot.stack", severity, title, text("judge.stack.remedy")),)
    if stack.value is None:
        title = text("judge.stack.none")
        return (failed("boot.stack", severity, title, text("judge.stack.remedy"), seen(stack)),)
    return (passed("boot.stack", severity, text("judge.stack.known", stack=stack.value.value), seen(stack)),)
