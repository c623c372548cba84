# SPDX-License-Identifier: GPL-3.0-or-later
"""Is this computer ready to give VMs graphics: what `doctor` says without a VM or a mode.

Every finding has a stable id, its evidence and what would change it. Nothing here looks at one VM.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from vitrail.judge.card import ids_of, whole_cards
from vitrail.judge.cmdline import cmdline_findings
from vitrail.judge.conclude import failed, not_known, passed, seen
from vitrail.judge.hostuse import host_things
from vitrail.judge.isolation import judge_card
from vitrail.judge.passthrough import iommu_finding
from vitrail.judge.reports import is_management_screen, reports_of
from vitrail.judge.words import card_name, listed
from vitrail.model.finding import Evidence, Finding, Severity, Status
from vitrail.model.knowledge import Knowledge
from vitrail.model.machine import Gpu, Host, MachineKind
from vitrail.model.reading import Known, Unknown
from vitrail.model.text import text
from vitrail.model.verdict import Isolation


def judge_host(host: Host, knowledge: Knowledge) -> tuple[Finding, ...]:
    """Everything that was looked at on this machine, passes included."""
    return (
        _virtualization(host),
        _kvm(host),
        replace(iommu_finding(host, None), severity=Severity.BLOCKS),
        _virtual(host),
        *_cards(host, knowledge),
        _identical(host),
        *cmdline_findings(host),
        _boot_stack(host),
        _secure_boot(host),
        _lockdown(host),
        _vms(host),
    )


def _virtualization(host: Host) -> Finding:
    name = "cpu.virtualization"
    reading = host.cpu.virtualization
    if isinstance(reading, Unknown):
        title = text("judge.cpu.unknown", reason=reading.reason)
        return not_known(name, Severity.BLOCKS, title, text("judge.cpu.look"))
    if reading.value:
        return passed(name, Severity.BLOCKS, text("judge.cpu.on"), seen(reading, host.cpu.model))
    remedy = text("judge.cpu.remedy-inner") if _inside(host) else text("judge.cpu.remedy")
    return failed(name, Severity.BLOCKS, text("judge.cpu.off"), remedy, seen(reading, host.cpu.model))


def _inside(host: Host) -> bool:
    return isinstance(host.virtual, Known) and host.virtual.value is not None


def _kvm(host: Host) -> Finding:
    name = "kvm.available"
    if isinstance(host.kvm, Unknown):
        title = text("judge.kvm.unknown", reason=host.kvm.reason)
        return not_known(name, Severity.BLOCKS, title, text("judge.kvm.look"))
    if host.kvm.value:
        return passed(name, Severity.BLOCKS, text("judge.kvm.on"), seen(host.kvm))
    return failed(name, Severity.BLOCKS, text("judge.kvm.off"), text("judge.kvm.remedy"), seen(host.kvm))


def _virtual(host: Host) -> Finding:
    name = "host.virtual"
    if isinstance(host.virtual, Unknown):
        return not_known(name, Severity.INFO, text("judge.virtual.unknown", reason=host.virtual.reason), None)
    if host.virtual.value is None:
        return passed(name, Severity.WARNS, text("judge.virtual.no"), seen(host.virtual))
    title = text("judge.virtual.yes", hypervisor=host.virtual.value)
    return failed(name, Severity.WARNS, title, text("judge.virtual.remedy"), seen(host.virtual))


def _cards(host: Host, knowledge: Knowledge) -> tuple[Finding, ...]:
    if isinstance(host.gpus, Unknown):
        title = text("judge.mode.cards-unread", reason=host.gpus.reason)
        return (not_known("gpu.present", Severity.BLOCKS, title, text("judge.draws.look")),)
    cards = [card for card in whole_cards(host) if is_management_screen(card.device, knowledge) is None]
    evidence = tuple(Evidence(host.gpus.source, str(card.address)) for card in whole_cards(host))
    if not cards:
        title = text("judge.gpu.none-but-management") if evidence else text("judge.gpu.none")
        return (failed("gpu.present", Severity.WARNS, title, text("judge.draws.plug-in"), evidence),)
    what = listed([card_name(card) for card in cards])
    found = [passed("gpu.present", Severity.WARNS, text("judge.gpu.present", cards=what), evidence)]
    found.append(_can_be_given(host, cards))
    return (*found, *reports_of(cards, knowledge))


def _can_be_given(host: Host, cards: list[Gpu]) -> Finding:
    """Whether at least one card can go alone; each card's own words are the evidence."""
    name = "gpu.isolated"
    verdicts = [(card, judge_card(host, card)) for card in cards]
    free = [card for card, verdict in verdicts if verdict.isolation is Isolation.ISOLATED and _spares(host, card)]
    evidence = tuple(one for card in cards for one in seen(card.device.group))
    if free:
        what = listed([card_name(card) for card in free])
        return passed(name, Severity.WARNS, text("judge.gpu.isolated", cards=what), evidence)
    if any(verdict.isolation is Isolation.UNKNOWN for _, verdict in verdicts):
        title = text("judge.gpu.isolation-unknown")
        return not_known(name, Severity.WARNS, title, text("judge.group.unknown-remedy"), evidence)
    return failed(name, Severity.WARNS, text("judge.gpu.tied"), text("judge.group.remedy"), evidence)


def _spares(host: Host, card: Gpu) -> bool:
    finding = host_things(host, card)
    return finding.severity is not Severity.BLOCKS or finding.status is Status.PASS


def _identical(host: Host) -> Finding:
    name = "identical-cards"
    if isinstance(host.gpus, Unknown):
        title = text("judge.mode.cards-unread", reason=host.gpus.reason)
        return not_known(name, Severity.INFO, title, text("judge.draws.look"))
    ids = Counter(ids_of(card.device) for card in whole_cards(host))
    same = [card.device for card in whole_cards(host) if (mine := ids_of(card.device)) and ids[mine] > 1]
    if not same:
        return passed(name, Severity.INFO, text("judge.identical.no-twins"))
    evidence = tuple(Evidence(str(one.address), ids_of(one) or "?") for one in same)
    return failed(name, Severity.INFO, text("judge.identical.twins", len(same)), None, evidence)


def _boot_stack(host: Host) -> Finding:
    name = "boot.stack"
    stack = host.boot.stack
    if isinstance(stack, Unknown):
        title = text("judge.stack.unknown", reason=stack.reason)
        return not_known(name, Severity.WARNS, title, text("judge.stack.remedy"))
    if stack.value is None:
        return failed(name, Severity.WARNS, text("judge.stack.none"), text("judge.stack.remedy"), seen(stack))
    evidence = seen(stack, host.boot.loader, host.boot.initramfs)
    return passed(name, Severity.WARNS, text("judge.stack.known", stack=stack.value.value), evidence)


def _secure_boot(host: Host) -> Finding:
    name = "secure-boot"
    reading = host.boot.secure_boot
    if isinstance(reading, Unknown):
        return not_known(name, Severity.INFO, text("judge.secure-boot.unknown", reason=reading.reason), None)
    if reading.value:
        title = text("judge.secure-boot.on")
        return failed(name, Severity.INFO, title, text("judge.secure-boot.remedy"), seen(reading))
    return passed(name, Severity.INFO, text("judge.secure-boot.off"), seen(reading))


def _lockdown(host: Host) -> Finding:
    name = "lockdown"
    reading = host.boot.lockdown
    if isinstance(reading, Unknown):
        return not_known(name, Severity.INFO, text("judge.lockdown.unknown", reason=reading.reason), None)
    if reading.value in (None, "none"):
        return passed(name, Severity.INFO, text("judge.lockdown.off"), seen(reading))
    title = text("judge.lockdown.on", level=reading.value)
    return failed(name, Severity.INFO, title, text("judge.lockdown.remedy"), seen(reading))


def _vms(host: Host) -> Finding:
    name = "libvirt.vms"
    if isinstance(host.vms, Unknown):
        # A recording may lack VMs by intent; a machine that is asked and does not answer cannot be worked with.
        asked = host.kind in (MachineKind.REAL, MachineKind.REMOTE)
        severity = Severity.BLOCKS if asked else Severity.WARNS
        title = text("judge.vms.unknown", reason=host.vms.reason)
        return not_known(name, severity, title, text("judge.vms.remedy") if asked else text("judge.vms.recording"))
    evidence = (Evidence(host.vms.source, str(len(host.vms.value))),)
    if not host.vms.value:
        return failed(name, Severity.INFO, text("judge.vms.none"), text("judge.vms.make-one"), evidence)
    return passed(name, Severity.BLOCKS, text("judge.vms.some", len(host.vms.value)), evidence)
