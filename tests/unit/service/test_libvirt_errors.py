# SPDX-License-Identifier: GPL-3.0-or-later
"""What is said when libvirt cannot be reached, by libvirt's own numbers."""

from __future__ import annotations

from dataclasses import dataclass
from errno import EACCES, ECONNREFUSED, ENOENT, ETIMEDOUT

import pytest

from vitrail.service.libvirt_errors import cannot_open
from vitrail.service.uri import read_uri


@dataclass
class Error:
    """The three questions that are asked of libvirt's error."""

    code: int
    number: int = 0

    def get_error_code(self) -> int:
        return self.code

    def get_int1(self) -> int:
        return self.number

    def get_error_message(self) -> str:
        return "libvirt's words"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (Error(38, ENOENT), "service.libvirt.not-running"),
        (Error(38, ECONNREFUSED), "service.libvirt.not-running"),
        (Error(38, EACCES), "service.libvirt.denied"),
        (Error(45), "service.libvirt.denied"),
        (Error(88), "service.libvirt.denied"),
        (Error(94), "service.libvirt.denied"),
        (Error(38, ETIMEDOUT), "service.libvirt.failed"),
        (Error(1), "service.libvirt.failed"),
    ],
)
def test_the_reason_here_is_told_apart_and_has_a_next_step(error: Error, said: str):
    told = cannot_open(read_uri("qemu:///system"), error)
    assert told.what.id == said
    assert told.next_steps
    assert dict(told.what.args)["message"] == "libvirt's words"


def test_another_computer_is_never_told_to_start_libvirt_here():
    told = cannot_open(read_uri("qemu+ssh://host/system"), Error(38, ENOENT))
    assert told.what.id == "service.libvirt.remote-failed"
