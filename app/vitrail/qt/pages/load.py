# SPDX-License-Identifier: GPL-3.0-or-later
"""Live load: who uses how much of which card, now and before, as curves and as the table that equals them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PySide6.QtWidgets import QButtonGroup, QFileDialog, QHBoxLayout, QPushButton, QStackedWidget, QVBoxLayout, QWidget

from vitrail.model.errors import VitrailError
from vitrail.model.reading import Known
from vitrail.model.text import text
from vitrail.qt.desk import Desk
from vitrail.qt.facts import Facts
from vitrail.qt.load.canvas import LoadCanvas
from vitrail.qt.load.kept import KeptView
from vitrail.qt.load.lines import LoadLines, lines_of, order_of
from vitrail.qt.load.meter import Beat
from vitrail.qt.load.offers import Deed, Offer, OffersStrip, offers_of
from vitrail.qt.load.span import Range, Span
from vitrail.qt.pages.load_state import COLUMNS, Empty, empty_state, export_curves, headline, table_rows
from vitrail.qt.pages.page import Page, clear, scrolled
from vitrail.qt.rows import Row
from vitrail.qt.theme import GAP, Tone
from vitrail.qt.widgets.buttons import button
from vitrail.qt.widgets.cards import EmptyState, Notice
from vitrail.qt.widgets.labels import Kind, PlainLabel, Say
from vitrail.qt.widgets.table import Table
from vitrail.service.load_csv import write_csv

_SORT_EVERY_S = 5.0
_RANGES = {"minute": Range.MINUTE, "quarter": Range.QUARTER, "week": Range.WEEK}


@dataclass(frozen=True, slots=True)
class Prepared:
    """The machine, and why there is nothing to measure on it."""

    facts: Facts
    empty: Empty | None


class LoadPage(Page):
    """The load of every VM and card."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        self._prepared: Prepared | None = None
        self._lines: LoadLines | None = None
        self._table_rows: tuple[Row, ...] = ()
        self._order: tuple[str, ...] = ()
        self._ordered_at = 0.0
        self.headline.setText(self.say(text("qt.rail.load")))
        self._notices = QVBoxLayout()
        self.column.addLayout(self._notices)
        self._bar = QWidget()
        self._bar.setLayout(self._ranges())
        self.column.addWidget(self._bar)
        self._offers = OffersStrip(self.say, self._take)
        self.column.addWidget(self._offers)
        self._canvas = LoadCanvas(self.say)
        self._canvas.span_changed.connect(self._spanned)
        self._canvas.opened.connect(self._open)
        self._area = scrolled(self._canvas)
        self._kept = KeptView(self.say, desk.marking.remove)
        self._table = Table(
            tuple(self.say(text(f"qt.load.column.{name}")) for name in COLUMNS),
            self.say(text("qt.load.table")),
            stretch=4,
        )
        self._table.chosen.connect(lambda _: self._show_details())
        self._empty = QVBoxLayout()
        nothing = QWidget()
        nothing.setLayout(self._empty)
        self._nothing = nothing
        self._stack = QStackedWidget()
        for part in (self._area, self._table, self._kept, nothing):
            self._stack.addWidget(part)
        self.column.addWidget(self._stack, 1)
        self._hint = PlainLabel(self.say(text("qt.load.hint")), Kind.SMALL)
        self.column.addWidget(self._hint)
        self._bar.hide()
        self._hint.hide()
        self._mark = button(self.say(text("qt.load.mark")), desk.marking.mark, primary=True, mark="zap")
        self._mark.setToolTip(self.say(text("qt.load.mark.tip")))
        self._mark.hide()
        self.add_button(self._mark)
        desk.marking.progressed.connect(self._marking)
        desk.marking.changed.connect(self._kept_changed)
        desk.marking.failed.connect(self._failed)
        desk.marking.read()
        desk.sampling.sampled.connect(self._sampled)
        desk.sampling.week_read.connect(lambda: self._canvas.show_week(desk.sampling.week))
        self._failed_to_measure = False
        desk.sampling.failed.connect(self._unmeasured)

    def _ranges(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GAP // 2)
        self._group = QButtonGroup(self)
        self._by_range: dict[Range, QPushButton] = {}
        for name, chosen in _RANGES.items():
            made = button(self.say(text(f"qt.load.range.{name}")), partial(self._choose, chosen), small=True)
            made.setCheckable(True)
            self._group.addButton(made)
            self._by_range[chosen] = made
            row.addWidget(made)
        self._by_range[Range.MINUTE].setChecked(True)
        self._whole = button(self.say(text("qt.load.whole")), self._unzoom, quiet=True, small=True, mark="undo-2")
        self._whole.hide()
        row.addWidget(self._whole)
        row.addStretch(1)
        self._kept_swap = button(self._kept_words(), self._swap_kept, small=True, mark="history")
        row.addWidget(self._kept_swap)
        self._export = button(self.say(text("qt.load.export")), self._choose_file, small=True, mark="hard-drive")
        row.addWidget(self._export)
        self._swap = button(self.say(text("qt.overview.as-table")), self._swap_view, small=True, mark="table")
        row.addWidget(self._swap)
        return row

    @staticmethod
    def prepare(facts: Facts, say: Say) -> Prepared:
        del say
        return Prepared(facts, empty_state(facts))

    def show_prepared(self, prepared: object) -> None:
        if not isinstance(prepared, Prepared):
            return
        self._prepared = prepared
        empty = prepared.empty
        self.subline.setText(self.say(text("qt.load.subline-none" if empty is not None else "qt.load.subline")))
        clear(self._empty)
        if empty is not None:
            self._stack.setCurrentWidget(self._nothing)
            view = EmptyState(self.say(empty.title), "\n".join(map(self.say, empty.why)), "activity")
            view.add_action(button(self.say(text("qt.load.who")), lambda: self.desk.page_asked.emit("cards", "")))
            if empty.demo:
                view.add_action(button(self.say(text("qt.open-demo")), self.desk.demo_asked.emit))
            self._empty.addWidget(view)
        elif self._stack.currentWidget() is self._nothing:
            self._stack.setCurrentWidget(self._area)
        self._bar.setVisible(empty is None)
        self._mark.setVisible(empty is None)
        self._hint.setVisible(empty is None and self._stack.currentWidget() is not self._kept)
        self._show()

    def _sampled(self, beat: Beat) -> None:
        if self._failed_to_measure:
            self._failed_to_measure = False
            clear(self._notices)
        at = beat.sample.taken_at
        if not self._order or not 0 <= at - self._ordered_at < _SORT_EVERY_S:
            self._order, self._ordered_at = order_of(beat.sample), at
        if self.isVisible():
            self._show()

    def _show(self) -> None:
        beat, prepared = self.desk.sampling.beat, self._prepared
        if prepared is None or prepared.empty is not None:
            return
        if beat is None:
            self.headline.setText(self.say(headline(None, None)))
            return
        self._lines = lines_of(beat.sample, prepared.facts, self._order)
        self.headline.setText(self.say(headline(beat.sample, self._lines)))
        kept = beat.kept
        told = text("qt.load.subline") if isinstance(kept, Known) else text("qt.load.subline-unkept", why=kept.reason)
        self.subline.setText(self.say(told))
        self._offers.show_offers(offers_of(beat.sample))
        if self._stack.currentWidget() is self._table:
            self._table_rows = table_rows(self._lines, self.say)
            self._table.show_rows(self._table_rows)
            self._show_details()
        else:
            self._canvas.show_lines(self._lines, self.desk.sampling.traces)
        if self._canvas.span.condensed:
            self.desk.sampling.ask_week()

    def showEvent(self, event: object) -> None:
        super().showEvent(event)  # type: ignore[arg-type]
        self._show()

    def _marking(self, left: int) -> None:
        going = left > 0
        self._mark.setEnabled(not going)
        words = text("qt.load.mark.going", count=left) if going else text("qt.load.mark")
        self._mark.setText(self.say(words))

    def _kept_words(self) -> str:
        return self.say(text("qt.load.kept", number=len(self.desk.marking.kept)))

    def _kept_changed(self) -> None:
        facts = None if self._prepared is None else self._prepared.facts
        self._kept.show_moments(self.desk.marking.kept, partial(_hue_of, facts))
        if self._stack.currentWidget() is not self._kept:
            self._kept_swap.setText(self._kept_words())

    def _swap_kept(self) -> None:
        kept = self._stack.currentWidget() is not self._kept
        self._kept_changed()
        self._show_part(self._kept if kept else self._area)

    def _show_part(self, part: QWidget) -> None:
        """Show the curves, the table or the kept moments, and offer the ways to the others."""
        self._stack.setCurrentWidget(part)
        kept, table = part is self._kept, part is self._table
        self._kept_swap.setText(self.say(text("qt.load.kept.back")) if kept else self._kept_words())
        self._swap.setText(self.say(text("qt.overview.as-picture" if table else "qt.overview.as-table")))
        self._hint.setVisible(part in (self._area, self._table))
        self._show_details()
        for one in (*self._by_range.values(), self._export, self._swap):
            one.setVisible(not kept)
        self._whole.setVisible(not kept and self._canvas.span.zoomed)
        self._show()

    def _show_details(self) -> None:
        """Below the table all that its chosen row says; below the curves how they are used."""
        words = self.say(text("qt.load.hint"))
        if self._stack.currentWidget() is self._table:
            key = self._table.current_key()
            row = next((row for row in self._table_rows if row.key == key), None)
            words = self.say(text("qt.load.choose")) if row is None else row.cells[-1].words
        self._hint.setText(words)

    def _choose_file(self) -> None:
        path, _ = QFileDialog.getSaveFileName(
            self,
            self.say(text("qt.load.export")),
            self.say(text("qt.load.export.name")),
            self.say(text("qt.load.export.kind")),
        )
        if path:
            self.export_to(Path(path))

    def export_to(self, path: Path) -> None:
        """Write what is shown into this file, as comma-separated values."""
        if self._lines is None:
            return
        curves = export_curves(self._lines, self._canvas.dots, self._canvas.span.edges(self._canvas.now))
        self.desk.runner.read(lambda: write_csv(path, curves), self._exported, self._failed, self)

    def _exported(self, path: Path) -> None:
        clear(self._notices)
        self._notices.addWidget(Notice(self.say(text("qt.load.export.done", path=str(path))), Tone.GOOD))

    def _take(self, offer: Offer) -> None:
        sampling = self.desk.sampling
        if offer.deed is Deed.PERMIT:
            sampling.permit_root()
        else:
            sampling.let_guest(offer.uuid, ask=offer.deed is Deed.ASK)

    def _unmeasured(self, error: VitrailError) -> None:
        self._failed_to_measure = True
        self._failed(error)

    def _failed(self, error: VitrailError) -> None:
        clear(self._notices)
        words = "\n".join(self.say(part) for part in (error.what, *error.next_steps))
        self._notices.addWidget(Notice(words, Tone.WARN))

    def _choose(self, chosen: Range) -> None:
        self._canvas.show_span(Span(chosen, chosen.value))
        self._spanned(self._canvas.span)

    def _spanned(self, span: Span) -> None:
        self._by_range[span.chosen].setChecked(True)
        self._whole.setVisible(span.zoomed)
        if span.condensed:
            self.desk.sampling.ask_week()

    def _unzoom(self) -> None:
        self._canvas.show_span(self._canvas.span.whole())
        self._spanned(self._canvas.span)

    def views(self) -> tuple[tuple[str, Callable[[], None]], ...]:
        if self._prepared is None or self._prepared.empty is not None:
            return ()
        return (("table", self._swap_view), ("moments", self._swap_kept))

    def _swap_view(self) -> None:
        if self._stack.currentWidget() is not self._nothing:
            self._show_part(self._area if self._stack.currentWidget() is self._table else self._table)

    def _open(self, thing: str) -> None:
        kind, _, key = thing.partition(":")
        self.desk.page_asked.emit({"card": "cards", "vm": "vms"}[kind], key)


def _hue_of(facts: Facts | None, key: str) -> int | None:
    """The colour of what has this key: its own for a card, that of its card for a VM."""
    cards = () if facts is None else facts.cards
    return next((card.hue for card in cards if key.endswith(str(card.gpu.address))), None)
