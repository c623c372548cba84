# SPDX-License-Identifier: GPL-3.0-or-later
"""What is said of the load, without a window: words, reasons, order, stretches of time, curves."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
from PySide6.QtCore import QRectF

from fakes.hosts import at, vm
from gui.load_scenes import NOON, moving
from gui.places import facts_of
from gui.scenes import HOSTILE, empty, full
from vitrail.load.history import FINE_S
from vitrail.model.machine import MachineKind
from vitrail.model.reading import Known, Unknown
from vitrail.model.sample import CardSample, EngineLoad, LoadSource, Sample, VmSample
from vitrail.model.text import Text, text
from vitrail.qt.load.lines import lines_of, order_of
from vitrail.qt.load.offers import Deed, offers_of
from vitrail.qt.load.plot import curve_of, nearest
from vitrail.qt.load.short import short_loads
from vitrail.qt.load.span import Range, Span
from vitrail.qt.load.traces import Dot, Traces
from vitrail.qt.pages.load_state import empty_state, export_curves, headline, table_rows

NOT = Unknown(text("load.needs-agent.whole"))
NVIDIA, AMD = at("0000:01:00.0"), at("0000:15:00.0")


def known(value):
    return Known(value, "test")


def busy(name: str, load: float | None, card=NVIDIA, **said: Any) -> VmSample:
    percent = NOT if load is None else known(load)
    return VmSample(vm(name).uuid, name, card, None, percent, **said)


def sample(*vms: VmSample, cards: tuple[CardSample, ...] = (), when: float = NOON) -> Sample:
    return Sample(when, known(cards), known(vms))


def test_the_busiest_is_first_then_the_unknown_then_those_without_a_card():
    mixed = sample(VmSample("u", "none"), busy("b", None), busy("c", 10.0), busy("a", 90.0))
    lines = lines_of(mixed, facts_of(full()))
    assert [line.title for line in lines.vms] == ["a", "c", "b", "none"]


def test_rows_stay_where_they_are_until_they_are_ordered_anew():
    first = order_of(sample(busy("a", 90.0), busy("b", 10.0)))
    later = lines_of(sample(busy("a", 5.0), busy("b", 80.0), busy("new", 99.0)), facts_of(full()), first)
    assert [line.title for line in later.vms] == ["a", "b", "new"]


def test_load_always_says_what_it_is_of():
    of_both = busy("a", 30.0, share_percent=known(60.0))
    only_share = busy("b", None, share_percent=known(60.0))
    both, share = lines_of(sample(of_both, only_share), facts_of(full()), order_of(sample(of_both))).vms
    assert (both.of, both.share.words) == (text("qt.load.of.card"), text("qt.load.also-of-share", value="60"))
    assert (share.of, share.share) == (text("qt.load.of.share"), None)


def test_a_vm_has_the_hue_of_its_card():
    facts = facts_of(full())
    line = lines_of(sample(busy("a", 30.0)), facts).vms[0]
    assert line.hue == facts.card_at(NVIDIA).hue


def test_what_is_not_known_says_a_short_and_a_whole_reason(english):
    line = lines_of(sample(busy("a", None, memory_used_mib=NOT)), facts_of(full())).vms[0]
    assert english.say(line.load.words) == "not known: only the VM sees it"
    assert line.load.percent is None
    assert line.load.why == line.memory.why == NOT.reason


def test_a_card_that_is_gone_keeps_its_address():
    line = lines_of(sample(busy("a", 3.0, card=at("0000:77:00.0"))), facts_of(full())).vms[0]
    assert line.on == text("qt.load.on-gone", address="77:00.0")
    assert line.hue is None


def test_a_card_tells_only_what_its_sample_has():
    bare = CardSample(NVIDIA, known(5.0), known(100), known(12288))
    rich = replace(
        bare,
        engines=(EngineLoad("3D", 40.0), EngineLoad("copy", 0.1)),
        temperature_c=known(61.0),
        fan_rpm=known(900),
        slowed_by=known(("heat",)),
        pcie_link=NOT,
    )
    facts = facts_of(full())
    assert lines_of(sample(cards=(bare,)), facts).cards[0].facts == ()
    told = lines_of(sample(cards=(rich,)), facts).cards[0].facts
    assert [one.words.id for one in told] == ["qt.load.engine", *["qt.load.fact"] * 2, "qt.load.slowed", "qt.load.fact"]
    assert [one.why for one in told] == [None, None, None, None, NOT.reason]


def test_no_vms_and_no_running_vms_are_two_things():
    idle = lines_of(sample(), facts_of(full()))
    none = lines_of(Sample(NOON, NOT, NOT), facts_of(empty()))
    assert idle.no_vms == text("qt.load.none-runs")
    assert none.no_vms == none.no_cards == NOT.reason


@pytest.mark.parametrize(
    ("kind", "title"),
    [
        (MachineKind.RECORDING, "qt.load.recorded"),
        (MachineKind.DEMO, "qt.load.recorded"),
        (MachineKind.LISTING, "qt.load.recorded"),
        (MachineKind.REMOTE, "qt.load.remote"),
    ],
)
def test_where_nothing_can_be_measured_it_is_said(kind, title):
    state = empty_state(facts_of(full(), kind=kind))
    assert state is not None
    assert state.title == text(title)


def test_this_computer_is_empty_only_without_cards_and_vms():
    assert empty_state(facts_of(full())) is None
    assert empty_state(facts_of(empty())).title == text("qt.load.nothing-here")


def test_the_headline_names_the_busiest(english):
    one = sample(busy("a", 62.0))
    assert english.say(headline(one, lines_of(one, facts_of(full())))) == "a is the busiest VM: 62 % of the card"


def test_a_hostile_name_is_words_in_the_table(english):
    rows = table_rows(lines_of(sample(busy(HOSTILE, 5.0)), facts_of(full())), english.say)
    assert all("\u202e" not in cell.words and "\x1b" not in cell.words for cell in rows[0].cells)


def test_every_row_of_the_table_says_its_whole_reason(english):
    rows = table_rows(lines_of(sample(busy("a", None)), facts_of(full())), english.say)
    assert english.say(NOT.reason) in rows[0].cells[-1].words


def test_other_pages_know_nothing_of_what_is_unknown():
    found = short_loads(sample(busy("a", None), busy("b", 5.0), busy("b", 70.0, card=AMD)))
    assert {key: short.percent for key, short in found.items()} == {f"vm:{vm('b').uuid}": 70.0}


def test_the_export_is_what_is_shown():
    lines = lines_of(sample(busy("=a", 5.0)), facts_of(full()))
    dots = (Dot(NOON - 100, 1.0, 1.0, None), Dot(NOON, 5.0, 5.0, 400.0))
    (curve,) = export_curves(lines, lambda _: dots, (NOON - 60, NOON))
    assert (curve.kind, curve.name, curve.of, curve.points) == ("vm", "=a", "card", (dots[1],))


def test_a_stretch_moves_on_with_the_time_until_it_is_zoomed():
    span = Span()
    assert span.edges(NOON) == (NOON - 60, NOON)
    zoomed = span.between(NOON - 20, NOON - 40)
    assert zoomed.edges(NOON + 1000) == (NOON - 40, NOON - 20)
    assert zoomed.zoomed
    assert zoomed.whole() == span


def test_zooming_keeps_the_moment_under_the_pointer():
    zoomed = Span(Range.QUARTER, Range.QUARTER.value).zoom(0.5, NOON - 300, NOON)
    start, end = zoomed.edges(NOON)
    assert end - start == FINE_S / 2
    assert (NOON - 300 - start) / (end - start) == pytest.approx((FINE_S - 300) / FINE_S)


def test_nobody_zooms_into_nothing_or_into_the_future():
    span = Span()
    for _ in range(100):
        span = span.zoom(0.5, NOON, NOON)
    start, end = span.edges(NOON)
    assert (start, end) == (NOON - 5, NOON)
    for _ in range(100):
        span = span.zoom(2, NOON, NOON)
    assert span == Span()


RECT = QRectF(0, 0, 60, 100)


def test_a_gap_stays_a_gap():
    dots = [Dot(NOON + second, 50.0, 50.0, None) for second in (*range(10), *range(40, 50))]
    line = curve_of(dots, RECT, (NOON, NOON + 60)).line
    moves = [line.elementAt(place).isMoveTo() for place in range(line.elementCount())]
    assert moves.count(True) == 2


def test_a_week_costs_no_more_points_than_the_plot_is_wide():
    dots = [Dot(NOON + 60 * minute, 50.0, 50.0, None) for minute in range(10_080)]
    line = curve_of(dots, RECT, (NOON, NOON + 604_800), condensed=True).line
    assert line.elementCount() <= 61


def test_a_peak_is_not_lost_between_pixels():
    dots = [Dot(NOON + 60 * minute, 5.0, 99.0 if minute == 4321 else 5.0, None) for minute in range(10_080)]
    line = curve_of(dots, RECT, (NOON, NOON + 604_800), condensed=True).line
    assert min(line.elementAt(place).y for place in range(line.elementCount())) == pytest.approx(1.0)


def test_unknown_points_draw_nothing():
    assert curve_of([Dot(NOON, None, None, 5.0)], RECT, (NOON - 60, NOON)).line.isEmpty()


def test_the_cursor_finds_no_value_where_there_is_none():
    dots = (Dot(NOON, 5.0, 5.0, None),)
    assert nearest(dots, NOON + 1, 2.0) == dots[0]
    assert nearest(dots, NOON + 30, 2.0) is None
    assert nearest((), NOON, 2.0) is None


def test_ten_thousand_ticks_keep_a_quarter_of_an_hour():
    traces = Traces()
    for tick in range(10_000):
        traces.add(sample(busy(f"vm-{tick // 2000}", 5.0), when=NOON + tick))
    assert len(traces.keys) == 1
    assert len(traces.curve(next(iter(traces.keys)))) == FINE_S


def test_a_clock_that_is_set_back_begins_the_curves_anew():
    traces = Traces()
    traces.add(sample(busy("a", 5.0), when=NOON))
    traces.add(sample(busy("a", 6.0), when=NOON - 3600))
    (key,) = traces.keys
    assert [dot.load for dot in traces.curve(key)] == [6.0]


def test_a_real_sampler_fills_every_line(tmp_path, english):
    load = moving(tmp_path / "root", waits=True)
    load.tick()
    taken = load.tick()
    lines = lines_of(taken, facts_of(load.host))
    assert [line.title for line in lines.vms] == ["cad-studio", "fedora-desk", "old-xp"]
    assert lines.vms[0].load.percent == pytest.approx(100 * (0.42 + 0.2 * math.sin(1002 / 7)), abs=0.1)
    said = [english.say(fact.words) for line in lines.every for fact in line.facts]
    assert "temperature: 45 °C" in said
    assert not [words for words in said if words.startswith("qt.")]
    load.close()


def guest(name: str, reason: str) -> VmSample:
    return replace(busy(name, None), card_percent=Unknown(text(reason)))


def test_what_could_be_known_is_offered_once():
    hidden = "load.needs-helper.permission"
    taken = sample(guest("a", hidden), guest("b", hidden), guest("c", "load.needs-agent.ask"), busy("d", 5.0))
    assert [(one.deed, one.uuid) for one in offers_of(taken)] == [(Deed.PERMIT, ""), (Deed.ASK, vm("c").uuid)]


def test_nothing_is_offered_where_asking_would_not_help():
    assert offers_of(sample(guest("a", "load.needs-agent.silent"), guest("b", "load.idle.asleep"))) == ()


def test_a_vm_that_is_asked_can_be_left_alone_again():
    (offer,) = offers_of(sample(replace(busy("a", 5.0), source=LoadSource.GUEST)))
    assert (offer.deed, offer.uuid) == (Deed.STOP, vm("a").uuid)


def test_every_reason_has_a_short_form(english):
    assert isinstance(NOT.reason, Text)
    for word in ("idle", "stale", "needs-helper", "needs-agent", "blocked-in-guest", "unsupported", "failed"):
        line = lines_of(
            sample(replace(busy("a", None), card_percent=Unknown(text(f"load.{word}.x")))), facts_of(full())
        )
        assert not english.say(line.vms[0].load.words).startswith("qt.")
