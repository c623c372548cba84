# SPDX-License-Identifier: GPL-3.0-or-later
"""The window on the real service with a recording: what is written appears, and one click takes it back."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from vitrail.model.choice import Qxl, Virtio
from vitrail.model.outcome import RunState
from vitrail.model.reading import known_or
from vitrail.qt.app import Desktop
from vitrail.qt.pages.changes import ChangesPage
from vitrail.qt.wizard.window import Wizard
from vitrail.service.places import open_place


def test_a_change_is_shown_taken_back_and_gone(qtbot, english, preferences, tmp_path: Path) -> None:
    workplace = open_place("demo", None, state_folder=tmp_path)
    host = workplace.read()
    vm = next(vm for vm in known_or(host.vms, ()) if vm.name == "win11-games")
    choice = Qxl() if vm.videos[0].model == "virtio" else Virtio()
    workplace.apply(workplace.plan(host, vm, choice))
    changed = workplace.find_vm(workplace.read(), vm.uuid).text
    assert changed != vm.text
    desktop = Desktop(preferences, english)
    window = desktop.open(workplace)
    qtbot.waitUntil(lambda: bool(window._desk.prepared))
    window.show_page("changes")
    page = window.page("changes")
    assert isinstance(page, ChangesPage)
    qtbot.waitUntil(page._back.isEnabled)
    qtbot.mouseClick(page._back, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: workplace.history()[0].state is RunState.TAKEN_BACK)
    assert workplace.find_vm(workplace.read(), vm.uuid).text == vm.text
    qtbot.waitUntil(lambda: not page._state.any_in_force)
    window.close()


def test_the_wizard_opens_from_the_overview(qtbot, english, preferences, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("VITRAIL_STATE_DIR", str(tmp_path))
    desktop = Desktop(preferences, english)
    window = desktop.open(open_place("demo", None))
    qtbot.waitUntil(lambda: bool(window._desk.prepared))
    window._desk.wizard_asked.emit("")
    wizard = next(widget for widget in QApplication.topLevelWidgets() if isinstance(widget, Wizard))
    qtbot.waitUntil(wizard.isVisible)
    wizard.close()
    window.close()


def test_the_demo_opens_in_a_window_of_its_own(qtbot, english, preferences, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("VITRAIL_STATE_DIR", str(tmp_path))
    desktop = Desktop(preferences, english)
    window = desktop.open(open_place(str(Path(__file__).parent.parent / "machines" / "no-iommu"), None))
    window._desk.demo_asked.emit()
    qtbot.waitUntil(lambda: len(desktop._windows) == 2)
    assert desktop._windows[0].windowTitle() != desktop._windows[1].windowTitle()
    for opened in tuple(desktop._windows):
        qtbot.waitUntil(lambda opened=opened: bool(opened._desk.prepared))
        opened.close()
