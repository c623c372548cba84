# SPDX-License-Identifier: GPL-3.0-or-later
"""The wire form gives back what went in, and refuses everything else whole."""

from __future__ import annotations

import json

import pytest

from vitrail.model.choice import Choice, Passthrough, Virgl, Virtio
from vitrail.model.journal import Line, RunEnded, RunStarted, StepStarted
from vitrail.model.pci import PciAddress
from vitrail.model.text import Secret
from vitrail.model.wire import WireError, canonical, digest, from_wire, to_wire

CARD = PciAddress.parse("01:00.0")
LINES = (
    RunStarted(1, "r", "0" * 16, "qemu:///system", 1.5, "u", "vm", Passthrough(CARD, "drop", hide_kvm=True)),
    RunStarted(1, "r", "0" * 16, "qemu:///system", 2.0, "u", "vm", Virgl(None)),
    StepStarted(0, "edit-vm", "vm", "a", "b"),
    RunEnded("applied", 3.0),
)


@pytest.mark.parametrize("line", LINES)
def test_a_line_survives_the_wire(line: object) -> None:
    assert from_wire(Line, json.loads(json.dumps(to_wire(line)))) == line


@pytest.mark.parametrize(
    "data",
    [
        {"class": "Virtio"},
        {"class": "Virtio", "screen": "keep", "more": 1},
        {"class": "Virtio", "screen": 1},
        {"class": "Vertio", "screen": "keep"},
        {"screen": "keep"},
        [],
        "Virtio",
        None,
    ],
)
def test_a_choice_with_anything_off_is_refused(data: object) -> None:
    with pytest.raises(WireError):
        from_wire(Choice, data)


def test_a_number_is_no_truth() -> None:
    data = to_wire(Passthrough(CARD)) | {"hide_kvm": 0}
    with pytest.raises(WireError):
        from_wire(Choice, data)


def test_equal_values_have_one_digest() -> None:
    assert digest(Virtio("vnc")) == digest(Virtio("vnc")) != digest(Virtio("spice"))


def test_canonical_text_is_plain_json() -> None:
    assert json.loads(canonical(Virtio())) == {"class": "Virtio", "screen": "keep"}


def test_a_secret_has_no_wire_form_and_no_print() -> None:
    secret = Secret("hunter2")
    assert "hunter2" not in f"{secret!r} {secret}"
    with pytest.raises(WireError):
        to_wire(secret)
