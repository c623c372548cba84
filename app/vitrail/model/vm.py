# SPDX-License-Identifier: GPL-3.0-or-later
"""A virtual machine as its domain XML tells it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from vitrail.model.mode import Mode
from vitrail.model.pci import PciAddress
from vitrail.model.reading import Reading
from vitrail.model.text import Text


class VmState(StrEnum):
    """libvirt's domain states, as far as they differ for us; `saved` is off with a managed save image."""

    RUNNING = "running"
    PAUSED = "paused"
    OFF = "off"
    SAVED = "saved"
    CRASHED = "crashed"
    SUSPENDED = "suspended"


@dataclass(frozen=True, slots=True)
class Hostdev:
    """A host device that the VM is given. `type` is libvirt's (`pci`, `mdev`, `usb`, ...)."""

    type: str
    pci: PciAddress | None = None
    mdev_uuid: str | None = None
    managed: bool = False
    display: bool = False
    """Whether it shows a picture through the VM's own graphics (`display='on'`), so it certainly is a GPU."""
    model: str | None = None
    readable: bool = True
    """False where its address could not be read: it can be kept, never judged."""


@dataclass(frozen=True, slots=True)
class Video:
    """One emulated display device: libvirt's model name, whether it renders in 3D (virgl), whether blob is on."""

    model: str
    accel3d: bool = False
    blob: bool = False
    primary: bool = False


@dataclass(frozen=True, slots=True)
class Graphics:
    """One way to see the emulated display. `gl` where `<gl enable='yes'>`; `listens`: where, None off the network."""

    type: str
    gl: bool = False
    render_node: str | None = None
    listens: str | None = None


@dataclass(frozen=True, slots=True)
class VmGraphics:
    """One thing that gives this VM a picture now: the mode (None: `other`), the card behind it, what is special."""

    mode: Mode | None
    gpu: PciAddress | None
    detail: Text


class GuestSystem(StrEnum):
    """What runs inside, from the libosinfo id in the metadata, else from Hyper-V enlightenments; never certain."""

    WINDOWS = "windows"
    LINUX = "linux"
    MACOS = "macos"
    BSD = "bsd"


@dataclass(frozen=True, slots=True)
class Vm:
    """The persistent definition of one domain, with its whole text.

    `uuid` is empty only for a document on disk that has none. `graphics` is what the VM shows with at its next start.
    """

    uuid: str
    name: str
    virt_type: str
    arch: str
    machine: str
    emulator: str | None
    uefi: bool | None
    memory_kib: int
    guest: Reading[GuestSystem]
    videos: tuple[Video, ...]
    screens: tuple[Graphics, ...]
    hostdevs: tuple[Hostdev, ...]
    looking_glass: bool
    shared_memory_backing: bool
    graphics: tuple[VmGraphics, ...]
    state: Reading[VmState]
    persistent: bool
    has_managed_save: Reading[bool]
    autostart: Reading[bool]
    text: str
    digest: str
    """SHA-256 of `text`, hexadecimal."""
