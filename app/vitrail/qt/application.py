# SPDX-License-Identifier: GPL-3.0-or-later
"""The application object, and what is said where there can be none.

Qt ends the process where it reaches no display, before any error could be raised; so what it says while it starts is
heard, and its last words are put into ours.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

from PySide6.QtCore import QMessageLogContext, QtMsgType, qInstallMessageHandler
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QApplication

from vitrail.model.errors import Unreachable
from vitrail.model.text import text
from vitrail.qt.garbage import Collector
from vitrail.source.resources import resources

_SWITCH_SECONDS = 0.0005
"""How long the window may wait for a thread that computes: it draws in many small steps, and waits before each."""
GiveUp = Callable[[Unreachable], object]


def make_application(give_up: GiveUp | None = None) -> QApplication:
    """The application object with its names and icon; where there can be no window, `give_up` ends the process."""
    app = QApplication(sys.argv[:1]) if give_up is None else _heard(give_up)
    app.setApplicationName("vitrail")
    app.setOrganizationName("vitrail")
    app.setApplicationDisplayName("Vitrail")
    app.setDesktopFileName("org.vitrail.Vitrail")
    Collector(app)
    sys.setswitchinterval(_SWITCH_SECONDS)
    app.setWindowIcon(QIcon(str(resources() / "icons" / "vitrail.svg")))
    return app


def _heard(give_up: GiveUp) -> QApplication:
    said: list[str] = []

    def hear(kind: QtMsgType, _context: QMessageLogContext, words: str) -> None:
        if kind is QtMsgType.QtFatalMsg:
            give_up(_no_window(said[0] if said else words))
        said.append(words)

    qInstallMessageHandler(hear)
    app = QApplication(sys.argv[:1])
    qInstallMessageHandler(None)
    for words in said:
        sys.stderr.write(f"{words}\n")
    return app


def _no_window(why: str) -> Unreachable:
    return Unreachable(
        text("qt.no-window", why=why.strip().rstrip(".")),
        text("qt.no-window.desktop"),
        text("qt.no-window.scan"),
    )
