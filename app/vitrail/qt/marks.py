# SPDX-License-Identifier: GPL-3.0-or-later
"""Icons: Lucide's line drawings (resources/icons) in any colour, and which one stands for which status.

Drawn from SVG at the size and pixel ratio asked for, so they are sharp on every screen and follow the theme.
"""

from __future__ import annotations

from functools import lru_cache

from PySide6.QtCore import QByteArray, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from vitrail.qt.theme import Tone
from vitrail.source.resources import resources

MARK_OF_TONE = {
    Tone.GOOD: "circle-check",
    Tone.WARN: "triangle-alert",
    Tone.BAD: "octagon-x",
    Tone.UNKNOWN: "circle-question-mark",
    Tone.INFO: "info",
    Tone.PLAIN: "circle",
}


@lru_cache(maxsize=256)
def _renderer(name: str, color: str) -> QSvgRenderer:
    source = (resources() / "icons" / f"{name}.svg").read_text(encoding="utf-8")
    return QSvgRenderer(QByteArray(source.replace("currentColor", color).encode()))


def draw_mark(painter: QPainter, name: str, where: QRectF, color: QColor) -> None:
    """Draw the icon into the rectangle."""
    _renderer(name, color.name()).render(painter, where)


def mark_pixmap(name: str, color: QColor, size: int, ratio: float) -> QPixmap:
    """The icon as a pixmap of `size` device-independent pixels."""
    pixmap = QPixmap(QSize(size, size) * ratio)
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    draw_mark(painter, name, QRectF(0, 0, size, size), color)
    painter.end()
    return pixmap


def mark_icon(name: str, color: QColor, size: int = 20, *, room: int = 0) -> QIcon:
    """The icon for buttons and lists; `room` is left free at its right, because styles set words close to it."""
    icon = QIcon()
    for ratio in (1, 2):
        pixmap = QPixmap(QSize(size + room, size) * ratio)
        pixmap.setDevicePixelRatio(ratio)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        draw_mark(painter, name, QRectF(0, 0, size, size), color)
        painter.end()
        icon.addPixmap(pixmap)
    return icon
