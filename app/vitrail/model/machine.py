# SPDX-License-Identifier: GPL-3.0-or-later
"""The machine as it was read: devices, cards, groups, firmware, boot, and the VMs on it.

Sizes are MiB, links are GT/s and lanes. Whatever a reader may fail to read is a `Reading`; whatever it cannot fail to
know (a device's address) is plain. A later look at the machine is a new `Host`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from vitrail.model.boot import Boot
from vitrail.model.pci import DeviceIdentity, PciAddress, PciClass
from vitrail.model.reading import Known, Reading
from vitrail.model.vm import Vm

_MARKETED = re.compile(r"\[([^\]]+)\]\s*$")


@dataclass(frozen=True, slots=True)
class PciDevice:
    """One PCI function. `driver` Known(None) means that no driver is bound."""

    identity: DeviceIdentity
    pci_class: PciClass
    vendor_name: Reading[str]
    name: Reading[str]
    driver: Reading[str | None]
    group: Reading[int | None]
    parent: PciAddress | None = None
    """The bridge that it sits behind, None on a root bus or where the source does not tell."""
    physical_function: PciAddress | None = None
    """The SR-IOV card whose virtual function this is."""

    @property
    def address(self) -> PciAddress:
        """Where it sits."""
        return self.identity.address

    @property
    def common_name(self) -> str | None:
        """The name that people know, None where none was read.

        Of a card that is what the PCI id database has in brackets: `AD104 [GeForce RTX 4070]`.
        """
        if not isinstance(self.name, Known) or not self.name.value:
            return None
        marketed = _MARKETED.search(self.name.value) if self.pci_class.is_display else None
        return marketed.group(1) if marketed else self.name.value


class Connection(StrEnum):
    """What the kernel says of a connector's `status`."""

    CONNECTED = "connected"
    DISCONNECTED = "disconnected"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Output:
    """A connector of a card, by DRM's name (`DP-1`); `display` is the monitor's own name from its EDID."""

    connector: str
    status: Reading[Connection]
    display: Reading[str | None]
    enabled: Reading[bool]


class HolderKind(StrEnum):
    """Who can keep a card from leaving."""

    PROCESS = "process"
    VM = "vm"
    DRIVER = "driver"


@dataclass(frozen=True, slots=True)
class Holder:
    """One user of a card: a process (pid), a running VM (uuid), or a kernel driver that other things hang on."""

    kind: HolderKind
    name: str
    pid: int | None = None
    uuid: str | None = None


@dataclass(frozen=True, slots=True)
class Holders:
    """Who uses a card, and how many processes could not be looked into (then the list may be incomplete)."""

    seen: tuple[Holder, ...]
    processes_not_seen: int


@dataclass(frozen=True, slots=True)
class Bar:
    """A memory or I/O window of a card: index 0 to 5, 6 for the ROM; size in bytes."""

    index: int
    size_bytes: int
    prefetchable: bool


@dataclass(frozen=True, slots=True)
class Link:
    """The PCIe link as negotiated now and at best; idle cards lower it, which is normal."""

    speed_now: str
    width_now: int
    speed_best: str
    width_best: int


@dataclass(frozen=True, slots=True)
class SriovCapability:
    """How many virtual functions a card can have and has. Present does not mean that it shares graphics."""

    total: int
    active: int
    functions: tuple[PciAddress, ...]


@dataclass(frozen=True, slots=True)
class MdevType:
    """One kind of mediated device that a card offers: its id, its name, how many more can be made."""

    id: str
    name: str
    available: int
    device_api: str


@dataclass(frozen=True, slots=True)
class MediatedDevice:
    """A mediated device that exists: its UUID, its type, the card it is cut from."""

    uuid: str
    type_id: str
    parent: PciAddress


@dataclass(frozen=True, slots=True)
class Gpu:
    """A display-class function with everything that decides whether a VM can have it."""

    device: PciDevice
    functions: tuple[PciDevice, ...]
    """All functions of its slot, itself first: graphics, sound, USB, power."""
    boot_vga: Reading[bool]
    vram_mib: Reading[int | None]
    outputs: Reading[tuple[Output, ...]]
    render_node: Reading[str | None]
    reset_methods: Reading[tuple[str, ...]]
    holders: Reading[Holders]
    bars: Reading[tuple[Bar, ...]]
    link: Reading[Link | None]
    power_state: Reading[str]
    sriov: Reading[SriovCapability | None]
    mdev_types: Reading[tuple[MdevType, ...]]

    @property
    def address(self) -> PciAddress:
        """Where it sits."""
        return self.device.address


@dataclass(frozen=True, slots=True)
class IommuGroup:
    """What the IOMMU cannot keep apart: it goes to a VM together or not at all."""

    number: int
    members: tuple[PciDevice, ...]
    silent: tuple[PciAddress, ...] = ()
    """Members that the kernel names but that could not be read: such a group cannot be called isolated."""


class IommuKind(StrEnum):
    """Whose IOMMU it is, by the names in /sys/class/iommu."""

    INTEL = "intel"
    AMD = "amd"
    ARM = "arm"
    VIRTIO = "virtio"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Iommu:
    """Whether translation is on, judged from sysfs and never from the command line."""

    active: Reading[bool]
    kind: Reading[IommuKind | None]
    offered: Reading[IommuKind | None]
    """What the firmware describes to the kernel, in use or not; None: nothing, so no argument can switch it on."""


class CpuVendor(StrEnum):
    """Whose processor: decides which IOMMU the machine has."""

    INTEL = "intel"
    AMD = "amd"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Cpu:
    """The processor as far as VMs care."""

    vendor: Reading[CpuVendor]
    model: Reading[str]
    virtualization: Reading[bool]


@dataclass(frozen=True, slots=True)
class KernelConfig:
    """Build-time defaults that decide whether an argument is needed (None: the option is not set)."""

    intel_iommu_default_on: Reading[str | None]
    """`on`, `except-integrated`, `off`: from INTEL_IOMMU_DEFAULT_ON and _ON_INTGPU_OFF."""


class MachineKind(StrEnum):
    """Where the facts come from; the four may never look alike."""

    REAL = "real"
    RECORDING = "recording"
    DEMO = "demo"
    LISTING = "listing"
    REMOTE = "remote"


@dataclass(frozen=True, slots=True)
class Host:
    """One look at the machine. `digest` covers only what judge and plan use: no times, pids, load or power state."""

    kind: MachineKind
    kernel: Reading[str]
    machine_id_hash: Reading[str]
    boot_id: Reading[str]
    cmdline: Reading[str]
    virtual: Reading[str | None]
    """Which hypervisor this machine itself runs in, Known(None) on bare metal."""
    cpu: Cpu
    iommu: Iommu
    boot: Boot
    config: KernelConfig
    modules: Reading[tuple[str, ...]]
    kvm: Reading[bool]
    devices: Reading[tuple[PciDevice, ...]]
    gpus: Reading[tuple[Gpu, ...]]
    groups: Reading[tuple[IommuGroup, ...]]
    mediated_devices: Reading[tuple[MediatedDevice, ...]]
    network_cards: Reading[tuple[tuple[PciAddress, str], ...]]
    """PCI functions that carry a network interface, with the interface's name."""
    disk_controllers: Reading[tuple[tuple[PciAddress, str], ...]]
    """PCI functions that carry a block device, with the disk's name."""
    input_controllers: Reading[tuple[tuple[PciAddress, str], ...]]
    """PCI functions (USB controllers mostly) that carry a keyboard or mouse, with the device's name."""
    vms: Reading[tuple[Vm, ...]]
    read_at: float
    digest: str

    def gpu_at(self, address: PciAddress) -> Gpu | None:
        """The card at this address, None where there is none or nothing was read."""
        cards = self.gpus.value if isinstance(self.gpus, Known) else ()
        return next((gpu for gpu in cards if gpu.address == address), None)

    def device_at(self, address: PciAddress) -> PciDevice | None:
        """The function at this address, whatever its class."""
        devices = self.devices.value if isinstance(self.devices, Known) else ()
        return next((device for device in devices if device.address == address), None)

    def group_of(self, device: PciDevice) -> IommuGroup | None:
        """The group that this function is in, None where there is none or nothing was read."""
        if not isinstance(device.group, Known) or not isinstance(self.groups, Known):
            return None
        return next((group for group in self.groups.value if group.number == device.group.value), None)
