# SPDX-License-Identifier: GPL-3.0-or-later
"""The domains of a libvirt daemon."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

from vitrail.model.capabilities import Daemon
from vitrail.model.errors import Unreachable
from vitrail.model.reading import Known, Reading, Unknown
from vitrail.model.text import Text, text
from vitrail.model.vm import VmState
from vitrail.service import libvirt_errors
from vitrail.service.deadlines import Beat
from vitrail.service.happening import Happening
from vitrail.service.libvirt_session import BrokenError, Session, load_libvirt
from vitrail.service.stores import DefineRefused, DefineUnknown, StoredDomain

# virDomainState, libvirt/libvirt-domain.h
_STATES = {
    1: VmState.RUNNING,
    2: VmState.RUNNING,
    3: VmState.PAUSED,
    4: VmState.RUNNING,
    5: VmState.OFF,
    6: VmState.CRASHED,
    7: VmState.SUSPENDED,
}
_XML_CALL = "virDomainGetXMLDesc(INACTIVE|SECURE)"
_LIVE_CALL = "virDomainGetXMLDesc(0)"
_DEFINE_SECONDS = 20.0
CAPABILITIES_SECONDS = 30.0
"""The first time, libvirt starts every QEMU that it finds and asks it."""


class LibvirtStore:
    """Lists, reads and defines through one session."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._uri = session.address.uri

    @property
    def session(self) -> Session:
        """The connection, for other questions than those about definitions."""
        return self._session

    def begin(self) -> None:
        self._session.begin()

    def list(self) -> tuple[StoredDomain, ...]:
        libvirt = load_libvirt()
        try:
            found = self._session.read(lambda connection, beat: _list(libvirt, connection, beat, self._uri))
        except libvirt.libvirtError as error:
            raise libvirt_errors.failed(self._session.address, error) from error
        return tuple(sorted(found, key=lambda domain: (domain.name, domain.uuid)))

    def read(self, uuid: str) -> StoredDomain | None:
        libvirt = load_libvirt()

        def look(connection: Any, beat: Beat) -> StoredDomain | None:
            try:
                domain = connection.lookupByUUIDString(uuid)
                return _stored(libvirt, domain, beat, self._uri)
            except libvirt.libvirtError as error:
                if error.get_error_code() == libvirt_errors.NO_DOMAIN:
                    return None
                raise

        try:
            return self._session.read(look)
        except libvirt.libvirtError as error:
            raise libvirt_errors.failed(self._session.address, error) from error

    def running_text(self, uuid: str) -> Reading[str]:
        libvirt = load_libvirt()
        try:
            words = self._session.read(lambda connection, _beat: connection.lookupByUUIDString(uuid).XMLDesc(0))
        except libvirt.libvirtError as error:
            return Unknown(libvirt_errors.failed(self._session.address, error).what)
        return Known(words, f"{self._uri} {_LIVE_CALL} {uuid}")

    def define(self, uuid: str, words: str, *, strict: bool) -> None:
        libvirt = load_libvirt()
        flags = libvirt.VIR_DOMAIN_DEFINE_VALIDATE if strict else 0
        try:
            self._session.write(lambda connection, _beat: _define(connection, words, flags), _DEFINE_SECONDS)
        except BrokenError as error:
            raise DefineUnknown from error
        except libvirt.libvirtError as error:
            if flags and libvirt_errors.is_unsupported(error):
                self.define(uuid, words, strict=False)
                return
            raise DefineRefused(libvirt_errors.message_of(error), schema=libvirt_errors.is_schema(error)) from error

    def where(self, uuid: str) -> str:
        return f"{self._uri} {_XML_CALL} {uuid}"

    def by_hand(self, file: Path) -> Text:
        command = f"virsh -c {shlex.quote(self._uri)} define {shlex.quote(str(file))}"
        return text("service.undo.by-hand", command=command)

    def daemon(self) -> Reading[Daemon]:
        from vitrail.probe.libvirt_read import read_daemon  # noqa: PLC0415 - most commands never ask

        libvirt = load_libvirt()
        try:
            return Known(self._session.read(lambda connection, _beat: read_daemon(connection)), self._uri)
        except libvirt.libvirtError as error:
            return Unknown(libvirt_errors.failed(self._session.address, error).what)
        except Unreachable as error:
            return Unknown(error.what)

    def capabilities(self, emulator: str | None, arch: str, machine: str, virt_type: str) -> Reading[str]:
        from vitrail.probe.libvirt_read import read_domain_capabilities_text  # noqa: PLC0415 - likewise

        libvirt = load_libvirt()
        try:
            words = self._session.read(
                lambda connection, _beat: read_domain_capabilities_text(connection, emulator, arch, machine, virt_type),
                CAPABILITIES_SECONDS,
            )
        except libvirt.libvirtError as error:
            return Unknown(libvirt_errors.failed(self._session.address, error).what)
        except Unreachable as error:
            return Unknown(error.what)
        return words if isinstance(words, (Known, Unknown)) else Known(words, f"{self._uri} domain capabilities")

    def watch(self, callback: Callable[[Happening], None]) -> None:
        # Without the library there is nothing to hear, and every reading says so already.
        with contextlib.suppress(Unreachable):
            self._session.watch(callback)

    def close(self) -> None:
        self._session.close()


def _define(connection: Any, words: str, flags: int) -> None:
    # The domain that libvirt returns holds the connection, which must not leave the worker.
    connection.defineXMLFlags(words, flags)


def _list(libvirt: Any, connection: Any, beat: Beat, uri: str) -> list[StoredDomain]:
    def uuids(flag: int) -> frozenset[str]:
        beat()
        return frozenset(domain.UUIDString() for domain in connection.listAllDomains(flag))

    everything = connection.listAllDomains(0)
    transient = uuids(libvirt.VIR_CONNECT_LIST_DOMAINS_TRANSIENT)
    saved = uuids(libvirt.VIR_CONNECT_LIST_DOMAINS_MANAGEDSAVE)
    autostarted = uuids(libvirt.VIR_CONNECT_LIST_DOMAINS_AUTOSTART)
    running = uuids(libvirt.VIR_CONNECT_LIST_DOMAINS_RUNNING)
    off = uuids(libvirt.VIR_CONNECT_LIST_DOMAINS_SHUTOFF)
    # Said once and shared: a thousand domains have a thousand times the same.
    states = {state: Known(state, f"{uri} virDomainGetState") for state in VmState}
    saves = {flag: Known(flag, f"{uri} virDomainHasManagedSaveImage") for flag in (False, True)}
    starts = {flag: Known(flag, f"{uri} virDomainGetAutostart") for flag in (False, True)}
    found: list[StoredDomain] = []
    for domain in everything:
        uuid = domain.UUIDString()
        words = _text(libvirt, domain, beat, uri)
        if words is None:
            continue
        if uuid in off:
            state = VmState.SAVED if uuid in saved else VmState.OFF
        else:
            state = VmState.RUNNING if uuid in running else _STATES.get(domain.state()[0], VmState.RUNNING)
        found.append(
            StoredDomain(
                uuid,
                domain.name(),
                words,
                states[state],
                uuid not in transient,
                saves[uuid in saved],
                starts[uuid in autostarted],
            )
        )
    return found


def _text(libvirt: Any, domain: Any, beat: Beat, uri: str) -> Reading[str] | None:
    """The persistent definition, None where the domain vanished since it was listed."""
    try:
        words = domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE | libvirt.VIR_DOMAIN_XML_SECURE)
    except libvirt.libvirtError as error:
        if error.get_error_code() == libvirt_errors.NO_DOMAIN:
            return None
        if not domain.connect().isAlive():
            raise
        return Unknown(text("service.vm.text-denied", message=libvirt_errors.message_of(error)))
    finally:
        beat()
    return Known(words, f"{uri} {_XML_CALL} {domain.UUIDString()}")


def _stored(libvirt: Any, domain: Any, beat: Beat, uri: str) -> StoredDomain | None:
    words = _text(libvirt, domain, beat, uri)
    if words is None:
        return None
    state = _STATES.get(domain.state()[0], VmState.RUNNING)
    saved = bool(domain.hasManagedSaveImage())
    if saved and state is VmState.OFF:
        state = VmState.SAVED
    return StoredDomain(
        domain.UUIDString(),
        domain.name(),
        words,
        Known(state, f"{uri} virDomainGetState"),
        bool(domain.isPersistent()),
        Known(saved, f"{uri} virDomainHasManagedSaveImage"),
        Known(bool(domain.autostart()), f"{uri} virDomainGetAutostart"),
    )
