# SPDX-License-Identifier: GPL-3.0-or-later
"""Where everything of the picture of loads stands: rows below headings, three columns, one stretch for every curve.

Apart from the drawing so that the mouse finds what is where by the same numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QFont, QFontMetricsF

from vitrail.model.text import text
from vitrail.qt.load.lines import LoadLine, LoadLines, Told
from vitrail.qt.theme import GAP
from vitrail.qt.widgets.labels import Kind, Say, font_of
from vitrail.qt.words import tell

_LEFT = 0.26
_LEFT_LEAST, _LEFT_MOST = 210.0, 330.0
_RIGHT = 176.0
_PAD = 12.0
WHOLE_VMS = 12
"""With more VMs than this each row is two lines, and the cards come first."""
_BETWEEN = 22.0


@dataclass(frozen=True, slots=True)
class FactBox:
    """One small value with its place, its words and the whole reason where there is no value."""

    rect: QRectF
    words: str
    why: str


@dataclass(frozen=True, slots=True)
class RowBox:
    """One line with its places."""

    line: LoadLine
    rect: QRectF
    left: QRectF
    plot: QRectF
    right: QRectF
    facts: tuple[FactBox, ...]


@dataclass(frozen=True, slots=True)
class HeadBox:
    """A heading, and why nothing stands below it."""

    rect: QRectF
    title: str
    why: str


@dataclass(frozen=True, slots=True)
class Boxes:
    """All of it, from top to bottom."""

    heads: tuple[HeadBox, ...]
    rows: tuple[RowBox, ...]
    height: float
    plot_left: float
    plot_right: float

    def row_at(self, point: QPointF) -> RowBox | None:
        """The row at this place."""
        return next((row for row in self.rows if row.rect.contains(point)), None)


class Placing:
    """Places lines into a width; knows the fonts and the language."""

    def __init__(self, font: QFont, say: Say) -> None:
        self._say = say
        self.line = QFontMetricsF(font_of(Kind.BODY, font)).height()
        self._small = QFontMetricsF(font_of(Kind.SMALL, font))

    def place(self, lines: LoadLines, width: float) -> Boxes:
        """Everything of one tick."""
        left = min(_LEFT_MOST, max(_LEFT_LEAST, width * _LEFT))
        heads: list[HeadBox] = []
        rows: list[RowBox] = []
        top = 0.0
        folded = len(lines.vms) > WHOLE_VMS
        parts = [("vms", lines.vms, lines.no_vms), ("cards", lines.cards, lines.no_cards)]
        if folded:
            # Nobody scrolls past a hundred VMs to find the cards.
            parts.reverse()
        for name, part, why in parts:
            title = self._say(text(f"qt.load.heading.{name}"))
            height = self.line + 14 + (self.line + 10 if why is not None else 0)
            heads.append(HeadBox(QRectF(0, top, width, height), title, "" if why is None else self._say(why)))
            top += height
            for line in part:
                row = self._row(line, top, width, left, folded=folded)
                rows.append(row)
                top = row.rect.bottom() + GAP
            top += GAP
        return Boxes(tuple(heads), tuple(rows), top, left + _PAD, width - _RIGHT - _PAD)

    def _row(self, line: LoadLine, top: float, width: float, left: float, *, folded: bool) -> RowBox:
        # Without a curve there is a name and why, and nothing beside it.
        low = folded or line.load is None
        body, pad = (2 * self.line + 4 if low else 3 * self.line + 8), (_PAD / 2 if folded else _PAD)
        inner = QRectF(_PAD + 8, top + pad, width - 2 * _PAD - 8, body)
        told = () if folded else line.facts
        facts = tuple(self._facts(told, inner.left(), inner.bottom() + 7, inner.right()))
        bottom = facts[-1].rect.bottom() if facts else inner.bottom()
        plot = QRectF(left + _PAD, inner.top() + 2, width - _RIGHT - left - 2 * _PAD, body - 4)
        return RowBox(
            line,
            QRectF(0, top, width, bottom + pad - top),
            QRectF(inner.left(), inner.top(), left - inner.left() - 4, body),
            plot,
            QRectF(width - _RIGHT + 4, inner.top(), _RIGHT - _PAD - 4, body),
            facts,
        )

    def _facts(self, facts: tuple[Told, ...], left: float, top: float, right: float) -> Iterator[FactBox]:
        x, height = left, self._small.height() + 4
        for fact in facts:
            words = tell(self._say, fact.words)
            width = min(self._small.horizontalAdvance(words) + (18 if fact.why is not None else 0), right - left)
            if x > left and x + width > right:
                x, top = left, top + height
            yield FactBox(QRectF(x, top, width + 2, height), words, "" if fact.why is None else self._say(fact.why))
            x += width + _BETWEEN
