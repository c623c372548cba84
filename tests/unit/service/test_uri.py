# SPDX-License-Identifier: GPL-3.0-or-later
"""Which addresses are accepted."""

from __future__ import annotations

import pytest

from vitrail.model.errors import Unreadable
from vitrail.service.uri import read_uri


@pytest.mark.parametrize(
    ("words", "local"),
    [
        ("qemu:///system", True),
        ("qemu:///session", True),
        ("qemu+unix:///system?socket=/tmp/x/libvirt-sock", True),
        ("test:///default", True),
        ("qemu+ssh://user@host:22/system?keyfile=/home/u/key&known_hosts=/home/u/hosts", False),
        ("qemu+tls://host/system", False),
        ("qemu://host/system", False),
    ],
)
def test_known_forms_are_accepted_as_written(words: str, local: bool):
    address = read_uri(words)
    assert (address.uri, address.local) == (words, local)


@pytest.mark.parametrize(
    "words",
    [
        "",
        "system",
        "xen:///system",
        "esx://host",
        "qemu+ext:///system?command=/bin/sh",
        "qemu+libssh2://host/system",
        "qemu+tcp://host/system",
        "qemu:///system?command=/bin/sh",
        "qemu+ssh://host/system?no_verify=1",
        "qemu+ssh://host/system?proxy=netcat",
        "qemu+ssh://-oProxyCommand=sh/system",
        "qemu:///system?socket",
        "qemu:///system?socket=",
        "qemu:///system#part",
        "qemu:///system\n",
        "qemu+ssh://[::1/system",
        "qemu+ssh://host:port/system",
    ],
)
def test_everything_else_is_refused(words: str):
    with pytest.raises(Unreadable):
        read_uri(words)
