# SPDX-License-Identifier: GPL-3.0-or-later
"""Who uses a card now: the firmware's screen, monitors, programs, this computer's only picture.

The same facts are a warning in a plan (a change at the next start frees the card) and a stop before writing (until
that change can be guarded), so they are judged once here, with the severity handed in.
"""

from __future__ import annotations

from vitrail.judge.card import VFIO, bound_to, can_show, other_screens
from vitrail.judge.conclude import failed, not_known, passed, seen
from vitrail.judge.vmstate import uses_card
from vitrail.judge.words import card_name, listed, plain
from vitrail.model.finding import Evidence, Finding, Severity
from vitrail.model.machine import Connection, Gpu, Holder, HolderKind, Host, Output
from vitrail.model.pci import CLASS_3D, CLASS_VGA
from vitrail.model.reading import Known, Unknown
from vitrail.model.text import Text, text

NAMED_HOLDERS = 5
"""So many holders are named in a sentence; the evidence has all."""


def usage_findings(host: Host, gpu: Gpu, severity: Severity) -> tuple[Finding, ...]:
    """Everything that says that this computer uses the card, or that this could not be seen."""
    return (_boot_vga(gpu, severity), _lit(gpu, severity), _held(host, gpu, severity))


def _kept_free(gpu: Gpu) -> bool:
    """Whether the card is kept for VMs already: vfio-pci has it though no VM runs with it."""
    holders = gpu.holders
    held = isinstance(holders, Unknown) or any(one.kind is HolderKind.VM for one in holders.value.seen)
    return bound_to(gpu.device, VFIO) and not held


def _boot_vga(gpu: Gpu, severity: Severity) -> Finding:
    name = "card.boot-vga"
    if isinstance(gpu.boot_vga, Unknown):
        if gpu.device.pci_class.short != CLASS_VGA:
            return passed(name, severity, text("judge.boot-vga.never"))
        title = text("judge.boot-vga.unknown", reason=gpu.boot_vga.reason)
        return not_known(name, severity, title, text("judge.boot-vga.look"))
    if gpu.boot_vga.value and _kept_free(gpu):
        # The firmware's picture is all that is left on it; what a VM does takes nothing more.
        title = text("judge.boot-vga.kept-free", card=card_name(gpu))
        return failed(name, Severity.WARNS, title, text("judge.boot-vga.remedy"), seen(gpu.boot_vga))
    if gpu.boot_vga.value:
        title = text("judge.boot-vga.yes", card=card_name(gpu))
        return failed(name, severity, title, text("judge.boot-vga.remedy"), seen(gpu.boot_vga))
    return passed(name, severity, text("judge.boot-vga.no"), seen(gpu.boot_vga))


def monitor_of(output: Output) -> Text:
    """A connector with the monitor on it, as people name it."""
    if isinstance(output.display, Known) and output.display.value:
        return text("judge.monitor.named", monitor=output.display.value, connector=output.connector)
    return text("judge.monitor.unnamed", connector=output.connector)


def connected(gpu: Gpu) -> tuple[Output, ...]:
    """The connectors with a monitor on them, as far as that was read."""
    outputs = gpu.outputs.value if isinstance(gpu.outputs, Known) else ()
    return tuple(one for one in outputs if _status(one) is Connection.CONNECTED)


def _status(output: Output) -> Connection | None:
    return output.status.value if isinstance(output.status, Known) else None


def _dark(gpu: Gpu) -> Text | None:
    """Why the card certainly shows no picture of this computer, though its sockets were not listed."""
    driver = gpu.device.driver
    if bound_to(gpu.device, VFIO):
        return text("judge.lit.kept-free")
    if isinstance(driver, Known) and driver.value is None:
        # What the firmware left on the screen is judged by `card.boot-vga`.
        return text("judge.lit.no-driver")
    return text("judge.lit.no-sockets") if gpu.device.pci_class.short == CLASS_3D else None


def _lit(gpu: Gpu, severity: Severity) -> Finding:
    name = "card.lit"
    if isinstance(gpu.outputs, Unknown):
        dark = _dark(gpu)
        if dark is not None:
            return passed(name, severity, dark, seen(gpu.device.driver))
        return not_known(
            name, severity, text("judge.lit.unknown", reason=gpu.outputs.reason), text("judge.lit.unknown-remedy")
        )
    lit = connected(gpu)
    evidence = tuple(
        Evidence(one.status.source, one.status.value.value)
        for one in gpu.outputs.value
        if isinstance(one.status, Known)
    )
    if lit:
        what = listed([monitor_of(one) for one in lit])
        return failed(name, severity, text("judge.lit.yes", what=what), text("judge.lit.remedy"), evidence)
    doubtful = [one for one in gpu.outputs.value if _status(one) is not Connection.DISCONNECTED]
    if doubtful:
        what = listed([plain(one.connector) for one in doubtful])
        return not_known(name, severity, text("judge.lit.maybe", what=what), text("judge.lit.remedy"), evidence)
    return passed(name, severity, text("judge.lit.no"), evidence or seen(gpu.outputs))


def holder_name(holder: Holder) -> Text:
    """A holder as people know it, with its process number where it has one."""
    if holder.pid is not None:
        return text("judge.holder.process", name=holder.name, pid=str(holder.pid))
    return plain(holder.name)


def _judged_as_vm(host: Host, gpu: Gpu, holder: Holder) -> bool:
    """Whether the holder is a VM that has the card by its definition: then `card.other-vm` judges it.

    The chosen VM may be the holder itself; a change of its definition does not take the card from it now.
    """
    vms = host.vms.value if isinstance(host.vms, Known) else ()
    return holder.kind is HolderKind.VM and any(one.uuid == holder.uuid and uses_card(one, gpu) for one in vms)


def _held(host: Host, gpu: Gpu, severity: Severity) -> Finding:
    name = "card.held"
    if isinstance(gpu.holders, Unknown):
        title = text("judge.held.unknown", reason=gpu.holders.reason)
        return not_known(name, severity, title, text("judge.held.unknown-remedy"))
    holders = tuple(one for one in gpu.holders.value.seen if not _judged_as_vm(host, gpu, one))
    source = gpu.holders.source
    if holders:
        evidence = tuple(Evidence(source, f"{one.kind.value} {one.name} {one.pid or ''}".rstrip()) for one in holders)
        return failed(name, severity, text("judge.held.yes", who=_named(holders)), text("judge.held.remedy"), evidence)
    missing = gpu.holders.value.processes_not_seen
    # Nothing but a VM can open a card that vfio-pci has, and VMs are asked of libvirt.
    if missing and not bound_to(gpu.device, VFIO):
        title = text("judge.held.partly", missing)
        return not_known(name, severity, title, text("judge.held.unknown-remedy"), (Evidence(source, str(missing)),))
    return passed(name, severity, text("judge.held.no"), (Evidence(source, "-"),))


def _named(holders: tuple[Holder, ...]) -> Text:
    names = [holder_name(one) for one in holders[:NAMED_HOLDERS]]
    if len(holders) > NAMED_HOLDERS:
        names.append(text("judge.held.others", len(holders) - NAMED_HOLDERS))
    return listed(names)


def only_screen(host: Host, gpu: Gpu, severity: Severity = Severity.WARNS) -> Finding:
    """Whether this computer keeps a card to show its own picture on, and whether somebody would see it there."""
    name = "card.only-screen"
    if not can_show(gpu):
        return passed(name, severity, text("judge.only-screen.none"))
    others = other_screens(host, gpu)
    if not others:
        title = text("judge.only-screen.yes", card=card_name(gpu))
        return failed(name, severity, title, text("judge.only-screen.remedy"))
    stays = listed([card_name(one) for one in others])
    if connected(gpu) and not any(connected(one) or isinstance(one.outputs, Unknown) for one in others):
        title = text("judge.only-screen.unplugged", card=card_name(gpu), stays=stays)
        return failed(name, severity, title, text("judge.only-screen.unplugged-remedy", stays=stays))
    return passed(name, severity, text("judge.only-screen.no", stays=stays))
