# SPDX-License-Identifier: GPL-3.0-or-later
"""The kept moments: each with its sentences and a small plot of the half minute around the mark."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from vitrail.judge.stutter import what_happened
from vitrail.model.sample import LoadOf
from vitrail.model.stutter import AFTER_S, BEFORE_S, CardInstant, Stutter, VmInstant
from vitrail.model.text import text
from vitrail.qt.load.plot import curve_of, draw_curve, draw_ground
from vitrail.qt.load.traces import Dot
from vitrail.qt.pages.page import clear, scrolled
from vitrail.qt.theme import GAP, Tone, mix, theme_of
from vitrail.qt.widgets.buttons import button
from vitrail.qt.widgets.cards import Card, EmptyState
from vitrail.qt.widgets.labels import Kind, PlainLabel, Say, font_of
from vitrail.qt.words import tell

_MOST_CURVES = 6
_NAMES, _VALUES = 200.0, 176.0


@dataclass(frozen=True, slots=True)
class KeptCurve:
    """One VM or card around the moment."""

    name: str
    dots: tuple[Dot, ...]
    highest: float
    of: LoadOf
    hue: int | None


def curves_of(stutter: Stutter, hue_of: Callable[[str], int | None]) -> tuple[KeptCurve, ...]:
    """What can be drawn of a moment, the busiest first; `hue_of`: the colour of the card with this key."""
    names: dict[str, str] = {}
    shares: dict[str, LoadOf] = {}
    dots: dict[str, list[Dot]] = {}
    for instant in stutter.instants:
        every: tuple[VmInstant | CardInstant, ...] = (*instant.vms, *instant.cards)
        for one in every:
            if one.load is not None:
                names[one.key] = one.name
                of_card = isinstance(one, CardInstant) or one.of_card
                shares[one.key] = LoadOf.CARD if of_card else LoadOf.SHARE
                dots.setdefault(one.key, []).append(Dot(instant.at, one.load, one.load, None))
    found = (
        KeptCurve(names[key], tuple(run), max(dot.load or 0.0 for dot in run), shares[key], hue_of(key))
        for key, run in dots.items()
    )
    return tuple(sorted(found, key=lambda curve: -curve.highest)[:_MOST_CURVES])


class MomentPlot(QWidget):
    """The curves of a moment, one below the other, with a line where it was marked."""

    def __init__(
        self, stutter: Stutter, curves: tuple[KeptCurve, ...], say: Say, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._stutter, self._curves, self._say = stutter, curves, say
        self._line = QFontMetricsF(font_of(Kind.BODY, self.font())).height()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        lines = ", ".join(f"{tell(say, curve.name)} {self._highest(curve)}" for curve in curves)
        self.setAccessibleName(say(text("qt.load.kept.plot", lines=lines)))

    def _highest(self, curve: KeptCurve) -> str:
        return self._say(text(f"qt.load.kept.highest.{curve.of.value}", value=f"{curve.highest:.0f}"))

    def sizeHint(self) -> QSize:
        return QSize(600, round(len(self._curves) * (2 * self._line + 4)))

    def paintEvent(self, event: QPaintEvent) -> None:
        del event
        theme = theme_of(self.palette())
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        at = self._stutter.marked_at
        edges = (at - BEFORE_S, at + AFTER_S)
        for number, curve in enumerate(self._curves):
            top = number * (2 * self._line + 4)
            plot = QRectF(_NAMES, top + 2, self.width() - _NAMES - _VALUES, 2 * self._line - 2)
            shades = theme.tones[Tone.PLAIN] if curve.hue is None else theme.hue(curve.hue)
            draw_ground(painter, plot, theme.hairline, mix(theme.surface, theme.text, 0.02))
            draw_curve(painter, curve_of(curve.dots, plot, edges), plot, shades, theme.surface)
            middle = plot.center().x()
            painter.setPen(QPen(theme.text, 1, Qt.PenStyle.DashLine))
            painter.drawLine(QPointF(middle, plot.top()), QPointF(middle, plot.bottom()))
            self._words(painter, QRectF(0, plot.top(), _NAMES - 12, plot.height()), tell(self._say, curve.name))
            right = QRectF(plot.right() + 12, plot.top(), _VALUES - 12, plot.height())
            self._words(painter, right, self._highest(curve))
        painter.end()

    def _words(self, painter: QPainter, where: QRectF, words: str) -> None:
        font = font_of(Kind.SMALL, self.font())
        painter.setFont(font)
        painter.setPen(theme_of(self.palette()).text)
        shown = QFontMetricsF(font).elidedText(words, Qt.TextElideMode.ElideMiddle, where.width())
        painter.drawText(where, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, shown)


class KeptView(QWidget):
    """Every kept moment."""

    def __init__(self, say: Say, remove: Callable[[str], object], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._say, self._remove = say, remove
        self._shown: tuple[Stutter, ...] | None = None
        self._list = QVBoxLayout()
        self._list.setContentsMargins(0, 0, GAP, 0)
        self._list.setSpacing(GAP)
        content = QWidget()
        content.setLayout(self._list)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(scrolled(content))

    def show_moments(self, kept: tuple[Stutter, ...], hue_of: Callable[[str], int | None]) -> None:
        """Show these, newest first."""
        if kept == self._shown:
            return
        self._shown = kept
        clear(self._list)
        if not kept:
            words = self._say(text("qt.load.kept.none")), self._say(text("qt.load.kept.none.why"))
            self._list.addWidget(EmptyState(*words, "zap"), 1)
            return
        for stutter in kept:
            self._list.addWidget(self._moment(stutter, hue_of))
        self._list.addStretch(1)

    def _moment(self, stutter: Stutter, hue_of: Callable[[str], int | None]) -> Card:
        card = Card()
        head = QHBoxLayout()
        when = time.strftime("%A %d %B %Y, %H:%M:%S", time.localtime(stutter.marked_at))
        head.addWidget(PlainLabel(when, Kind.STRONG), 1)
        away = button(self._say(text("qt.load.kept.remove")), lambda: self._remove(stutter.id), small=True, mark="x")
        away.setAccessibleDescription(when)
        head.addWidget(away)
        card.body.addLayout(head)
        for sentence in what_happened(stutter):
            card.body.addWidget(PlainLabel(self._say(sentence)))
        curves = curves_of(stutter, hue_of)
        if curves:
            card.body.addSpacing(GAP // 2)
            card.body.addWidget(MomentPlot(stutter, curves, self._say))
        return card
