# SPDX-License-Identifier: GPL-3.0-or-later
"""Which libvirt URIs are accepted, and whether one leads to this machine.

Some of libvirt's query keys name programs to run (`command`, `proxy`) or switch checks off (`no_verify`); an address
that someone pasted must not do that, so everything that is not known to be harmless is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from vitrail.model.errors import Unreadable
from vitrail.model.text import text

DEFAULT = "qemu:///system"
_SCHEMES = ("qemu", "test")
_TRANSPORTS = ("", "unix", "ssh", "tls")
_QUERY_KEYS = ("socket", "keyfile", "known_hosts")


@dataclass(frozen=True, slots=True)
class Address:
    """An accepted URI, as it was written; `local` where the daemon behind it runs on this machine."""

    uri: str
    local: bool


def read_uri(words: str) -> Address:
    """The address that these words spell. Raises Unreadable for a scheme, transport or query key that is not known."""
    try:
        parts = urlsplit(words)
        host, _port = parts.hostname, parts.port
        query = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
    except ValueError:
        raise _refused(words) from None
    scheme, _, transport = parts.scheme.partition("+")
    if scheme not in _SCHEMES or transport not in _TRANSPORTS or parts.fragment or not words.isprintable():
        raise _refused(words)
    if host is not None and host.startswith("-"):
        raise _refused(words)
    for key, value in query:
        if key not in _QUERY_KEYS or not value:
            raise Unreadable(
                text("service.uri.query", uri=words, key=key),
                text("service.uri.allowed-keys", keys=", ".join(_QUERY_KEYS)),
            )
    return Address(words, local=host is None and transport in ("", "unix"))


def is_session(uri: str) -> bool:
    """Whether the VMs behind this address run as the user, instead of as the system's own user for them."""
    return urlsplit(uri).path == "/session"


def _refused(words: str) -> Unreadable:
    return Unreadable(text("service.uri.unknown", uri=words), text("service.uri.examples"))
