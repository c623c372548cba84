# SPDX-License-Identifier: GPL-3.0-or-later
"""What the connected daemon and its QEMU can do: features are gated on this, never on a bundled library's version."""

from __future__ import annotations

from dataclasses import dataclass

from vitrail.model.reading import Reading


@dataclass(frozen=True, slots=True)
class Daemon:
    """The connected libvirt. Versions are (major, minor, release)."""

    uri: str
    libvirt_version: Reading[tuple[int, int, int]]
    hypervisor: Reading[str]
    hypervisor_version: Reading[tuple[int, int, int]]


@dataclass(frozen=True, slots=True)
class DomainCapabilities:
    """libvirt's domain capabilities for one emulator, architecture, machine type and virtualisation type.

    Names are libvirt's enum values. An enum that the document lacks is `Unknown`: older daemons do not list it. Note
    that domain capabilities say nothing of 3D acceleration or blob (libvirt 12.8): defining is what tells.
    """

    arch: str
    machine: str
    virt_type: str
    video_models: Reading[tuple[str, ...]]
    graphics_types: Reading[tuple[str, ...]]
    pci_backends: Reading[tuple[str, ...]]
    """`hostdev/enum[pciBackend]`; read and empty means that VFIO is not usable now."""
