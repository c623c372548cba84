# SPDX-License-Identifier: GPL-3.0-or-later
"""Vitrail's desktop with one thing added: asked through a file, it says which words stand where on the screen.

It only looks. Whatever is pressed is pressed by the X server, at these places.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from PySide6.QtCore import QPoint, QTimer
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QWidget

from vitrail.__main__ import main
from vitrail.qt import app

FOLDER = Path("/run/desktop")
_PAUSE_MS = 200


class TellingDesktop(app.Desktop):
    """The same, with the ear for the file."""

    def __init__(self, *given: object) -> None:
        super().__init__(*given)  # type: ignore[arg-type]
        self._timer = QTimer(self)
        self._timer.timeout.connect(_answer)
        self._timer.start(_PAUSE_MS)


def _answer() -> None:
    asked = FOLDER / "ask"
    if not asked.exists():
        return
    asked.unlink()
    front = QApplication.activeModalWidget() or QApplication.activeWindow()
    here = (one for one in QApplication.allWidgets() if front is not None and one.window() is front)
    shown = [_place(one) for one in here if one.isVisible() and _words(one)]
    (FOLDER / "part").write_text(json.dumps(shown), encoding="utf-8")
    (FOLDER / "part").rename(FOLDER / "said")


def _words(widget: QWidget) -> str:
    if isinstance(widget, QAbstractButton | QLabel) and widget.text():
        return widget.text()
    return widget.accessibleName()


def _place(widget: QWidget) -> dict[str, object]:
    """Where its part that can be seen is; a widget that is scrolled away has none."""
    region = widget.visibleRegion()
    middle = widget.mapToGlobal(region.boundingRect().center() if not region.isEmpty() else QPoint(-1, -1))
    over = QApplication.widgetAt(middle)
    hit = over is not None and (over is widget or widget.isAncestorOf(over))
    return {
        "words": _words(widget),
        "button": isinstance(widget, QAbstractButton),
        "enabled": widget.isEnabled(),
        "reach": not region.isEmpty() and hit,
        "x": middle.x(),
        "y": middle.y(),
    }


if __name__ == "__main__":
    app.Desktop = TellingDesktop  # type: ignore[misc]
    sys.exit(main([]))
