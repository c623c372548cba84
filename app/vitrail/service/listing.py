# SPDX-License-Identifier: GPL-3.0-or-later
"""A machine from a text that somebody pasted: `scan --lspci FILE`, `-` for standard input."""

from __future__ import annotations

import sys
from pathlib import Path

from vitrail.model.errors import Unreadable
from vitrail.model.machine import Host
from vitrail.model.text import Text, text
from vitrail.probe.listing import host_from_listing
from vitrail.source.lspci_text import read_listing

_MAX_BYTES = 16 * 1024 * 1024


def host_from_listing_file(file: str) -> tuple[Host, tuple[Text, ...]]:
    """The host that the listing tells of, and what its reader should know of the text.

    Raises Unreadable where the file cannot be read or is no listing.
    """
    try:
        if file == "-":
            content = sys.stdin.buffer.read(_MAX_BYTES + 1)
        else:
            with Path(file).open("rb") as stream:
                content = stream.read(_MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        message = error.strerror or str(error) if isinstance(error, OSError) else str(error)
        raise Unreadable(text("service.listing.not-read", file=file, message=message)) from error
    if len(content) > _MAX_BYTES:
        raise Unreadable(text("service.listing.too-large", file=file))
    listing = read_listing(content.decode("utf-8", "replace"))
    return host_from_listing(listing), listing.notes
