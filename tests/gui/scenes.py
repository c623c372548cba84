# SPDX-License-Identifier: GPL-3.0-or-later
"""Machines that the desktop's tests look at: a full one, an empty one, a crowded one, one with hostile names."""

from __future__ import annotations

from typing import Any

from fakes.hosts import (
    AMD,
    ETHERNET,
    HDA,
    NVME,
    SATA,
    UNREAD,
    USB,
    VGA,
    amd_integrated,
    at,
    device,
    given,
    gpu,
    holders,
    host,
    nvidia_card,
    output,
    process,
    vm,
)
from vitrail.model.finding import Evidence, Finding, Severity, Status
from vitrail.model.machine import Holder, HolderKind, Host, Link
from vitrail.model.mode import Mode
from vitrail.model.outcome import HistoryEntry, Outcome, PromiseResult, RunState
from vitrail.model.text import text
from vitrail.model.vm import VmGraphics, VmState
from vitrail.service.undoing import UndoPreview

LONG = "a-virtual-machine-whose-name-somebody-made-far-too-long-for-any-column-of-any-table-in-the-world"
HOSTILE = "<b>bold</b> <img src=x> \u202edesrever \x1b[31mred"

DIFF = """--- win11-games, as it is
+++ win11-games, after Take back
@@ -41,10 +41,7 @@
     <video>
-      <model type='virtio' heads='1' primary='yes'/>
+      <model type='qxl' ram='65536' vram='65536' vgamem='16384' heads='1' primary='yes'/>
     </video>
-    <hostdev mode='subsystem' type='pci' managed='yes'>
-      <source>
-        <address domain='0x0000' bus='0x01' slot='0x00' function='0x0'/>
-      </source>
-    </hostdev>
"""


def shown(mode: Mode | None, card: str | None = None) -> tuple[VmGraphics, ...]:
    """What gives a VM its picture."""
    name = mode.value if mode is not None else "other"
    return (VmGraphics(mode, at(card) if card else None, text("tests.detail", name=name)),)


def full() -> Host:
    """A desktop with four cards, one tied to network and disks, and five VMs."""
    runs = vm(
        "cad-studio",
        state=VmState.RUNNING,
        hostdevs=given("0000:09:00.0"),
        graphics=shown(Mode.PASSTHROUGH, "0000:09:00.0"),
    )
    builtin = amd_integrated(
        outputs=(output("DP-1", display='Dell 27"'), output("HDMI-A-1", connected=False)),
        holders=holders(*(process(f"program-{n}", 4000 + n) for n in range(41))),
        vram_mib=512,
    )
    nvidia = nvidia_card(
        outputs=(output("HDMI-A-2", display='LG 24"'),),
        holders=holders(process("Xwayland", 900)),
        link=Link("2.5 GT/s", 16, "16.0 GT/s", 16),
        vram_mib=12288,
    )
    tied = gpu(
        device(
            "05:00.0",
            VGA,
            AMD,
            0x67DF,
            group=20,
            driver="amdgpu",
            name="Ellesmere [Radeon RX 580]",
            vendor_name="Advanced Micro Devices, Inc. [AMD/ATI]",
        ),
        device("05:00.1", HDA, AMD, 0xAAF0, group=20, driver="snd_hda_intel"),
    )
    given_away = gpu(
        device("09:00.0", VGA, 0x8086, 0xE212, group=30, driver="vfio-pci", name="Battlemage G21 [Arc Pro B50]"),
        outputs=UNREAD,
        holders=holders(Holder(HolderKind.VM, runs.name, uuid=runs.uuid)),
    )
    others = (
        device("04:00.0", ETHERNET, group=20, driver="r8169", name="RTL8125 2.5GbE Controller"),
        device("06:00.0", SATA, group=20, driver="ahci", name="600 Series Chipset SATA Controller"),
        device("07:00.0", NVME, group=21, driver="nvme", name="NVMe SSD Controller"),
        device("08:00.0", USB, group=22, driver="xhci_hcd", name="600 Series Chipset USB 3.2 Controller"),
    )
    vms = (
        vm(
            "win11-games",
            graphics=shown(Mode.PASSTHROUGH, "0000:01:00.0"),
            hostdevs=given("0000:01:00.0", "0000:01:00.1"),
        ),
        runs,
        vm("fedora-desk", state=VmState.RUNNING, graphics=shown(Mode.VIRGL, "0000:15:00.0")),
        vm("old-xp", state=VmState.PAUSED, graphics=shown(Mode.QXL)),
        vm("render-node", state=UNREAD, graphics=shown(Mode.VIRTIO)),
    )
    return host(
        builtin,
        nvidia,
        tied,
        given_away,
        others=others,
        vms=vms,
        model="AMD Ryzen 9 7950X 16-Core Processor",
        network_cards=((at("04:00.0"), "eth0"),),
        disk_controllers=((at("06:00.0"), "sda, sdb"),),
    )


def single() -> Host:
    """One card, one VM."""
    card = nvidia_card(boot_vga=True, outputs=(output("DP-1"),), holders=holders(process()))
    return host(card, vms=(vm("win11", graphics=shown(Mode.QXL)),))


def empty() -> Host:
    """No card, and libvirt does not answer."""
    return host(vms=UNREAD)


def crowded(cards: int = 8, vms: int = 40) -> Host:
    """Enough for folding."""
    made = tuple(
        nvidia_card(f"{n + 1:02x}", group=n + 10, outputs=(output(f"DP-{n}", connected=n < 3),)) for n in range(cards)
    )
    machines = tuple(
        vm(
            f"vm-{n:03}",
            state=VmState.RUNNING if n % 3 else VmState.OFF,
            graphics=shown(Mode.VIRGL, f"0000:{n % cards + 1:02x}:00.0") if n % 2 else shown(Mode.VIRTIO),
        )
        for n in range(vms)
    )
    return host(*made, vms=machines)


def hostile() -> Host:
    """Names that try to be more than names, and names that are too long."""
    card = gpu(
        device("01:00.0", VGA, group=1, name=HOSTILE),
        outputs=(output("DP-1", display=HOSTILE), output("DP-2", display=LONG)),
    )
    return host(card, vms=(vm(HOSTILE, graphics=shown(Mode.VIRGL, "0000:01:00.0")), vm(LONG, graphics=shown(Mode.QXL))))


def findings() -> tuple[Finding, ...]:
    """One of every status and severity."""
    seen = (Evidence("/sys/class/iommu", "ivhd0"), Evidence("/proc/cmdline", "quiet amd_iommu=on <b>not bold</b>"))
    return (
        Finding("info", Status.FAIL, Severity.INFO, text("tests.finding.info"), seen),
        Finding("pass", Status.PASS, Severity.BLOCKS, text("tests.finding.pass"), seen),
        Finding("warn", Status.FAIL, Severity.WARNS, text("tests.finding.warn"), seen, text("tests.remedy")),
        Finding("block", Status.FAIL, Severity.BLOCKS, text("tests.finding.block"), seen, text("tests.remedy")),
        Finding("unknown", Status.UNKNOWN, Severity.BLOCKS, text("tests.finding.unknown"), (), text("tests.remedy")),
    )


def history() -> tuple[HistoryEntry, ...]:
    """Runs in every state, newest first."""
    uuid = vm("win11-games").uuid
    return tuple(
        HistoryEntry(
            f"{n:016x}", f"run-{n}", 1_700_000_000.0 - n * 86_400, "qemu:///system", uuid, "win11-games", mode, state
        )
        for n, (mode, state) in enumerate(
            zip(("passthrough", "passthrough", "virtio", "qxl", "virgl", "basic", "qxl"), RunState, strict=True)
        )
    )


def previews() -> tuple[UndoPreview, ...]:
    """What taking back the newest would write; others edited since."""
    return (UndoPreview(f"{0:016x}", "run-0", "win11-games", DIFF, merges=True, left=("/domain/devices/sound",)),)


def outcomes() -> tuple[Outcome, ...]:
    """A promise kept, one broken, one not known."""
    return tuple(Outcome(text("tests.step"), result, "virtio", "qxl", ()) for result in PromiseResult)


def everything() -> dict[str, Any]:
    """What a busy place says besides its machine."""
    return {"findings": findings(), "history": history(), "previews": previews(), "outcomes": outcomes()}
