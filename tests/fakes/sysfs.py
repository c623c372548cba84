# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds a small /sys, /proc, /etc and /boot in a folder, laid out as the kernel lays them out.

Separate from the tests because recorded machines are made with the same builder: what the unit tests believe of sysfs
and what the recordings hold can then not drift apart. Every method returns the tree, so calls can be chained.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

HDA = 0x040300
VGA = 0x030000
DISPLAY_3D = 0x030200
DISPLAY_OTHER = 0x038000
HOST_BRIDGE = 0x060000
PCI_BRIDGE = 0x060400
USB_XHCI = 0x0C0330
UCSI = 0x0C8000
NVME = 0x010802
SATA = 0x010601
ETHERNET = 0x020000
VIRTUAL_FUNCTION_DISPLAY = DISPLAY_OTHER

GRUB_SIGNS = (
    '  load_env\n  set default="${next_entry}"\n  set next_entry=\n  save_env next_entry\n'
    "  source ${config_directory}/custom.cfg\n"
)
"""What grub-mkconfig writes for one-shots and further entries."""

_EDID_HEADER = bytes.fromhex("00ffffffffffff00")


def edid(name: str | bytes | None, serial: str = "S1234567") -> bytes:
    """A base EDID block with this monitor name (descriptor 0xFC) and a serial (0xFF); None leaves the name out."""
    block = bytearray(128)
    block[0:8] = _EDID_HEADER
    block[8:10] = b"\x10\xac"
    block[12:16] = b"\x01\x02\x03\x04"
    block[18:20] = b"\x01\x04"
    descriptors = [(0xFF, serial.encode("ascii"))]
    if name is not None:
        descriptors.append((0xFC, name if isinstance(name, bytes) else name.encode("cp437")))
    for offset, (kind, content) in zip((72, 90), descriptors, strict=False):
        words = (content + b"\n").ljust(13)[:13]
        block[offset : offset + 18] = bytes((0, 0, 0, kind, 0)) + words
    block[127] = -sum(block) % 256
    return bytes(block)


@dataclass
class Connector:
    """A connector to give to `drm`: DRM's name without the card, its status, the monitor's name or whole EDID."""

    name: str
    status: str = "disconnected"
    monitor: str | None = None
    enabled: str | None = None
    edid: bytes | None = None


@dataclass
class Tree:
    """A file tree under `folder` that stands for `/`."""

    folder: Path
    for_lspci: bool = False
    """Whether to write what lspci needs besides and no reader of ours touches: config space, irq, modalias."""
    _devices: dict[str, str] = field(default_factory=dict)
    _cards: int = 0

    def file(self, path: str, content: str | bytes = "") -> Tree:
        """One file; text gets a final newline as sysfs gives it."""
        place = self.folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, str):
            content = (content + "\n" if content and not content.endswith("\n") else content).encode()
        place.write_bytes(content)
        return self

    def link(self, path: str, target: str) -> Tree:
        """A relative link at `path` to `target`; both are paths from the root of the tree."""
        place = self.folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(os.path.relpath(target, Path(path).parent))
        return self

    def folder_at(self, path: str) -> Tree:
        """An empty folder."""
        (self.folder / path).mkdir(parents=True, exist_ok=True)
        return self

    def place_of(self, address: str) -> str:
        """The real path of a device that was added: `sys/devices/pci0000:00/...`."""
        return self._devices[address]

    def pci(
        self,
        address: str,
        class_code: int,
        vendor: int,
        device: int,
        *,
        behind: str | None = None,
        driver: str | None = None,
        group: int | None = None,
        subsystem: tuple[int, int] | None = None,
        boot_vga: bool | None = None,
        bars: tuple[tuple[int, int], ...] | None = None,
        reset_methods: str | None = None,
        power_state: str | None = "D0",
        runtime_status: str | None = None,
        link: tuple[str, int, str, int] | None = None,
        sriov: tuple[int, int] | None = None,
        physfn: str | None = None,
        revision: int = 0,
        uevent: bool = True,
        attributes: bool = True,
        extra: dict[str, str | bytes] | None = None,
    ) -> Tree:
        """One function. `behind` is the bridge right above it, added before; `bars` are (size, flags) of `resource`."""
        root_bus = f"sys/devices/pci{address[:7]}"
        place = f"{self._devices[behind] if behind else root_bus}/{address}"
        self._devices[address] = place
        self.folder_at(place).link(f"sys/bus/pci/devices/{address}", place)
        sub_vendor, sub_device = subsystem or (0, 0)
        if uevent:
            lines = [f"DRIVER={driver}"] if driver else []
            lines += [
                f"PCI_CLASS={class_code:X}",
                f"PCI_ID={vendor:04X}:{device:04X}",
                f"PCI_SUBSYS_ID={sub_vendor:04X}:{sub_device:04X}",
                f"PCI_SLOT_NAME={address}",
            ]
            self.file(f"{place}/uevent", "\n".join(lines))
        facts: dict[str, str | bytes | None] = {
            "boot_vga": None if boot_vga is None else str(int(boot_vga)),
            "reset_method": reset_methods,
            "power_state": power_state,
            "power/runtime_status": runtime_status,
            "resource": None if bars is None else _resource(bars),
        }
        if attributes:
            facts |= {
                "class": f"0x{class_code:06x}",
                "vendor": f"0x{vendor:04x}",
                "device": f"0x{device:04x}",
                "subsystem_vendor": f"0x{sub_vendor:04x}",
                "subsystem_device": f"0x{sub_device:04x}",
                "revision": f"0x{revision:02x}",
            }
        if link:
            keys = ("current_link_speed", "current_link_width", "max_link_speed", "max_link_width")
            facts |= {key: str(value) for key, value in zip(keys, link, strict=True)}
        if sriov:
            facts |= {"sriov_totalvfs": str(sriov[0]), "sriov_numvfs": str(sriov[1])}
        for name, content in {**facts, **(extra or {})}.items():
            if content is not None:
                self.file(f"{place}/{name}", content)
        if self.for_lspci:
            self._lspci_files(place, class_code, vendor, device)
        self._hang(address, place, driver, group)
        if physfn:
            self._virtual_function(place, physfn)
        return self

    def _lspci_files(self, place: str, class_code: int, vendor: int, device: int) -> None:
        config = bytearray(256)
        config[0:4] = vendor.to_bytes(2, "little") + device.to_bytes(2, "little")
        config[9:12] = class_code.to_bytes(3, "little")
        self.file(f"{place}/config", bytes(config)).file(f"{place}/irq", "0")
        base, sub, interface = class_code >> 16, class_code >> 8 & 0xFF, class_code & 0xFF
        classes = f"bc{base:02X}sc{sub:02X}i{interface:02X}"
        self.file(f"{place}/modalias", f"pci:v{vendor:08X}d{device:08X}sv00000000sd00000000{classes}")
        if not (self.folder / place / "resource").exists():
            self.file(f"{place}/resource", _resource(()))

    def _hang(self, address: str, place: str, driver: str | None, group: int | None) -> None:
        if driver:
            self.folder_at(f"sys/bus/pci/drivers/{driver}").folder_at(f"sys/module/{driver.replace('-', '_')}")
            self.link(f"{place}/driver", f"sys/bus/pci/drivers/{driver}")
            self.link(f"sys/bus/pci/drivers/{driver}/{address}", place)
        if group is not None:
            self.folder_at(f"sys/kernel/iommu_groups/{group}/devices")
            self.link(f"{place}/iommu_group", f"sys/kernel/iommu_groups/{group}")
            self.link(f"sys/kernel/iommu_groups/{group}/devices/{address}", place)

    def _virtual_function(self, place: str, physfn: str) -> None:
        card = self._devices[physfn]
        number = sum(1 for entry in (self.folder / card).iterdir() if entry.name.startswith("virtfn"))
        self.link(f"{place}/physfn", card).link(f"{card}/virtfn{number}", place)

    def drm(
        self, address: str, connectors: tuple[Connector, ...] = (), *, render: bool = True, number: int | None = None
    ) -> Tree:
        """A DRM card on a function that was added; render nodes are numbered from 128 with the cards."""
        index = self._cards if number is None else number
        self._cards = index + 1
        place = self._devices[address]
        card = f"{place}/drm/card{index}"
        self.folder_at(card).link(f"{card}/device", place).link(f"sys/class/drm/card{index}", card)
        self.file(f"{card}/dev", f"226:{index}")
        if render:
            node = f"{place}/drm/renderD{128 + index}"
            self.folder_at(node).link(f"{node}/device", place).link(f"sys/class/drm/renderD{128 + index}", node)
            self.file(f"{node}/dev", f"226:{128 + index}")
        for connector in connectors:
            self._connector(card, index, connector)
        return self

    def _connector(self, card: str, index: int, connector: Connector) -> None:
        name = f"card{index}-{connector.name}"
        place = f"{card}/{name}"
        connected = connector.status == "connected"
        content = connector.edid if connector.edid is not None else (edid(connector.monitor) if connected else b"")
        self.file(f"{place}/status", connector.status).file(f"{place}/edid", content)
        self.file(f"{place}/enabled", connector.enabled or ("enabled" if connected else "disabled"))
        self.link(f"sys/class/drm/{name}", place)

    def sound(self, address: str, number: int) -> Tree:
        """A sound card on an HDA function."""
        place = f"{self._devices[address]}/sound/card{number}"
        return self.folder_at(place).link(f"{place}/device", self._devices[address])

    def start_partition(self, disk: str, number: int, mount: str, *, device: str, **said: str) -> Tree:
        """A partition of a disk that was added, mounted: `kind`, `uuid`, `inside`, `table`; "" leaves one out."""
        folder = os.path.relpath((self.folder / f"sys/class/block/{disk}").resolve(), self.folder)
        name = f"{disk}{'p' if disk[-1].isdigit() else ''}{number}"
        place = f"{folder}/{name}"
        self.file(f"{place}/partition", str(number)).file(f"{place}/dev", device)
        self.link(f"sys/class/block/{name}", place).link(f"sys/dev/block/{device}", place)
        self._udev_block(device, {"table": "gpt", **said})
        return self.mounted(mount, device, f"/dev/{name}", **said) if mount else self

    def volume(self, number: int, made_by: str, mount: str, *on: str, name: str = "root", **said: str) -> Tree:
        """A device-mapper volume (`CRYPT-LUKS2`, `LVM`) on other block devices, mounted if `mount` says where."""
        device = f"253:{number}"
        place = f"sys/devices/virtual/block/dm-{number}"
        self.file(f"{place}/dm/uuid", f"{made_by}-0a1b2c-{name}").file(f"{place}/dev", device)
        self.link(f"sys/class/block/dm-{number}", place).link(f"sys/dev/block/{device}", place)
        for below in on:
            real = os.path.relpath((self.folder / f"sys/class/block/{below}").resolve(), self.folder)
            self.link(f"{place}/slaves/{below}", real)
        self.link(f"dev/mapper/{name}", f"dev/dm-{number}")
        self._udev_block(device, {"table": "", **said})
        return self.mounted(mount, device, f"/dev/mapper/{name}", **said) if mount else self

    def mounted(self, mount: str, device: str, source: str, *, kind: str = "ext4", inside: str = "/", **_: str) -> Tree:
        """One more line of mountinfo. btrfs and what lies on no disk have numbers of their own."""
        before = self.folder / "proc/self/mountinfo"
        lines = before.read_text() if before.exists() else ""
        number = "0:31" if kind in ("btrfs", "zfs", "overlay") else device
        line = f"{30 + lines.count(chr(10))} 1 {number} {inside} {mount} rw,relatime - {kind} {source} rw\n"
        return self.file("proc/self/mountinfo", lines + line)

    def _udev_block(self, device: str, said: dict[str, str]) -> None:
        keys = {"ID_FS_UUID": said.get("uuid"), "ID_FS_TYPE": said.get("kind", "ext4")}
        keys["ID_PART_ENTRY_SCHEME"] = said.get("table")
        lines = [f"E:{key}={value}" for key, value in keys.items() if value]
        self.file(f"run/udev/data/b{device}", "\n".join(lines))

    def network(self, address: str, name: str) -> Tree:
        """A network interface on a function."""
        place = f"{self._devices[address]}/net/{name}"
        self.file(f"{place}/address", "52:54:00:12:34:56").link(f"{place}/device", self._devices[address])
        return self.link(f"sys/class/net/{name}", place)

    def disk(self, address: str, name: str, way: str = "nvme/nvme0") -> Tree:
        """A whole disk below a function; `way` is what stands between."""
        place = f"{self._devices[address]}/{way}/{name}"
        return self.file(f"{place}/size", "1000215216").link(f"sys/class/block/{name}", place)

    def keyboard(self, address: str, name: str, number: int = 0, *, handlers: str = "event0 kbd") -> Tree:
        """A USB keyboard (or, by its handlers, a mouse) below a controller."""
        usb = f"{self._devices[address]}/usb1/1-{number + 1}/1-{number + 1}:1.0"
        place = f"{usb}/0003:046D:C31C.000{number + 1}/input/input{number}"
        self.file(f"{place}/name", name).link(f"sys/class/input/input{number}", place)
        for handler in handlers.split():
            if handler.startswith(("event", "mouse")):
                self.folder_at(f"{place}/{handler}").link(f"sys/class/input/{handler}", f"{place}/{handler}")
        capabilities = "120013" if "kbd" in handlers.split() else "17"
        return self.file(f"{place}/capabilities/ev", capabilities)

    def iommu(self, *names: str) -> Tree:
        """IOMMUs as /sys/class/iommu lists them: dmar0, ivhd0, ...; none: the class exists and is empty."""
        self.folder_at("sys/class/iommu").folder_at("sys/kernel/iommu_groups")
        for name in names:
            self.folder_at(f"sys/devices/virtual/iommu/{name}")
            self.link(f"sys/class/iommu/{name}", f"sys/devices/virtual/iommu/{name}")
        return self

    def mdev_type(self, address: str, type_id: str, name: str, available: int, api: str = "vfio-pci") -> Tree:
        """One kind of mediated device that a function offers."""
        place = f"{self._devices[address]}/mdev_supported_types/{type_id}"
        self.file(f"{place}/name", name).file(f"{place}/available_instances", str(available))
        return self.file(f"{place}/device_api", api)

    def mdev(self, address: str, type_id: str, uuid: str) -> Tree:
        """A mediated device that exists."""
        place = f"{self._devices[address]}/{uuid}"
        self.folder_at(place).link(f"sys/bus/mdev/devices/{uuid}", place)
        return self.link(f"{place}/mdev_type", f"{self._devices[address]}/mdev_supported_types/{type_id}")

    def process(self, pid: int, name: str, *opens: str, maps: str = "") -> Tree:
        """A process with these files open."""
        self.file(f"proc/{pid}/comm", name).file(f"proc/{pid}/maps", maps).folder_at(f"proc/{pid}/fd")
        for number, target in enumerate(opens, start=3):
            (self.folder / f"proc/{pid}/fd/{number}").symlink_to(target)
        return self

    def kernel(
        self,
        release: str = "6.12.48-amd64",
        *,
        cmdline: str = "BOOT_IMAGE=/boot/vmlinuz root=UUID=0 ro quiet",
        config: str | None = None,
        modules: tuple[str, ...] = (),
        machine_id: str | None = "0123456789abcdef0123456789abcdef",
        boot_id: str = "3c1e1f0e-26b5-4b5b-8d0c-5b8f0f3d7a11",
    ) -> Tree:
        """What the running kernel says of itself; `config` is the text of /boot/config-RELEASE."""
        self.file("proc/sys/kernel/osrelease", release).file("proc/cmdline", cmdline)
        self.file("proc/sys/kernel/random/boot_id", boot_id)
        self.file("proc/modules", "\n".join(f"{name} 16384 0 - Live 0x0000000000000000" for name in modules))
        if machine_id is not None:
            self.file("etc/machine-id", machine_id)
        if config is not None:
            self.file(f"boot/config-{release}", config)
        return self

    def cpu(self, vendor: str = "AuthenticAMD", model: str = "AMD Ryzen 7 5800X", flags: str = "fpu svm") -> Tree:
        """/proc/cpuinfo of one processor."""
        lines = f"processor\t: 0\nvendor_id\t: {vendor}\nmodel name\t: {model}\nflags\t\t: {flags}\n"
        return self.file("proc/cpuinfo", lines)

    def dmi(self, vendor: str = "ASUS", product: str = "System Product Name") -> Tree:
        """What the firmware calls the machine."""
        return self.file("sys/class/dmi/id/sys_vendor", vendor).file("sys/class/dmi/id/product_name", product)

    def uefi(self, *, secure_boot: bool | None = False, lockdown: str = "[none] integrity confidentiality") -> Tree:
        """A machine started by UEFI firmware."""
        self.folder_at("sys/firmware/efi/efivars").file("sys/kernel/security/lockdown", lockdown)
        if secure_boot is not None:
            variable = "sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
            self.file(variable, b"\x06\x00\x00\x00" + bytes((secure_boot,)))
        return self

    def grub(self) -> Tree:
        """GRUB as Debian sets it up, with initramfs-tools."""
        self.file("etc/default/grub", 'GRUB_CMDLINE_LINUX_DEFAULT="quiet"')
        self.file("boot/grub/grub.cfg", GRUB_SIGNS)
        self.file("usr/sbin/update-grub").file("usr/sbin/update-initramfs")
        return self.file("etc/initramfs-tools/initramfs.conf", "MODULES=most")


def _resource(bars: tuple[tuple[int, int], ...]) -> str:
    lines = []
    start = 0xE0000000
    for index in range(7):
        size, flags = bars[index] if index < len(bars) else (0, 0)
        first, last = (start, start + size - 1) if size else (0, 0)
        start += size
        lines.append(f"0x{first:016x} 0x{last:016x} 0x{flags:016x}")
    return "\n".join(lines)
