# SPDX-License-Identifier: GPL-3.0-or-later
"""A choice is built from the user's words, or the words are refused with what would be right."""

from __future__ import annotations

import pytest

from vitrail.model.choice import CHOICE_OF, Passthrough, make_choice, mode_of
from vitrail.model.errors import Unreadable
from vitrail.model.mode import NEEDS_A_CARD, SETTINGS, Mode
from vitrail.model.pci import PciAddress

CARD = PciAddress.parse("01:00.0")


@pytest.mark.parametrize("mode", Mode)
def test_every_mode_has_its_choice(mode: Mode) -> None:
    assert mode_of(make_choice(mode, CARD if mode in NEEDS_A_CARD else None, {})) is mode


@pytest.mark.parametrize("mode", Mode)
def test_every_default_is_one_of_its_values(mode: Mode) -> None:
    for setting in SETTINGS.get(mode, ()):
        assert setting.default in setting.values
        assert make_choice(mode, CARD if mode in NEEDS_A_CARD else None, {setting.key: setting.default}) == make_choice(
            mode, CARD if mode in NEEDS_A_CARD else None, {}
        )


def test_a_boolean_is_read_as_one() -> None:
    assert make_choice(Mode.PASSTHROUGH, CARD, {"hide_kvm": "true"}) == Passthrough(CARD, "keep", hide_kvm=True)


@pytest.mark.parametrize(
    ("mode", "gpu", "settings"),
    [
        (Mode.VIRTIO, None, {"colour": "red"}),
        (Mode.VIRTIO, None, {"screen": "rdp"}),
        (Mode.PASSTHROUGH, None, {}),
        (Mode.VIRTIO, CARD, {}),
    ],
)
def test_wrong_words_are_refused_with_the_right_ones(
    mode: Mode, gpu: PciAddress | None, settings: dict[str, str]
) -> None:
    with pytest.raises(Unreadable) as refusal:
        make_choice(mode, gpu, settings)
    assert refusal.value.next_steps


def test_the_union_names_every_class() -> None:
    assert len(set(CHOICE_OF.values())) == len(Mode)
