# SPDX-License-Identifier: GPL-3.0-or-later
"""What a connection says of its daemon, asked of libvirt's own test driver."""

from __future__ import annotations

import libvirt
import pytest

from vitrail.model.reading import Known, Unknown
from vitrail.probe.libvirt_read import (
    read_capabilities_text,
    read_daemon,
    read_domain_capabilities_text,
    read_node_device_texts,
)


@pytest.fixture
def connection():
    # libvirt prints every error of its own accord unless someone listens.
    libvirt.registerErrorHandler(lambda _context, _error: None, None)
    opened = libvirt.open("test:///default")
    yield opened
    opened.close()


def test_versions_are_three_numbers(connection):
    daemon = read_daemon(connection)
    assert daemon.uri == "test:///default"
    assert daemon.hypervisor == Known("TEST", "libvirt getType")
    assert isinstance(daemon.libvirt_version, Known)
    assert len(daemon.libvirt_version.value) == 3


def test_documents_are_handed_over_as_texts(connection):
    capabilities = read_capabilities_text(connection)
    assert isinstance(capabilities, Known)
    assert "<capabilities>" in capabilities.value
    assert isinstance(read_node_device_texts(connection), Known)


def test_what_the_driver_refuses_is_unknown(connection):
    answer = read_domain_capabilities_text(connection, "/no/emulator", "no-arch", "no-machine", "kvm")
    assert isinstance(answer, Unknown)


def test_a_library_without_the_call_is_unknown():
    class Old:
        """A connection of an old library."""

        def getURI(self) -> str:  # noqa: N802 - libvirt's name
            return "qemu:///system"

    daemon = read_daemon(Old())
    assert isinstance(daemon.hypervisor, Unknown)
    assert daemon.hypervisor.reason.id == "probe.libvirt.too-old"


def test_a_broken_connection_is_not_an_answer():
    class Broken:
        """A connection whose daemon went away."""

        def getURI(self) -> str:  # noqa: N802 - libvirt's name
            return "qemu:///system"

        def getType(self) -> str:  # noqa: N802 - likewise
            raise error

    class Gone(libvirt.libvirtError):
        """libvirt's error as the remote driver raises it."""

        def get_error_domain(self) -> int:
            return libvirt.VIR_FROM_RPC

    error = Gone("gone")
    with pytest.raises(libvirt.libvirtError):
        read_daemon(Broken())
