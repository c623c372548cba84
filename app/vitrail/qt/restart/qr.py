# SPDX-License-Identifier: GPL-3.0-or-later
"""A QR code that holds the text itself, so that a telephone shows it with no network and nothing installed."""

from __future__ import annotations

import segno
from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

QUIET = 4
"""Modules of white around the code, as the standard asks for."""
MAX_BYTES = 1800
"""A larger text still fits the standard, but its modules get too small for a telephone in front of a screen."""


def matrix_of(words: str) -> tuple[tuple[bool, ...], ...] | None:
    """The modules, dark ones True; None where the text is too long to be read from a screen."""
    if len(words.encode()) > MAX_BYTES:
        return None
    code = segno.make(words, error="l", micro=False, boost_error=False, encoding="utf-8")
    return tuple(tuple(bool(module) for module in row) for row in code.matrix)


def draw_code(painter: QPainter, modules: tuple[tuple[bool, ...], ...], where: QRectF) -> None:
    """Dark on white in every theme: many readers take nothing else."""
    side = where.width() / (len(modules) + 2 * QUIET)
    painter.fillRect(where, QColor(Qt.GlobalColor.white))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(Qt.GlobalColor.black))
    for line, row in enumerate(modules):
        for column, dark in enumerate(row):
            if dark:
                # A hair wider than its place: no white lines between neighbours at odd sizes.
                left, top = where.left() + (column + QUIET) * side, where.top() + (line + QUIET) * side
                painter.drawRect(QRectF(left, top, side + 0.02, side + 0.02))


class CodeView(QWidget):
    """The code, as large as three device pixels a module at least."""

    def __init__(self, modules: tuple[tuple[bool, ...], ...], name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._modules = modules
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(name)
        self.setToolTip(name)

    def sizeHint(self) -> QSize:
        side = (len(self._modules) + 2 * QUIET) * 3
        return QSize(side, side)

    def paintEvent(self, event: QPaintEvent) -> None:
        del event
        painter = QPainter(self)
        draw_code(painter, self._modules, QRectF(self.rect()))
        painter.end()
