# SPDX-License-Identifier: GPL-3.0-or-later
"""`scan` for people: a block a card, the groups that hold one, the VMs."""

from __future__ import annotations

from vitrail.cli.banner import banner
from vitrail.cli.page import Page, Words
from vitrail.cli.scan import Seen
from vitrail.judge.card import whole_cards
from vitrail.judge.hostuse import host_things
from vitrail.model.machine import (
    Connection,
    Gpu,
    Holder,
    HolderKind,
    Holders,
    Host,
    IommuGroup,
    MachineKind,
    Output,
    PciDevice,
)
from vitrail.model.reading import Known, Unknown
from vitrail.model.text import Text, text
from vitrail.model.verdict import GroupVerdict, Isolation
from vitrail.model.vm import Vm, VmState
from vitrail.text.speaker import speaker

_MOST_HOLDERS = 5


def write_scan(language: str | None, seen: Seen, verdicts: tuple[GroupVerdict, ...]) -> None:
    """Everything on one page, the cards first; above them what is to be known of a listing."""
    host, page = seen.host, Page(speaker(language))
    banner(page, host.kind, seen.label)
    if seen.notes:
        page.heading(text("cli.scan.about-listing"))
    for note in seen.notes:
        page.paragraph(note, 2)
    _machine(page, host)
    page.heading(text("cli.scan.cards"))
    if isinstance(host.gpus, Unknown):
        page.entry("", host.gpus, 2)
    elif not host.gpus.value:
        page.paragraph(text("cli.scan.no-cards"), 2)
    else:
        for gpu in host.gpus.value:
            _card(page, host, gpu)
    _groups(page, host, verdicts)
    _vms(page, host)
    page.findings(seen.vms_not_read)


def _machine(page: Page, host: Host) -> None:
    page.heading(text("cli.scan.machine"))
    page.facts(
        [
            (text("cli.scan.kernel"), host.kernel),
            (text("cli.scan.virtual"), _inside(host)),
            (text("cli.scan.iommu"), _iommu(host)),
            (text("cli.scan.boot"), host.boot.stack),
            (text("cli.scan.initramfs"), host.boot.initramfs),
            (text("cli.scan.secure-boot"), host.boot.secure_boot),
        ]
    )


def _inside(host: Host) -> Words:
    bare = isinstance(host.virtual, Known) and host.virtual.value is None
    return text("cli.scan.not-virtual") if bare else host.virtual


def _iommu(host: Host) -> Words:
    active, kind = host.iommu.active, host.iommu.kind
    if isinstance(active, Unknown):
        return active
    if not active.value:
        return text("cli.iommu.off")
    return text("cli.iommu.on", kind=kind.value) if isinstance(kind, Known) and kind.value else text("cli.iommu.active")


def _card(page: Page, host: Host, gpu: Gpu) -> None:
    page.write()
    page.entry("", _named(page, gpu.device), 2)
    rows: list[tuple[Text, Words]] = [
        (text("cli.card.driver"), gpu.device.driver),
        (text("cli.card.memory"), _memory(gpu)),
        (text("cli.card.starts"), gpu.boot_vga),
        (text("cli.card.screens"), _screens(page, gpu)),
        (text("cli.card.used-by"), _used_by(page, gpu)),
        (text("cli.card.reset"), _resets(gpu)),
    ]
    if gpu.device.physical_function is not None:
        rows.append((text("cli.card.part-of"), gpu.device.physical_function.short))
    others = [function.address.short for function in gpu.functions if function.address != gpu.address]
    if others:
        rows.append((text("cli.card.functions"), ", ".join(others)))
    group = host.group_of(gpu.device)
    rows.append((text("cli.card.group"), gpu.device.group if group is None else group.number))
    page.facts(rows, 4)


def _named(page: Page, device: PciDevice) -> Text:
    name = page.words(device.name) if isinstance(device.name, Known) else page.say(text("cli.card.no-name"))
    vendor = page.words(device.vendor_name) if isinstance(device.vendor_name, Known) else ""
    return text("cli.card.named", name=f"{vendor} {name}".strip(), address=device.address.short)


def _memory(gpu: Gpu) -> Words:
    if isinstance(gpu.vram_mib, Unknown) or gpu.vram_mib.value is None:
        return gpu.vram_mib
    return text("cli.card.mib", mib=gpu.vram_mib.value)


def _screens(page: Page, gpu: Gpu) -> Words:
    if isinstance(gpu.outputs, Unknown):
        return gpu.outputs
    lit = [_screen(page, output) for output in gpu.outputs.value if _may_be_lit(output)]
    if not lit:
        return text("cli.card.no-screen", count=len(gpu.outputs.value))
    return "; ".join(lit)


def _may_be_lit(output: Output) -> bool:
    return not (isinstance(output.status, Known) and output.status.value is Connection.DISCONNECTED)


def _screen(page: Page, output: Output) -> str:
    if not (isinstance(output.status, Known) and output.status.value is Connection.CONNECTED):
        return page.say(text("cli.screen.unknown", connector=output.connector))
    if isinstance(output.display, Known) and output.display.value:
        return page.say(text("cli.screen.named", connector=output.connector, display=output.display.value))
    return page.words(output.connector)


def _used_by(page: Page, gpu: Gpu) -> Words:
    if isinstance(gpu.holders, Unknown):
        return gpu.holders
    holders: Holders = gpu.holders.value
    unseen = holders.processes_not_seen
    said = [page.say(_holder(holder)) for holder in holders.seen[:_MOST_HOLDERS]]
    if len(holders.seen) > _MOST_HOLDERS:
        said.append(page.say(text("cli.card.more-holders", count=len(holders.seen) - _MOST_HOLDERS)))
    if unseen:
        said.append(page.say(text("cli.processes-not-seen", count=unseen)))
    return "; ".join(said) if said else text("cli.card.free")


def _holder(holder: Holder) -> Text:
    match holder.kind:
        case HolderKind.PROCESS:
            return text("cli.holder.process", name=holder.name, pid=str(holder.pid))
        case HolderKind.VM:
            return text("cli.holder.vm", name=holder.name)
        case HolderKind.DRIVER:
            return text("cli.holder.driver", name=holder.name)


def _resets(gpu: Gpu) -> Words:
    if isinstance(gpu.reset_methods, Unknown):
        return gpu.reset_methods
    return ", ".join(gpu.reset_methods.value) or text("cli.card.no-reset")


def _groups(page: Page, host: Host, verdicts: tuple[GroupVerdict, ...]) -> None:
    page.heading(text("cli.scan.groups"))
    if isinstance(host.groups, Unknown):
        page.entry("", host.groups, 2)
        return
    verdict_of = {verdict.number: verdict for verdict in verdicts}
    shown = [group for group in host.groups.value if any(device.pci_class.is_display for device in group.members)]
    for group in shown:
        _group(page, group, verdict_of[group.number])
        for gpu in whole_cards(host):
            if gpu.device in group.members and (needed := host_things(host, gpu)).stops:
                page.entry("! ", needed.title, 4)
    rest = len(host.groups.value) - len(shown)
    if rest or not shown:
        page.write()
        page.paragraph(text("cli.groups.others", count=rest) if rest else text("cli.groups.none"), 2)


def _group(page: Page, group: IommuGroup, verdict: GroupVerdict) -> None:
    page.write()
    page.entry("", text("cli.group.line", number=group.number, verdict=plain_verdict(verdict.isolation)), 2)
    if verdict.isolation is not Isolation.ISOLATED:
        # For a card that is alone the verdict says it all.
        for reason in verdict.reasons:
            page.entry("", reason, 4)
    for device in group.members:
        page.entry("· ", _named(page, device), 4)


def plain_verdict(isolation: Isolation) -> Text:
    """What a group's verdict means, in plain words."""
    match isolation:
        case Isolation.ISOLATED:
            return text("cli.isolation.isolated")
        case Isolation.SHARED:
            return text("cli.isolation.shared")
    return text("cli.isolation.unknown")


def _vms(page: Page, host: Host) -> None:
    page.heading(text("cli.scan.vms"))
    if isinstance(host.vms, Unknown):
        page.entry("", host.vms, 2)
        if host.kind in (MachineKind.REAL, MachineKind.REMOTE):
            page.entry("→ ", text("cli.scan.vms-unread"), 2)
    elif not host.vms.value:
        page.paragraph(text("cli.scan.no-vms"), 2)
    else:
        page.table(
            (text("cli.vms.name"), text("cli.vms.state"), text("cli.vms.graphics")),
            [(vm.name, _state(vm), _graphics(page, vm)) for vm in host.vms.value],
        )


def _state(vm: Vm) -> Words:
    if isinstance(vm.state, Unknown):
        return text("cli.state.unknown")
    return {
        VmState.RUNNING: text("cli.state.running"),
        VmState.PAUSED: text("cli.state.paused"),
        VmState.OFF: text("cli.state.off"),
        VmState.SAVED: text("cli.state.saved"),
        VmState.CRASHED: text("cli.state.crashed"),
        VmState.SUSPENDED: text("cli.state.suspended"),
    }[vm.state.value]


def _graphics(page: Page, vm: Vm) -> Words:
    if not vm.graphics:
        return text("cli.vms.no-graphics")
    return "; ".join(page.say(item.detail) for item in vm.graphics)
