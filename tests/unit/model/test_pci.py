# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses and class codes are read strictly and printed one way."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vitrail.model.pci import PciAddress, PciClass

addresses = st.builds(
    PciAddress,
    domain=st.integers(0, 0xFFFFFFFF),
    bus=st.integers(0, 0xFF),
    slot=st.integers(0, 0x1F),
    function=st.integers(0, 7),
)


@given(addresses)
def test_an_address_survives_its_text(address: PciAddress) -> None:
    assert PciAddress.parse(str(address)) == address


def test_a_short_address_is_in_domain_zero() -> None:
    assert PciAddress.parse("0a:1f.7") == PciAddress(0, 0x0A, 0x1F, 7)


@pytest.mark.parametrize(
    "words", ["", "1:00.0", "01:00", "01:00.8", "01:20.0", "01:00.0 VGA", "0000:01:00.0;x", "../01:00.0"]
)
def test_anything_else_is_no_address(words: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the message is the input
        PciAddress.parse(words)


def test_functions_of_a_slot_share_its_key() -> None:
    assert PciAddress.parse("01:00.0").slot_key == PciAddress.parse("01:00.1").slot_key


@pytest.mark.parametrize(("code", "display"), [(0x030000, True), (0x030200, True), (0x038000, True), (0x040300, False)])
def test_only_the_class_makes_a_gpu(code: int, display: bool) -> None:
    assert PciClass(code).is_display is display
