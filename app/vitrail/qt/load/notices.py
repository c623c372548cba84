# SPDX-License-Identifier: GPL-3.0-or-later
"""Tells on the desktop when the load goes wrong: each trouble once, and only while the user wants it.

Through the desktop's system tray, whose icon is there only as long as the message; a desktop without one gets none.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QSystemTrayIcon

from vitrail.model.finding import Severity
from vitrail.qt.widgets.labels import Say
from vitrail.service.load_findings import Trouble

_SHOWN_MS = 12_000
Tell = Callable[[str, str], object]


def can_tell() -> bool:
    """Whether this desktop shows messages of programs that have no window in front."""
    return QSystemTrayIcon.isSystemTrayAvailable() and QSystemTrayIcon.supportsMessages()


class Notices(QObject):
    """The messages of one window."""

    def __init__(self, wanted: Callable[[], bool], say: Say, tell: Tell, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._wanted, self._say, self._tell = wanted, say, tell
        self._told: set[tuple[str, str]] = set()

    def hear(self, troubles: tuple[Trouble, ...]) -> None:
        """What is wrong now. What went away and comes again is told again."""
        now = {(one.finding.id, one.key): one for one in troubles if one.finding.severity is Severity.WARNS}
        new = [one for name, one in now.items() if name not in self._told]
        self._told = set(now)
        if not self._wanted():
            return
        for one in new:
            remedy = "" if one.finding.remedy is None else self._say(one.finding.remedy)
            self._tell(self._say(one.finding.title), remedy)


class TrayMessages(QObject):
    """Shows a message through the system tray; `opened` is called when the user clicks it."""

    def __init__(self, opened: Callable[[], object], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._icon = QSystemTrayIcon(QGuiApplication.windowIcon(), self)
        self._icon.messageClicked.connect(lambda: opened())  # noqa: PLW0108 - the signal's own arguments stay away
        self._away = QTimer(self)
        self._away.setSingleShot(True)
        self._away.timeout.connect(self._icon.hide)

    def tell(self, title: str, words: str) -> None:
        """Show it for a while."""
        self._icon.show()
        self._icon.showMessage(title, words, QSystemTrayIcon.MessageIcon.Warning, _SHOWN_MS)
        self._away.start(_SHOWN_MS)
