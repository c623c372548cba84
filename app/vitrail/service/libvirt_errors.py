# SPDX-License-Identifier: GPL-3.0-or-later
"""What libvirt's errors mean to the user, and what to do next.

libvirt's numbers are used instead of its module's names, so this can be read without the library; its own message is
shown word for word as an argument.
"""

from __future__ import annotations

from errno import EACCES, ECONNREFUSED, ENOENT, EPERM
from typing import Any

from vitrail.model.errors import Unreachable
from vitrail.model.text import Text, text
from vitrail.service.uri import Address

# virErrorNumber, libvirt/virterror.h
SYSTEM_ERROR = 38
RPC = 39
NO_DOMAIN = 42
AUTH_FAILED = 45
INTERNAL_ERROR = 1
INVALID_CONN = 6
XML_INVALID_SCHEMA = 92
_DENIED = frozenset({29, AUTH_FAILED, 79, 88, 94})
_UNSUPPORTED = frozenset({3, 74, 84})

NOT_THERE = frozenset({"service.libvirt.not-running", "service.libvirt.no-binding", "service.libvirt.denied"})
"""What is said where this user has no libvirt at all, unlike one that fails or hangs."""


def message_of(error: Any) -> str:
    """Libvirt's own message."""
    return str(error.get_error_message() or error)


def is_unsupported(error: Any) -> bool:
    """Whether the driver does not know this call or flag."""
    return bool(error.get_error_code() in _UNSUPPORTED)


def is_schema(error: Any) -> bool:
    """Whether the text was refused because it breaks libvirt's schema."""
    return bool(error.get_error_code() == XML_INVALID_SCHEMA)


def cannot_open(address: Address, error: Any) -> Unreachable:
    """Why the connection could not be opened, with the next thing to do."""
    code = error.get_error_code()
    number = error.get_int1() if code == SYSTEM_ERROR else 0
    message = message_of(error)
    if not address.local:
        return Unreachable(
            text("service.libvirt.remote-failed", uri=address.uri, message=message), text("service.libvirt.try-virsh")
        )
    if code in _DENIED or number in (EACCES, EPERM):
        return Unreachable(
            text("service.libvirt.denied", uri=address.uri, message=message),
            text("service.libvirt.join-group"),
            text("service.libvirt.ask-polkit"),
        )
    if number in (ENOENT, ECONNREFUSED):
        return Unreachable(
            text("service.libvirt.not-running", uri=address.uri, message=message),
            text("service.libvirt.start-it"),
            text("service.libvirt.install-it"),
        )
    return Unreachable(
        text("service.libvirt.failed", uri=address.uri, message=message), text("service.libvirt.try-virsh")
    )


def failed(address: Address, error: Any) -> Unreachable:
    """A call on an open connection failed."""
    return Unreachable(
        text("service.libvirt.failed", uri=address.uri, message=message_of(error)), text("service.libvirt.try-virsh")
    )


def broken(address: Address, error: Any) -> Unreachable:
    """The connection broke twice in a row; `error` is libvirt's, None where there is none."""
    message = message_of(error) if hasattr(error, "get_error_message") else "-"
    return Unreachable(
        text("service.libvirt.failed", uri=address.uri, message=message), text("service.libvirt.try-virsh")
    )


def late(address: Address, seconds: float) -> Unreachable:
    """Nothing was heard for this long."""
    return Unreachable(
        text("service.libvirt.late", uri=address.uri, seconds=f"{seconds:g}"), text("service.libvirt.restart-it")
    )


def no_binding() -> Unreachable:
    """Python's libvirt module is not installed or does not load."""
    return Unreachable(text("service.libvirt.no-binding"), text("service.libvirt.install-binding"))


def late_reason(seconds: float) -> Text:
    """The reason of a fact that was not read in time."""
    return text("service.libvirt.late-fact", seconds=f"{seconds:g}")
