# SPDX-License-Identifier: GPL-3.0-or-later
"""`record`: this machine as a file, scrubbed. Joins what the machine's files say with what its libvirt says."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vitrail.model.errors import Refused, Unreachable
from vitrail.model.machine import Host, MachineKind
from vitrail.model.reading import Known, Reading, Unknown, known_or
from vitrail.model.text import Text, text
from vitrail.probe.host import read_host
from vitrail.probe.libvirt_read import (
    read_capabilities_text,
    read_domain_capabilities_text,
    read_node_device_texts,
)
from vitrail.service import libvirt_errors
from vitrail.service.deadlines import Beat
from vitrail.service.last_boots import last_boots
from vitrail.service.libvirt_session import Session, load_libvirt
from vitrail.service.libvirt_store import CAPABILITIES_SECONDS, LibvirtStore
from vitrail.service.stores import StoredDomain
from vitrail.service.uri import DEFAULT, read_uri
from vitrail.source.names import Names
from vitrail.source.nvml import Nvml, NvmlCard
from vitrail.source.root import FolderRoot
from vitrail.source.saving import DomainText, Draft, LibvirtTexts, plan_recording, save_recording
from vitrail.xmldoc.document import parse_domain

_KINDS_OF_VM = (("x86_64", "q35", "kvm"), ("x86_64", "pc", "kvm"), ("x86_64", "q35", "qemu"))
"""Asked for besides those of the VMs that are there, so that a recording without VMs can be planned on."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a new recording holds, and what could not be read for it: VMs, or this machine's libvirt altogether."""

    members: tuple[str, ...]
    left_out: tuple[Text, ...]


def record(file: str, connect: str | None = None) -> Recorded:
    """Save this machine to a new file. Raises Refused where something is there already."""
    draft, left_out = draft_recording(connect)
    return Recorded(tuple(path for path, _size in save_recording(draft, Path(file))), left_out)


def draft_recording(connect: str | None = None) -> tuple[Draft, tuple[Text, ...]]:
    """What a recording of this machine would hold and what it lacks: all VMs where this user has no libvirt.

    Raises Unreachable where libvirt is there and does not answer.
    """
    address = read_uri(connect if connect is not None else DEFAULT)
    if not address.local:
        raise Refused(text("service.record.elsewhere", uri=address.uri), text("service.record.run-there"))
    session = Session(address)
    texts: LibvirtTexts | None = None
    try:
        texts, left_out = _libvirt_texts(session)
    except Unreachable as error:
        if error.what.id not in libvirt_errors.NOT_THERE:
            raise
        left_out = (text("service.record.no-vms", reason=error.what),)
    finally:
        session.close()
    root = FolderRoot("/")
    unasked = Unknown(text("service.recording.not-recorded"))
    host = read_host(root, unasked, kind=MachineKind.REAL, names=Names(root), nvml=Nvml())
    boots = known_or(last_boots(), ())
    return plan_recording(root, texts, _names(host), _nvidia_cards(host), boots), left_out


def _nvidia_cards(host: Host) -> tuple[NvmlCard, ...]:
    """The cards whose memory only NVIDIA's library told, which a recording cannot ask."""
    return tuple(
        NvmlCard(gpu.address, gpu.device.name, gpu.vram_mib)
        for gpu in (host.gpus.value if isinstance(host.gpus, Known) else ())
        if isinstance(gpu.device.driver, Known) and gpu.device.driver.value == "nvidia"
    )


def _names(host: Host) -> dict[str, tuple[str, str]]:
    """The names of this machine's devices, so that the recording shows them where no table knows them."""
    named: dict[str, tuple[str, str]] = {}
    for device in host.devices.value if isinstance(host.devices, Known) else ():
        vendor, name, identity = device.vendor_name, device.name, device.identity
        if isinstance(vendor, Known) and isinstance(name, Known) and identity.vendor_id and identity.device_id:
            named[f"{identity.vendor_id:04x}:{identity.device_id:04x}"] = (vendor.value, name.value)
    return named


def _libvirt_texts(session: Session) -> tuple[LibvirtTexts, tuple[Text, ...]]:
    store = LibvirtStore(session)
    domains = store.list()
    libvirt = load_libvirt()
    kinds = {_kind_of(domain) for domain in domains} | {(None, *kind) for kind in _KINDS_OF_VM}

    def ask(connection: Any, beat: Beat) -> tuple[Reading[str], Reading[tuple[tuple[str, str], ...]]]:
        capabilities = read_capabilities_text(connection)
        beat()
        return capabilities, read_node_device_texts(connection)

    left_out = tuple(
        text("service.vm.not-read", vm=domain.name, reason=domain.text.reason)
        for domain in domains
        if isinstance(domain.text, Unknown)
    )
    known = tuple(_domain(domain, domain.text.value) for domain in domains if isinstance(domain.text, Known))
    try:
        capabilities, node_devices = session.read(ask, CAPABILITIES_SECONDS)
    except libvirt.libvirtError:
        return LibvirtTexts(domains=known), left_out
    told = (_capabilities(session, kind) for kind in sorted(kinds - {None}, key=str) if kind is not None)
    texts = LibvirtTexts(
        capabilities=capabilities.value if isinstance(capabilities, Known) else None,
        domain_capabilities=tuple(pair for pair in told if pair is not None),
        node_devices=node_devices.value if isinstance(node_devices, Known) else (),
        domains=known,
    )
    return texts, left_out


Kind = tuple[str | None, str, str, str]


def _kind_of(domain: StoredDomain) -> Kind | None:
    if isinstance(domain.text, Unknown):
        return None
    root = parse_domain(domain.text.value)
    kind = root.find("os", "type")
    if kind is None:
        return None
    emulator = root.value("devices", "emulator") or None
    return emulator, kind.get("arch") or "", kind.get("machine") or "", root.get("type") or ""


def _capabilities(session: Session, kind: Kind) -> tuple[str, str] | None:
    libvirt = load_libvirt()
    emulator, arch, machine, virt_type = kind
    try:
        words = session.read(
            lambda connection, _beat: read_domain_capabilities_text(connection, emulator, arch, machine, virt_type),
            CAPABILITIES_SECONDS,
        )
    except libvirt.libvirtError:
        return None
    return (f"{virt_type}-{arch}-{machine}", words.value) if isinstance(words, Known) else None


def _domain(domain: StoredDomain, words: str) -> DomainText:
    return DomainText(
        domain.name,
        domain.uuid,
        words,
        domain.state.value.value if isinstance(domain.state, Known) else None,
        domain.has_managed_save.value if isinstance(domain.has_managed_save, Known) else None,
        domain.autostart.value if isinstance(domain.autostart, Known) else None,
    )
