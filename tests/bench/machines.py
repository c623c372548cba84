# SPDX-License-Identifier: GPL-3.0-or-later
"""Recordings of any size: so many cards with their sound, so many VMs, some of which have a card."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from fakes.sysfs import HDA, PCI_BRIDGE, VGA, Connector, Tree

_VM = """<domain type='kvm'><name>vm{n:04}</name><uuid>5d1f0000-0000-4000-8000-{n:012x}</uuid>
<memory unit='GiB'>4</memory><vcpu>4</vcpu><os firmware='efi'><type arch='x86_64' machine='pc-q35-9.2'>hvm</type></os>
<features><acpi/><apic/></features><cpu mode='host-passthrough'/>
<devices><emulator>/usr/bin/qemu-system-x86_64</emulator>
<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='/vms/{n}.qcow2'/>
<target dev='vda' bus='virtio'/></disk>
<interface type='network'><source network='default'/><model type='virtio'/></interface>
<graphics type='spice' autoport='yes'><listen type='address'/></graphics><video><model type='{video}'/></video>{more}
<memballoon model='virtio'/></devices></domain>"""
_HOSTDEV = """<hostdev mode='subsystem' type='pci' managed='yes'><source>
<address domain='0x0000' bus='0x{bus:02x}' slot='0x00' function='0x0'/></source></hostdev>"""
_EVERY = 10
"""One VM in ten has a card."""


def make_recording(folder: Path, cards: int, vms: int) -> None:
    """Write the recording into the folder."""
    folder.mkdir(exist_ok=True)
    tree = Tree(folder / "root")
    (folder / "machine.toml").write_text("format = 1\n", encoding="utf-8")
    for n in range(cards):
        bridge, bus = f"0000:00:{n % 32:02x}.{n // 32}", n + 1
        tree.pci(bridge, PCI_BRIDGE, 0x8086, 0x7AB8, driver="pcieport", group=n)
        card = f"0000:{bus:02x}:00.0"
        tree.pci(card, VGA, 0x10DE, 0x2786, behind=bridge, driver="nvidia", group=1000 + n, boot_vga=n == 0)
        tree.pci(f"0000:{bus:02x}:00.1", HDA, 0x10DE, 0x22BC, behind=bridge, driver="snd_hda_intel", group=1000 + n)
        tree.drm(card, (Connector(f"DP-{n + 1}", "connected", f"Monitor {n}"), Connector(f"HDMI-A-{n + 1}")))
    domains = folder / "libvirt" / "domains"
    domains.mkdir(parents=True)
    for n in range(vms):
        more = _HOSTDEV.format(bus=n // _EVERY % cards + 1) if n % _EVERY == 0 and cards else ""
        words = _VM.format(n=n, video=("virtio", "qxl")[n % 2], more=more)
        (domains / f"vm{n:04}.xml").write_text(words, encoding="utf-8")
