# SPDX-License-Identifier: GPL-3.0-or-later
"""Every page and every wizard step as a picture, without a screen: the same windows on the same workplace.

The offscreen platform draws what a screen would show; it has to be chosen before the application object exists.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QApplication, QWidget

from vitrail.model.errors import Unreadable, VitrailError
from vitrail.model.text import text
from vitrail.qt.desk import Desk
from vitrail.qt.main_window import MainWindow
from vitrail.qt.palettes import Scheme, wear
from vitrail.qt.preferences import Preferences
from vitrail.qt.reading import read_facts
from vitrail.qt.runner import Runner
from vitrail.qt.wizard.shots import steps
from vitrail.service.places import open_place
from vitrail.service.workplace import Workplace
from vitrail.text.speaker import Speaker, speaker


def draw(destination: Path, machine: str | None, connect: str | None, dark: bool, language: str | None) -> int:
    """Write the pictures into `destination`, made where it is not there. Raises VitrailError."""
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    workplace = open_place(machine if machine or connect else "demo", connect)
    try:
        destination.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Unreadable(text("qt.shots.folder", path=str(destination), why=error.strerror or str(error))) from error
    app = QApplication.instance() or _application()
    if not isinstance(app, QApplication):
        raise Unreadable(text("qt.shots.no-application"))
    wear(app, Scheme.DARK if dark else Scheme.LIGHT)
    words = speaker(language)
    runner = Runner()
    try:
        number = _draw_pages(workplace, runner, words, destination)
        _draw_steps(workplace, runner, words, destination, number)
    finally:
        runner.close()
        workplace.close()
    return 0


def _application() -> QApplication:
    from vitrail.qt.app import make_application  # noqa: PLC0415 - the platform is chosen above

    return make_application()


def _draw_pages(workplace: Workplace, runner: Runner, words: Speaker, destination: Path) -> int:
    # Preferences of whoever runs this must not change the pictures.
    with tempfile.TemporaryDirectory() as folder:
        preferences = Preferences(QSettings(f"{folder}/settings.ini", QSettings.Format.IniFormat))
        desk = Desk(workplace, runner, words)
        window = MainWindow(desk, preferences)
        window.show()
        try:
            desk.take(read_facts(workplace))
        except VitrailError as error:
            desk.reading_failed.emit(error)
        number = 0
        for name in window.page_names:
            window.show_page(name)
            for view, show in (("", lambda: None), *window.page(name).views()):
                show()
                number += 1
                _save(window, destination / f"{number:02d}-{name}{'-' if view else ''}{view}.png")
        window.hide()
        window.deleteLater()
        return number


def _draw_steps(workplace: Workplace, runner: Runner, words: Speaker, destination: Path, number: int) -> None:
    for number_, (name, widget) in enumerate(steps(workplace, runner, words), start=number + 1):
        _save(widget, destination / f"{number_:02d}-wizard-{name}.png")
        widget.hide()
        widget.deleteLater()


def _save(widget: QWidget, path: Path) -> None:
    """Let everything that is under way arrive, then draw."""
    for _ in range(4):
        QApplication.sendPostedEvents()
        QApplication.processEvents()
    widget.grab().save(str(path))
