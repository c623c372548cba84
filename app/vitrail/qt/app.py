# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts the desktop: the window first, the facts when they come."""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, QSettings, Qt

from vitrail.qt.application import GiveUp, make_application
from vitrail.qt.desk import Desk
from vitrail.qt.main_window import MainWindow
from vitrail.qt.palettes import wear
from vitrail.qt.preferences import Preferences
from vitrail.qt.runner import Runner
from vitrail.service.places import open_place
from vitrail.service.workplace import Workplace
from vitrail.text.speaker import Speaker, speaker


def run(first: Workplace, language: str | None, give_up: GiveUp) -> int:
    """Show this place until its windows are closed; `give_up` is told where there can be none."""
    app = make_application(give_up)
    preferences = Preferences(QSettings())
    wear(app, preferences.scheme)
    desktop = Desktop(preferences, speaker(language or preferences.language))
    desktop.open(first)
    # What was loaded until here stays; looking through it for garbage would hold the window up.
    gc.freeze()
    return app.exec()


class Desktop(QObject):
    """The open windows, one place each, so that two places can never be taken for one another."""

    def __init__(self, preferences: Preferences, speaker_: Speaker) -> None:
        super().__init__()
        self._preferences = preferences
        self._speaker = speaker_
        self._windows: list[MainWindow] = []

    def open(self, workplace: Workplace) -> MainWindow:
        """Show the place in a window of its own; it fills when the first look is there."""
        runner = Runner()
        desk = Desk(workplace, runner, self._speaker)
        window = MainWindow(desk, self._preferences)
        # They live and go as one; and not before Qt has let go of the window, which it still holds while it closes.
        runner.setParent(window)
        desk.setParent(window)
        self._windows.append(window)
        window.destroyed.connect(lambda: self._windows.remove(window))
        desk.wizard_asked.connect(lambda uuid: self._give(desk, window, uuid))
        desk.demo_asked.connect(lambda: runner.read(_open_demo, self.open, desk.reading_failed.emit, desk))
        window.closed.connect(lambda: self._close(desk, window))
        window.show()
        desk.read()
        desk.watch()
        return window

    def _give(self, desk: Desk, window: MainWindow, vm_uuid: str) -> None:
        from vitrail.qt.wizard.window import Wizard  # noqa: PLC0415 - all that plans and writes, once it is wanted

        wizard = Wizard(desk.workplace, desk.runner, self._speaker, vm_uuid or None, window)
        wizard.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        wizard.finished_with.connect(lambda plan_id: _finished(desk, plan_id))
        wizard.show()

    def _close(self, desk: Desk, window: MainWindow) -> None:
        desk.runner.close()
        desk.workplace.close()
        window.deleteLater()


def _finished(desk: Desk, plan_id: object) -> None:
    """What was written stands among the changes, with its way back, as soon as the wizard is gone."""
    desk.read()
    if isinstance(plan_id, str):
        desk.page_asked.emit("changes", plan_id)


def _open_demo() -> Workplace:
    return open_place("demo", None)
