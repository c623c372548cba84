# SPDX-License-Identifier: GPL-3.0-or-later
"""What an open libvirt connection says of the daemon: versions, domain capabilities, node devices.

Separate because libvirt is spoken to in `service`, which hands the connection in and guards every call with a deadline;
here is only which calls are made and what their numbers mean. Domains are not read here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vitrail.model.capabilities import Daemon
from vitrail.model.reading import Known, Reading, Unknown
from vitrail.model.text import text

if TYPE_CHECKING:
    from collections.abc import Callable

_PCI_DEVICES = 1 << 1
_DRM = 1 << 12
_MDEV_TYPES = 1 << 13
_MDEV = 1 << 14
"""libvirt's VIR_CONNECT_LIST_NODE_DEVICES_CAP_*: fixed by its ABI, so the library need not be loaded for them."""


def read_daemon(connection: Any) -> Daemon:
    """The daemon behind this connection. Raises libvirt's error where the connection is broken."""
    return Daemon(
        uri=str(connection.getURI()),
        libvirt_version=_asked(connection, "getLibVersion", _version),
        hypervisor=_asked(connection, "getType", str),
        hypervisor_version=_asked(connection, "getVersion", _version),
    )


def read_domain_capabilities_text(
    connection: Any, emulator: str | None, arch: str, machine: str, virt_type: str
) -> Reading[str]:
    """The domain capabilities document for one kind of VM; libvirt fills in whatever is None or empty."""
    return _asked(
        connection,
        "getDomainCapabilities",
        str,
        emulator,
        arch or None,
        machine or None,
        virt_type or None,
        0,
    )


def read_capabilities_text(connection: Any) -> Reading[str]:
    """The host's capabilities document."""
    return _asked(connection, "getCapabilities", str)


def read_node_device_texts(connection: Any) -> Reading[tuple[tuple[str, str], ...]]:
    """Name and document of every PCI, DRM and mediated device that libvirt knows."""
    devices = _asked(connection, "listAllDevices", tuple, _PCI_DEVICES | _DRM | _MDEV_TYPES | _MDEV)
    if isinstance(devices, Unknown):
        return devices
    texts = []
    for device in devices.value:
        document = _asked(device, "XMLDesc", str, 0)
        # A device that went away between the two calls is no longer there to be described.
        if isinstance(document, Known):
            texts.append((str(device.name()), document.value))
    return Known(tuple(sorted(texts)), devices.source)


def _asked(thing: Any, call: str, made: Callable[[Any], Any], *arguments: Any) -> Reading[Any]:
    """One call; Unknown where this library or this daemon does not have it, or refuses."""
    import libvirt  # noqa: PLC0415 - loaded already by whoever opened the connection

    if not hasattr(thing, call):
        return Unknown(text("probe.libvirt.too-old", call=call))
    try:
        return Known(made(getattr(thing, call)(*arguments)), f"libvirt {call}")
    except libvirt.libvirtError as error:
        # A broken connection is no answer: its owner has to know and connect anew.
        if error.get_error_domain() in (libvirt.VIR_FROM_RPC, libvirt.VIR_FROM_REMOTE):
            raise
        return Unknown(text("probe.libvirt.refused", call=call, error=str(error)))


def _version(number: int) -> tuple[int, int, int]:
    """From libvirt's 1,000,000 * major + 1,000 * minor + release."""
    return (number // 1_000_000, number // 1_000 % 1_000, number % 1_000)
