# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts the desktop: the window first, the facts when they come."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

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

if TYPE_CHECKING:
    from vitrail.qt.restart.window import ProofWindow


def run(first: Workplace, language: str | None, give_up: GiveUp, *, resume: bool = False) -> int:
    """Show this place until its windows are closed; `give_up` is told where there can be none.

    `resume`: with the page about what waits in front.
    """
    app = make_application(give_up)
    preferences = Preferences(QSettings())
    wear(app, preferences.scheme)
    desktop = Desktop(preferences, speaker(language or preferences.language))
    desktop.open(first, resume=resume)
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

    def open(self, workplace: Workplace, *, resume: bool = False) -> MainWindow:
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
        desk.proof_asked.connect(lambda: self.prove(desk, window))
        desk.demo_asked.connect(lambda: runner.read(_open_demo, self.open, desk.reading_failed.emit, desk))
        window.closed.connect(lambda: self._close(desk, window))
        window.show()
        if resume:
            self.prove(desk, window)
        desk.read()
        desk.watch()
        return window

    def _give(self, desk: Desk, window: MainWindow, vm_uuid: str) -> None:
        from vitrail.qt.wizard.window import Wizard  # noqa: PLC0415 - all that plans and writes, once it is wanted

        wizard = Wizard(desk.workplace, desk.runner, self._speaker, vm_uuid or None, window)
        wizard.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        wizard.finished_with.connect(lambda plan_id: _finished(desk, plan_id))
        wizard.show()

    def prove(self, desk: Desk, window: MainWindow) -> ProofWindow:
        """The page about what waits, in front of this window."""
        from vitrail.qt.restart.window import ProofWindow  # noqa: PLC0415 - rarely wanted

        proof = ProofWindow(desk.workplace, desk.runner, self._speaker, window)
        proof.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        proof.answered.connect(desk.read)
        proof.wizard_asked.connect(lambda name: desk.wizard_asked.emit(_uuid_of(desk, name)))
        proof.show()
        return proof

    def _close(self, desk: Desk, window: MainWindow) -> None:
        desk.runner.close()
        desk.workplace.close()
        window.deleteLater()


def _uuid_of(desk: Desk, vm_name: str) -> str:
    """The VM that a change was for, empty where it is gone: then the wizard asks."""
    vms = () if desk.facts is None else desk.facts.vms
    return next((vm.uuid for vm in vms if vm.name == vm_name), "")


def _finished(desk: Desk, plan_id: object) -> None:
    """What was written stands among the changes, with its way back, as soon as the wizard is gone."""
    desk.read()
    if isinstance(plan_id, str):
        desk.page_asked.emit("changes", plan_id)


def _open_demo() -> Workplace:
    return open_place("demo", None)
