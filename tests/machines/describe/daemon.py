# SPDX-License-Identifier: GPL-3.0-or-later
"""What libvirt on the recorded machines says that it and its QEMU can do, as far as anybody asks."""

from __future__ import annotations

from dataclasses import dataclass

EMULATOR = "/usr/bin/qemu-system-x86_64"


@dataclass(frozen=True, slots=True)
class Daemon:
    """One libvirt with one QEMU. `machines` are the versioned types that its domains use."""

    machines: tuple[str, ...] = ("pc-q35-10.0", "pc-i440fx-10.0")
    videos: tuple[str, ...] = ("vga", "cirrus", "vmvga", "qxl", "virtio", "none", "bochs", "ramfb")
    graphics: tuple[str, ...] = ("sdl", "vnc", "spice", "egl-headless", "dbus")
    backends: tuple[str, ...] = ("default", "vfio")
    host_uuid: str = "4c4c4544-0031-4d10-8032-b4c04f303432"

    def capabilities(self) -> str:
        """The host's document."""
        machines = "".join(f"      <machine maxCpus='4096'>{name}</machine>\n" for name in self.machines)
        return (
            f"<capabilities>\n  <host>\n    <uuid>{self.host_uuid}</uuid>\n    <cpu>\n      <arch>x86_64</arch>\n"
            "    </cpu>\n  </host>\n  <guest>\n    <os_type>hvm</os_type>\n    <arch name='x86_64'>\n"
            f"      <wordsize>64</wordsize>\n      <emulator>{EMULATOR}</emulator>\n{machines}"
            "      <domain type='qemu'/>\n      <domain type='kvm'/>\n    </arch>\n  </guest>\n</capabilities>\n"
        )

    def domain_capabilities(self) -> dict[str, str]:
        """The documents by file name: one a machine type."""
        return {f"kvm-x86_64-{machine}": self._of(machine) for machine in self.machines}

    def _of(self, machine: str) -> str:
        return (
            f"<domainCapabilities>\n  <path>{EMULATOR}</path>\n  <domain>kvm</domain>\n  <machine>{machine}</machine>\n"
            "  <arch>x86_64</arch>\n  <vcpu max='4096'/>\n  <iothreads supported='yes'/>\n"
            "  <os supported='yes'>\n    <enum name='firmware'>\n      <value>bios</value>\n      <value>efi</value>\n"
            "    </enum>\n  </os>\n  <devices>\n"
            f"    <graphics supported='yes'>\n{_enum('type', self.graphics)}    </graphics>\n"
            f"    <video supported='yes'>\n{_enum('modelType', self.videos)}    </video>\n"
            "    <hostdev supported='yes'>\n"
            f"{_enum('mode', ('subsystem',))}{_enum('subsysType', ('usb', 'pci', 'scsi'))}"
            f"{_enum('pciBackend', self.backends)}    </hostdev>\n"
            "  </devices>\n</domainCapabilities>\n"
        )


def _enum(name: str, values: tuple[str, ...]) -> str:
    inner = "".join(f"        <value>{value}</value>\n" for value in values)
    return f"      <enum name='{name}'>\n{inner}      </enum>\n"
