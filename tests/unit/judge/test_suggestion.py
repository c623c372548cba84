# SPDX-License-Identifier: GPL-3.0-or-later
"""Which mode is taken first."""

from __future__ import annotations

import pytest

from fakes.hosts import DISPLAY_3D, UNREAD, VGA, at, device, gpu, host
from vitrail.judge.suggestion import Seeing, Suggestion, card_for, cards_without_sockets, suggest, suits
from vitrail.model.knowledge import PURPOSES, Knowledge, Traits
from vitrail.model.mode import WRITTEN_BY_THIS_VERSION, Mode
from vitrail.model.text import text
from vitrail.model.verdict import CardVerdict, Feasibility, ModeVerdict

CARD, OTHER = at("01:00.0"), at("05:00.0")
WORD = text("tests.word")


def verdict(mode: Mode, feasible: Feasibility, *cards: CardVerdict, rank: int = 1) -> ModeVerdict:
    return ModeVerdict(mode, feasible, mode in WRITTEN_BY_THIS_VERSION, (), (), cards, rank)


def on(address, feasible):
    return CardVerdict(address, feasible, ())


def knowledge(**fits: int) -> Knowledge:
    """Fits of modes, the same for every purpose; 0 where nothing is said."""
    traits = tuple(
        Traits(mode, *(WORD,) * 6, tuple((purpose, fits.get(mode.name.lower(), 0)) for purpose in PURPOSES))
        for mode in Mode
    )
    return Knowledge("test", traits, ())


def test_what_works_now_goes_before_what_needs_a_restart():
    verdicts = (
        verdict(Mode.PASSTHROUGH, Feasibility.AFTER_CHANGES, on(CARD, Feasibility.AFTER_CHANGES)),
        verdict(Mode.VIRGL, Feasibility.READY, rank=2),
    )
    assert suggest(verdicts, knowledge(passthrough=3, virgl=1), "games", None) == Suggestion(
        Mode.VIRGL, None, Mode.PASSTHROUGH
    )


def test_a_monitor_of_its_own_takes_a_whole_card_even_after_changes():
    verdicts = (
        verdict(Mode.PASSTHROUGH, Feasibility.AFTER_CHANGES, on(CARD, Feasibility.AFTER_CHANGES)),
        verdict(Mode.VIRGL, Feasibility.READY, rank=2),
    )
    found = suggest(verdicts, knowledge(passthrough=3, virgl=1), "games", Seeing.OWN_MONITOR)
    assert found == Suggestion(Mode.PASSTHROUGH, CARD, None)


def test_a_mode_that_does_not_fit_the_purpose_at_all_is_not_suggested():
    verdicts = (verdict(Mode.VIRTIO, Feasibility.READY),)
    assert suggest(verdicts, knowledge(virtio=0), "compute", None) is None


def test_a_mode_of_a_later_version_is_named_and_not_suggested():
    verdicts = (
        verdict(Mode.LOOKING_GLASS, Feasibility.READY, rank=2),
        verdict(Mode.VIRTIO, Feasibility.READY, rank=1),
    )
    found = suggest(verdicts, knowledge(looking_glass=3, virtio=1), "games", Seeing.WINDOW)
    assert found == Suggestion(Mode.VIRTIO, None, Mode.LOOKING_GLASS)


@pytest.mark.parametrize("feasible", [Feasibility.UNKNOWN, Feasibility.IMPOSSIBLE])
def test_what_is_not_known_to_work_is_not_suggested(feasible):
    assert suggest((verdict(Mode.VIRTIO, feasible),), knowledge(virtio=3), "desktop", None) is None


def test_without_a_purpose_the_fits_of_not_knowing_count():
    found = suggest((verdict(Mode.BASIC, Feasibility.READY),), knowledge(basic=1), None, None)
    assert found == Suggestion(Mode.BASIC, None, None)


@pytest.mark.parametrize("seeing", Seeing)
def test_some_mode_of_this_version_suits_every_way_of_seeing(seeing):
    assert any(suits(mode, seeing) for mode in WRITTEN_BY_THIS_VERSION)


def test_every_mode_can_be_seen_somehow():
    assert all(any(suits(mode, seeing) for seeing in Seeing) for mode in Mode)


def test_the_card_on_which_it_works_now_is_taken_first():
    cards = (on(CARD, Feasibility.AFTER_CHANGES), on(OTHER, Feasibility.READY))
    assert card_for(verdict(Mode.PASSTHROUGH, Feasibility.READY, *cards)) == OTHER


def test_a_drawn_mode_leaves_the_card_to_this_computer():
    assert card_for(verdict(Mode.VIRGL, Feasibility.READY, on(CARD, Feasibility.READY))) is None


def test_no_card_is_named_where_none_is_possible():
    assert card_for(verdict(Mode.PASSTHROUGH, Feasibility.IMPOSSIBLE, on(CARD, Feasibility.IMPOSSIBLE))) is None


def test_a_card_without_sockets_feeds_no_monitor_of_its_own():
    verdicts = (verdict(Mode.PASSTHROUGH, Feasibility.READY, on(CARD, Feasibility.READY)),)
    fits = knowledge(passthrough=3)
    assert suggest(verdicts, fits, "games", Seeing.OWN_MONITOR, blind=frozenset({CARD})) is None
    assert suggest(verdicts, fits, "games", Seeing.NOTHING, blind=frozenset({CARD})).gpu == CARD


def test_outputs_that_were_not_read_may_be_sockets():
    blind = gpu(device("01:00.0", DISPLAY_3D), outputs=UNREAD)
    unread = gpu(device("02:00.0", VGA), outputs=UNREAD)
    empty = gpu(device("03:00.0", VGA), outputs=())
    assert cards_without_sockets(host(blind, unread, empty)) == {at("01:00.0"), at("03:00.0")}
