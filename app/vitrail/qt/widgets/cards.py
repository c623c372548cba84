# SPDX-License-Identifier: GPL-3.0-or-later
"""Frames: the card that holds one thing, the pill that names a status, the empty state, the notice."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QRectF, QSize, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from vitrail.qt.marks import MARK_OF_TONE, draw_mark, mark_pixmap
from vitrail.qt.theme import GAP, RADIUS, Shades, Theme, Tone, theme_of
from vitrail.qt.widgets.labels import Kind, PlainLabel

_READABLE = 560
"""How wide a paragraph may be, in device-independent pixels."""


class Card(QFrame):
    """A rounded surface with a hairline; `hue` gives it the pane of its identity, `chosen` the accent's border."""

    def __init__(self, parent: QWidget | None = None, *, hue: int | None = None) -> None:
        super().__init__(parent)
        self._hue = hue
        self._chosen = False
        rim = GAP if hue is not None else 0
        self.body = QVBoxLayout(self)
        self.body.setContentsMargins(2 * GAP + rim, 2 * GAP + rim - 2, 2 * GAP + rim, 2 * GAP + rim - 2)
        self.body.setSpacing(GAP // 2)

    def set_chosen(self, chosen: bool) -> None:
        """Draw the accent's border, for the one of several that is picked."""
        self._chosen = chosen
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        del event
        theme = theme_of(self.palette())
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rect = QRectF(self.rect()).adjusted(1, 1, -1, -1)
        if self._hue is not None:
            shades = theme.hue(self._hue)
            painter.setPen(QPen(shades.line, 1.2))
            painter.setBrush(shades.soft)
            painter.drawRoundedRect(rect, RADIUS + 3, RADIUS + 3)
            rect = rect.adjusted(GAP, GAP, -GAP, -GAP)
            painter.setPen(Qt.PenStyle.NoPen)
        else:
            painter.setPen(QPen(theme.accent, 2) if self._chosen else QPen(theme.hairline, 1))
        painter.setBrush(theme.accent_soft if self._chosen else theme.surface)
        painter.drawRoundedRect(rect, RADIUS, RADIUS)
        painter.end()


class Pill(QWidget):
    """A status: mark and words in a rounded frame. The words carry the meaning; the colour only helps."""

    def __init__(
        self,
        words: str,
        tone: Tone = Tone.PLAIN,
        parent: QWidget | None = None,
        *,
        mark: str | None = None,
        hue: int | None = None,
    ) -> None:
        super().__init__(parent)
        self._words, self._tone, self._hue = words, tone, hue
        self._mark = mark or MARK_OF_TONE[tone]
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(words)
        self.setToolTip("")

    def show_status(self, words: str, tone: Tone, mark: str | None = None) -> None:
        """Say something else."""
        self._words, self._tone, self._mark = words, tone, mark or MARK_OF_TONE[tone]
        self.setAccessibleName(words)
        self.updateGeometry()
        self.update()

    @property
    def words(self) -> str:
        """What it says."""
        return self._words

    def sizeHint(self) -> QSize:
        metrics = QFontMetricsF(self._font())
        return QSize(round(metrics.horizontalAdvance(self._words)) + 38, round(metrics.height()) + 8)

    def _font(self) -> QFont:
        font = QFont(self.font())
        if font.pointSizeF() > 0:
            font.setPointSizeF(font.pointSizeF() * 0.92)
        font.setWeight(QFont.Weight.DemiBold)
        return font

    def _shades(self, theme: Theme) -> Shades:
        return theme.tones[self._tone] if self._hue is None else theme.hue(self._hue)

    def paintEvent(self, event: QPaintEvent) -> None:
        del event
        theme = theme_of(self.palette())
        shades = self._shades(theme)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        rect = QRectF(self.rect()).adjusted(0.75, 0.75, -0.75, -0.75)
        painter.setPen(QPen(shades.line, 1.2))
        painter.setBrush(theme.surface)
        painter.drawRoundedRect(rect, rect.height() / 2, rect.height() / 2)
        side = 13.0
        draw_mark(painter, self._mark, QRectF(10, (self.height() - side) / 2, side, side), shades.ink)
        painter.setPen(shades.ink)
        painter.setFont(self._font())
        painter.drawText(rect.adjusted(26, 0, -8, 0), Qt.AlignmentFlag.AlignVCenter, self._words)
        painter.end()


class MarkLabel(QLabel):
    """An icon in the colour of a tone; it stands beside words and has none of its own."""

    def __init__(self, tone: Tone, parent: QWidget | None = None, *, mark: str | None = None, size: int = 18) -> None:
        super().__init__(parent)
        self._tone, self._mark, self._size = tone, mark or MARK_OF_TONE[tone], size
        self.setFixedSize(size, size)
        self._draw()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() is QEvent.Type.PaletteChange:
            self._draw()

    def _draw(self) -> None:
        ink = theme_of(self.palette()).tones[self._tone].ink
        self.setPixmap(mark_pixmap(self._mark, ink, self._size, self.devicePixelRatioF()))


class EmptyState(QWidget):
    """What stands where nothing is: a title, a sentence that says why, and what to do next."""

    def __init__(self, title: str, sentence: str, mark: str = "info", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        column = QVBoxLayout(self)
        column.setContentsMargins(4 * GAP, 4 * GAP, 4 * GAP, 4 * GAP)
        column.setSpacing(GAP)
        column.addStretch(2)
        icon = MarkLabel(Tone.INFO, mark=mark, size=44)
        column.addWidget(icon, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addSpacing(GAP)
        for words, kind in ((title, Kind.TITLE), (sentence, Kind.MUTED)):
            label = PlainLabel(words, kind)
            label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            label.setFixedWidth(_READABLE)
            # A layout that centres asks no label how high it gets in this width.
            label.setMinimumHeight(label.heightForWidth(_READABLE))
            column.addWidget(label, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addSpacing(GAP)
        self._buttons = QHBoxLayout()
        self._buttons.setSpacing(GAP)
        self._buttons.addStretch(1)
        self._buttons.addStretch(1)
        column.addLayout(self._buttons)
        column.addStretch(3)

    def add_action(self, button: QPushButton) -> None:
        """Put a button below the sentence, after those that are there."""
        self._buttons.insertWidget(self._buttons.count() - 1, button)


class Notice(QFrame):
    """One sentence that must be seen, across the page, with a mark and room for buttons at its end."""

    def __init__(self, words: str, tone: Tone, parent: QWidget | None = None, *, mark: str | None = None) -> None:
        super().__init__(parent)
        self._tone = tone
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Maximum)
        self.row = QHBoxLayout(self)
        self.row.setContentsMargins(2 * GAP, GAP + 2, 2 * GAP, GAP + 2)
        self.row.setSpacing(GAP + 4)
        self.row.addWidget(MarkLabel(tone, mark=mark), 0, Qt.AlignmentFlag.AlignTop)
        self.label = PlainLabel(words)
        self.row.addWidget(self.label, 1)

    def paintEvent(self, event: QPaintEvent) -> None:
        del event
        shades = theme_of(self.palette()).tones[self._tone]
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(shades.line, 1))
        painter.setBrush(shades.soft)
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), RADIUS, RADIUS)
        painter.end()
