# SPDX-License-Identifier: GPL-3.0-or-later
"""The domains of the recorded machines, as `virsh dumpxml --inactive` prints them.

A domain is its head (guest, firmware, memory) and the devices that matter here, each given as the XML that libvirt
would print; disks, network and controllers are the same everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import indent

_OSINFO = "http://libosinfo.org/xmlns/libvirt/domain/1.0"
GIB = 1024 * 1024

VNC = (
    "<graphics type='vnc' port='-1' autoport='yes' listen='127.0.0.1'>\n"
    "  <listen type='address' address='127.0.0.1'/>\n</graphics>"
)
SPICE = (
    "<graphics type='spice' autoport='yes'>\n  <listen type='address'/>\n  <image compression='off'/>\n</graphics>\n"
    "<channel type='spicevmc'>\n  <target type='virtio' name='com.redhat.spice.0'/>\n</channel>"
)
SPICE_LOCAL = (
    "<graphics type='spice'>\n  <listen type='none'/>\n  <image compression='off'/>\n  <gl enable='no'/>\n</graphics>"
)
TABLET = "<input type='tablet' bus='usb'>\n  <address type='usb' bus='0' port='1'/>\n</input>"
NO_VIDEO = "<video>\n  <model type='none'/>\n</video>"
TPM = "<tpm model='tpm-crb'>\n  <backend type='emulator' version='2.0'/>\n</tpm>"
LOOKING_GLASS = "<shmem name='looking-glass'>\n  <model type='ivshmem-plain'/>\n  <size unit='M'>64</size>\n</shmem>"
VIRTIO_VIDEO = (
    "<video>\n  <model type='virtio' heads='1' primary='yes'/>\n"
    "  <address type='pci' domain='0x0000' bus='0x00' slot='0x01' function='0x0'/>\n</video>"
)
QXL_VIDEO = (
    "<video>\n  <model type='qxl' ram='65536' vram='65536' vgamem='16384' heads='1' primary='yes'/>\n"
    "  <address type='pci' domain='0x0000' bus='0x00' slot='0x01' function='0x0'/>\n</video>"
)
VGA_VIDEO = (
    "<video>\n  <model type='vga' vram='16384' heads='1' primary='yes'/>\n"
    "  <address type='pci' domain='0x0000' bus='0x00' slot='0x01' function='0x0'/>\n</video>"
)


def virgl(render: str) -> str:
    """An accelerated virtio display that draws on the card behind this render node."""
    return (
        f"<graphics type='spice'>\n  <listen type='none'/>\n  <gl enable='yes' rendernode='{render}'/>\n</graphics>\n"
        "<video>\n  <model type='virtio' heads='1' primary='yes'>\n    <acceleration accel3d='yes'/>\n  </model>\n"
        "  <address type='pci' domain='0x0000' bus='0x00' slot='0x01' function='0x0'/>\n</video>"
    )


def passed_through(address: str, bus: int, function: int = 0, *, more: str = "", whole: bool = False) -> str:
    """A PCI function given to the VM, at this place inside it. `whole`: it is the first of several."""
    host_bus, slot, of_host = address.split(":", maxsplit=1)[0], *address.split(":")[1].split(".")
    several = " multifunction='on'" if whole else ""
    return (
        "<hostdev mode='subsystem' type='pci' managed='yes'>\n  <source>\n"
        f"    <address domain='0x0000' bus='0x{host_bus}' slot='0x{slot}' function='0x{of_host}'/>\n  </source>\n{more}"
        f"  <address type='pci' domain='0x0000' bus='0x{bus:02x}' slot='0x00' function='0x{function:x}'{several}/>\n"
        "</hostdev>"
    )


def mediated(uuid: str, bus: int) -> str:
    """A share of a card by its UUID, with its picture in the VM's own window."""
    return (
        "<hostdev mode='subsystem' type='mdev' managed='no' model='vfio-pci' display='on' ramfb='on'>\n  <source>\n"
        f"    <address uuid='{uuid}'/>\n  </source>\n"
        f"  <address type='pci' domain='0x0000' bus='0x{bus:02x}' slot='0x00' function='0x0'/>\n</hostdev>"
    )


@dataclass(frozen=True, slots=True)
class Domain:
    """One VM: its text is made of this, and domains.toml of the rest."""

    name: str
    uuid: str
    osinfo: str | None
    devices: tuple[str, ...]
    memory_gib: int = 8
    vcpus: int = 4
    machine: str = "pc-q35-10.0"
    uefi: bool = True
    state: str = "off"
    autostart: bool = False
    managed_save: bool = False
    pids: tuple[int, ...] = ()
    shared_memory: bool = False
    head: str = ""
    """More children of the domain, before its devices."""
    tail: str = ""
    """More children of the domain, after its devices."""
    namespaces: str = ""
    comment: str = ""

    @property
    def text(self) -> str:
        """The document."""
        windows = self.osinfo is not None and "microsoft" in self.osinfo
        parts = [
            f"<name>{self.name}</name>",
            f"<uuid>{self.uuid}</uuid>",
            self._metadata(),
            f"<memory unit='KiB'>{self.memory_gib * GIB}</memory>",
            f"<currentMemory unit='KiB'>{self.memory_gib * GIB}</currentMemory>",
            _SHARED if self.shared_memory else "",
            f"<vcpu placement='static'>{self.vcpus}</vcpu>",
            self._os(),
            _WINDOWS_FEATURES if windows else _FEATURES,
            "<cpu mode='host-passthrough' check='none' migratable='on'/>",
            _WINDOWS_CLOCK if windows else _CLOCK,
            "<on_poweroff>destroy</on_poweroff>\n<on_reboot>restart</on_reboot>\n<on_crash>destroy</on_crash>",
            self.head,
            self._devices(),
            self.tail,
        ]
        inner = indent("\n".join(part for part in parts if part), "  ")
        return f"{self.comment}<domain type='kvm'{self.namespaces}>\n{inner}\n</domain>\n"

    def _metadata(self) -> str:
        if self.osinfo is None:
            return ""
        return (
            f'<metadata>\n  <libosinfo:libosinfo xmlns:libosinfo="{_OSINFO}">\n'
            f'    <libosinfo:os id="{self.osinfo}"/>\n  </libosinfo:libosinfo>\n</metadata>'
        )

    def _os(self) -> str:
        kind = f"  <type arch='x86_64' machine='{self.machine}'>hvm</type>\n"
        if not self.uefi:
            return f"<os>\n{kind}  <boot dev='hd'/>\n</os>"
        return (
            f"<os firmware='efi'>\n{kind}  <firmware>\n    <feature enabled='no' name='enrolled-keys'/>\n"
            "    <feature enabled='no' name='secure-boot'/>\n  </firmware>\n"
            "  <loader readonly='yes' type='pflash' format='raw'>/usr/share/OVMF/OVMF_CODE_4M.fd</loader>\n"
            "  <nvram template='/usr/share/OVMF/OVMF_VARS_4M.fd' templateFormat='raw' format='raw'>"
            f"/var/lib/libvirt/qemu/nvram/{self.name}_VARS.fd</nvram>\n  <boot dev='hd'/>\n</os>"
        )

    def _devices(self) -> str:
        old = self.machine.startswith("pc-i440fx")
        disk = "<target dev='hda' bus='ide'/>" if old else "<target dev='vda' bus='virtio'/>"
        card = "rtl8139" if old else "virtio"
        tail = int(self.uuid[-6:], 16)
        mac = f"52:54:00:{tail >> 16 & 255:02x}:{tail >> 8 & 255:02x}:{tail & 255:02x}"
        common = [
            "<emulator>/usr/bin/qemu-system-x86_64</emulator>",
            (
                "<disk type='file' device='disk'>\n  <driver name='qemu' type='qcow2' discard='unmap'/>\n"
                f"  <source file='/var/lib/libvirt/images/{self.name}.qcow2'/>\n  {disk}\n</disk>"
            ),
            _OLD_CONTROLLERS if old else _CONTROLLERS,
            (
                f"<interface type='network'>\n  <mac address='{mac}'/>\n  <source network='default'/>\n"
                f"  <model type='{card}'/>\n</interface>"
            ),
            _CONSOLE,
            "<input type='mouse' bus='ps2'/>",
            "<input type='keyboard' bus='ps2'/>",
        ]
        return "<devices>\n" + indent("\n".join([*common, *self.devices]), "  ") + "\n</devices>"


_CONSOLE = (
    "<serial type='pty'>\n  <target type='isa-serial' port='0'>\n    <model name='isa-serial'/>\n  </target>\n"
    "</serial>\n<console type='pty'>\n  <target type='serial' port='0'/>\n</console>"
)
_SHARED = "<memoryBacking>\n  <source type='memfd'/>\n  <access mode='shared'/>\n</memoryBacking>"
_FEATURES = "<features>\n  <acpi/>\n  <apic/>\n  <vmport state='off'/>\n</features>"
_WINDOWS_FEATURES = (
    "<features>\n  <acpi/>\n  <apic/>\n  <hyperv mode='custom'>\n    <relaxed state='on'/>\n    <vapic state='on'/>\n"
    "    <spinlocks state='on' retries='8191'/>\n    <vpindex state='on'/>\n    <synic state='on'/>\n"
    "    <stimer state='on'/>\n  </hyperv>\n  <vmport state='off'/>\n</features>"
)
_CLOCK = (
    "<clock offset='utc'>\n  <timer name='rtc' tickpolicy='catchup'/>\n  <timer name='pit' tickpolicy='delay'/>\n"
    "  <timer name='hpet' present='no'/>\n</clock>"
)
_WINDOWS_CLOCK = (
    "<clock offset='localtime'>\n  <timer name='rtc' tickpolicy='catchup'/>\n  <timer name='hpet' present='no'/>\n"
    "  <timer name='hypervclock' present='yes'/>\n</clock>"
)
_CONTROLLERS = "\n".join(
    [
        "<controller type='usb' index='0' model='qemu-xhci' ports='15'/>",
        "<controller type='pci' index='0' model='pcie-root'/>",
        *(f"<controller type='pci' index='{index}' model='pcie-root-port'/>" for index in range(1, 11)),
        "<controller type='virtio-serial' index='0'/>",
    ]
)
_OLD_CONTROLLERS = (
    "<controller type='usb' index='0' model='ich9-ehci1'/>\n<controller type='pci' index='0' model='pci-root'/>\n"
    "<controller type='ide' index='0'/>\n<controller type='virtio-serial' index='0'/>"
)
