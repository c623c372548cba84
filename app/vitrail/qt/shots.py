# SPDX-License-Identifier: GPL-3.0-or-later
"""Every page and every wizard step as a picture, without a screen: the same windows on the same workplace.

The offscreen platform draws what a screen would show; it has to be chosen before the application object exists. A
recording is changed once, in a state folder that is gone afterwards, so that Changes has something to take back.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from PySide6.QtCore import QEvent, QSettings
from PySide6.QtWidgets import QApplication, QWidget

from vitrail.model.choice import Choice, Qxl, Virtio
from vitrail.model.errors import Refused, Unreadable
from vitrail.model.machine import MachineKind
from vitrail.model.reading import known_or
from vitrail.model.text import text
from vitrail.qt.application import make_application
from vitrail.qt.desk import Desk
from vitrail.qt.main_window import FIRST_SIZE, MainWindow
from vitrail.qt.palettes import Scheme, wear
from vitrail.qt.preferences import Preferences
from vitrail.qt.runner import Runner
from vitrail.qt.wizard.shots import steps
from vitrail.service.places import open_place
from vitrail.service.workplace import Workplace
from vitrail.text.speaker import Speaker, speaker

_CHANGED_HERE = (MachineKind.DEMO, MachineKind.RECORDING)
_ROUNDS = 5
"""Layouts settle in steps: a label learns its width, then the page its height."""
_TICKS = 5
_MEASURED_S = 10.0
_TO_TRY: tuple[Choice, ...] = (Virtio(), Qxl())


def draw(destination: Path, machine: str | None, connect: str | None, dark: bool, language: str | None) -> int:
    """Write the pictures into `destination`, made where it is not there. Raises VitrailError."""
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    try:
        destination.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Unreadable(text("qt.shots.folder", path=str(destination), why=error.strerror or str(error))) from error
    with tempfile.TemporaryDirectory(prefix="vitrail-shots-") as folder:
        named = machine if machine or connect else "demo"
        workplace = open_place(named, connect, state_folder=Path(folder) if named else None)
        app = QApplication.instance()
        wear(app if isinstance(app, QApplication) else make_application(), Scheme.DARK if dark else Scheme.LIGHT)
        runner = Runner()
        try:
            _draw_all(workplace, runner, speaker(language), destination, Path(folder))
        finally:
            runner.close()
            workplace.close()
    return 0


def _draw_all(workplace: Workplace, runner: Runner, words: Speaker, destination: Path, folder: Path) -> None:
    number = 0
    # Preferences of whoever runs this must not change the pictures.
    preferences = Preferences(QSettings(str(folder / "settings.ini"), QSettings.Format.IniFormat))
    for name, widget in _pages(workplace, runner, words, preferences):
        number += 1
        _save(widget, destination / f"{number:02d}-{name}.png")
    for name, widget in steps(workplace, runner, words):
        number += 1
        _save(widget, destination / f"{number:02d}-wizard-{name}.png")
        _discard(widget)


def _pages(
    workplace: Workplace, runner: Runner, words: Speaker, preferences: Preferences
) -> Iterator[tuple[str, QWidget]]:
    desk = Desk(workplace, runner, words)
    window = MainWindow(desk, preferences)
    window.resize(FIRST_SIZE)
    window.show()
    desk.look_now()
    for name in window.page_names:
        window.show_page(name)
        if name == "load" and desk.sampling.measures:
            _measure(desk)
        yield name, window
        for view, show in window.page(name).views():
            _do(show)
            yield f"{name}-{view}", window
    if workplace.kind in _CHANGED_HERE and _change_something(workplace):
        window.show_page("changes")
        desk.look_now()
        yield "changes-in-force", window
    _discard(window)


def _measure(desk: Desk) -> None:
    """A few real ticks, so that the curves are those of this computer; fewer where it does not answer."""
    seen: list[object] = []
    desk.load_sampled.connect(seen.append)
    until = time.monotonic() + _MEASURED_S
    while len(seen) < _TICKS and time.monotonic() < until:
        QApplication.processEvents()
        time.sleep(0.02)


def _discard(window: QWidget) -> None:
    window.hide()
    window.deleteLater()
    # Outside an event loop nobody else would delete it.
    QApplication.sendPostedEvents(window, QEvent.Type.DeferredDelete)


def _do(show: Callable[[], None]) -> None:
    show()


def _change_something(workplace: Workplace) -> bool:
    """One real change of the recording's copy; False where no VM of it takes one."""
    host = workplace.read()
    for vm in known_or(host.vms, ()):
        for choice in _TO_TRY:
            try:
                plan = workplace.plan(host, vm, choice)
                if plan.steps:
                    workplace.apply(plan)
                    return True
            except Refused:
                continue
    return False


def _save(widget: QWidget, path: Path) -> None:
    """Let everything that is under way arrive, then draw."""
    for _ in range(_ROUNDS):
        QApplication.sendPostedEvents()
        QApplication.processEvents()
    widget.grab().save(str(path))
