# SPDX-License-Identifier: GPL-3.0-or-later
"""The domains of a recorded machine. The recording stays as it is; what is changed lies beside it, in the state folder.

It behaves like libvirt as far as it matters: a domain keeps its UUID, what is no domain is not taken, and what is not
defined any more is gone. It adds and normalises nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from vitrail.model.capabilities import Daemon
from vitrail.model.errors import Unreachable, Unreadable
from vitrail.model.reading import Known, Reading, Unknown
from vitrail.model.text import Text, text
from vitrail.model.vm import VmState
from vitrail.service.happening import Happening
from vitrail.service.recorded_domains import RecordedDomain, recorded_domains
from vitrail.service.simulated_files import simulation_of
from vitrail.service.state import StateFolder, write_private
from vitrail.service.stores import DefineRefused, StoredDomain
from vitrail.source.documents import DocumentKind
from vitrail.source.recording import Recording

_NOT_RECORDED = Unknown(text("service.recording.not-recorded"))
_MAX_BYTES = 1024 * 1024


class RecordingStore:
    """Lists and reads recorded domains, and those that were changed since in this state folder."""

    def __init__(self, recording: Recording, state: StateFolder, connection: str) -> None:
        self._recording = recording
        self._state = state
        self._connection = connection
        self._copy = (*simulation_of(connection), "domains")

    def list(self) -> tuple[StoredDomain, ...]:
        if not self._recording.tells_vms:
            raise Unreachable(text("service.recording.no-libvirt"), text("service.recording.record-again"))
        found = [self._stored(domain) for domain in recorded_domains(self._recording)]
        return tuple(sorted(found, key=lambda domain: (domain.name, domain.uuid)))

    def read(self, uuid: str) -> StoredDomain | None:
        return next((domain for domain in self.list() if domain.uuid == uuid), None)

    def _stored(self, domain: RecordedDomain) -> StoredDomain:
        changed = self._changed(domain.uuid) if domain.uuid else None
        facts = self._recording.domains.get(domain.uuid) or self._recording.domains.get(domain.name) or {}
        return StoredDomain(
            domain.uuid,
            domain.name,
            changed or domain.text,
            _state_in(facts, domain),
            persistent=True,
            has_managed_save=_flag_in(facts, "managed_save"),
            autostart=_flag_in(facts, "autostart"),
        )

    def _path(self, uuid: str) -> Path:
        return self._state.path.joinpath(*self._copy, f"{uuid}.xml")

    def _changed(self, uuid: str) -> Reading[str] | None:
        path = self._path(uuid)
        try:
            return Known(path.read_bytes().decode("utf-8", "surrogateescape"), str(path))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._state.unusable(error) from error

    def running_text(self, uuid: str) -> Reading[str]:
        del uuid
        return _NOT_RECORDED

    def define(self, uuid: str, words: str, *, strict: bool) -> None:  # noqa: ARG002 - there is no schema here
        content = words.encode("utf-8", "surrogateescape")
        identity = _identity(Known(words, ""))
        if identity is None or len(content) > _MAX_BYTES:
            raise DefineRefused(text("service.recording.no-domain"))
        if identity[0] != uuid:
            raise DefineRefused(text("service.recording.other-uuid", uuid=identity[0]))
        try:
            self._state.folder(*self._copy)
            write_private(self._path(uuid), content)
        except OSError as error:
            raise self._state.unusable(error) from error

    def where(self, uuid: str) -> str:
        path = self._path(uuid)
        return str(path) if path.exists() else f"{self._connection} libvirt/domains {uuid}"

    def by_hand(self, file: Path) -> Text:
        return text("service.undo.by-hand-recording", path=str(file))

    def daemon(self) -> Reading[Daemon]:
        return _NOT_RECORDED

    def capabilities(self, emulator: str | None, arch: str, machine: str, virt_type: str) -> Reading[str]:
        """The recorded document for this kind of VM, else of another version of its machine type, else the only one."""
        from vitrail.xmldoc.capabilities import read_domain_capabilities  # noqa: PLC0415 - lxml, only with VMs

        del emulator
        trouble: Reading[str] = _NOT_RECORDED
        near: Reading[str] | None = None
        files = self._recording.documents(DocumentKind.DOMAIN_CAPABILITIES)
        for file in files:
            try:
                words = self._recording.document(file)
                told = read_domain_capabilities(words)
            except Unreadable as error:
                trouble = Unknown(error.what)
                continue
            fits = (told.arch, told.virt_type) == (arch, virt_type) and _family(told.machine) == _family(machine)
            if fits or (len(files) == 1 and told.arch in ("", arch)):
                near = Known(words, f"{self._connection} {file}")
                if told.machine == machine:
                    break
        return near or trouble

    def begin(self) -> None:
        return

    def watch(self, callback: Callable[[Happening], None]) -> None:
        del callback

    def close(self) -> None:
        return


def _identity(words: Reading[str]) -> tuple[str, str] | None:
    """UUID and name of a domain's text, None where it is not one."""
    if isinstance(words, Unknown):
        return None
    from vitrail.xmldoc.document import parse_domain  # noqa: PLC0415 - lxml, only where there is a VM

    try:
        root = parse_domain(words.value)
    except Unreadable:
        return None
    return root.value("uuid").lower(), root.value("name")


def _family(machine: str) -> str:
    """`q35` for pc-q35-9.2 and its alias; `pc` for pc-i440fx-9.2 and its; else what stands before the version."""
    if "q35" in machine:
        return "q35"
    return machine.partition("-")[0]


def _state_in(facts: Mapping[str, Any], domain: RecordedDomain) -> Reading[VmState]:
    if "state" not in facts:
        return Known(VmState.RUNNING if domain.was_running else VmState.OFF, f"{domain.file} domain/@id")
    state = next((one for one in VmState if one.value == facts["state"]), None)
    return _NOT_RECORDED if state is None else Known(state, "libvirt/domains.toml")


def _flag_in(facts: Mapping[str, Any], key: str) -> Reading[bool]:
    told = facts.get(key)
    return Known(told, "libvirt/domains.toml") if isinstance(told, bool) else _NOT_RECORDED
