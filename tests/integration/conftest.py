# SPDX-License-Identifier: GPL-3.0-or-later
"""A real libvirtd for each module, a raw connection to it that knows nothing of Vitrail, and a state folder a test."""

from __future__ import annotations

import uuid as uuids
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import libvirt
import pytest

from integration.private_libvirt import PrivateLibvirt

DOMAIN = """<domain type='qemu'>
  <name>{name}</name>
  <uuid>{uuid}</uuid>
  <memory unit='MiB'>64</memory>
  <vcpu>1</vcpu>
  <os><type arch='x86_64' machine='q35'>hvm</type></os>
  <devices>
    <graphics type='vnc' listen='127.0.0.1' passwd='canary-8'/>
    <video><model type='vga'/></video>
  </devices>
</domain>"""


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateLibvirt]:
    """Running, and ended with the module; its folder's path is short because a socket's name may not be long."""
    private = PrivateLibvirt(tmp_path_factory.mktemp("lv"))
    private.start()
    yield private
    private.stop()


@pytest.fixture
def raw(daemon: PrivateLibvirt) -> Iterator[Any]:
    """Libvirt itself, for what another program would do and see."""
    libvirt.registerErrorHandler(lambda _context, _error: None, None)
    connection = libvirt.open(daemon.uri)
    yield connection
    connection.close()


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state folder that this process and its children use."""
    folder = tmp_path / "state"
    monkeypatch.setenv("VITRAIL_STATE_DIR", str(folder))
    return folder


class Guest:
    """One domain, looked at and edited past Vitrail."""

    def __init__(self, raw: Any, name: str) -> None:
        self.name = name
        self.uuid = str(uuids.uuid4())
        self._raw = raw
        raw.defineXML(DOMAIN.format(name=name, uuid=self.uuid))

    @property
    def domain(self) -> Any:
        """Libvirt's own object."""
        return self._raw.lookupByUUIDString(self.uuid)

    def text(self) -> str:
        """The persistent definition with secrets."""
        return str(self.domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE | libvirt.VIR_DOMAIN_XML_SECURE))

    def edit(self, old: str, new: str) -> str:
        """What a user does in an editor; the text afterwards."""
        words = self.text()
        assert old in words
        self._raw.defineXML(words.replace(old, new))
        return self.text()


@pytest.fixture
def guest(raw: Any, request: pytest.FixtureRequest) -> Iterator[Guest]:
    """A defined, stopped domain with a VGA screen; gone after the test."""
    made = Guest(raw, f"g{abs(hash(request.node.nodeid)) % 10**8}")
    yield made
    try:
        domain = made.domain
    except libvirt.libvirtError:
        return
    if domain.isActive():
        domain.destroy()
    domain.undefine()
