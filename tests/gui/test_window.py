# SPDX-License-Identifier: GPL-3.0-or-later
"""The window as its user meets it: pages, keys, slow and failing places, hostile names, Take back."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QAbstractItemView, QComboBox, QLabel, QLineEdit, QPushButton

from gui.places import ModelPlace
from gui.scenes import HOSTILE, crowded, empty, everything, full, history, hostile, single
from vitrail.model.errors import Unreachable
from vitrail.model.machine import Host, MachineKind
from vitrail.model.text import text
from vitrail.qt.desk import Desk
from vitrail.qt.main_window import FIRST_SIZE, MainWindow
from vitrail.qt.pages.changes import ChangesPage
from vitrail.qt.picture.nodes import Node
from vitrail.qt.picture.view import PictureView
from vitrail.qt.place_banner import PlaceBanner
from vitrail.qt.rail import RailButton
from vitrail.qt.runner import Runner

Open = Callable[..., tuple[MainWindow, ModelPlace]]


@pytest.fixture
def open_window(qtbot, english, preferences) -> Iterator[Open]:
    """Opens a window on a machine, filled unless told not to wait."""
    opened: list[tuple[MainWindow, Desk]] = []

    def opens(machine: Host, *, wait: bool = True, **said: Any) -> tuple[MainWindow, ModelPlace]:
        place = ModelPlace(machine, **said)
        desk = Desk(place, Runner(), english)  # type: ignore[arg-type]
        window = MainWindow(desk, preferences)
        opened.append((window, desk))
        qtbot.addWidget(window)
        window.show()
        desk.watch()
        if wait:
            with qtbot.waitSignal(desk.facts_read):
                desk.read()
        return window, place

    yield opens
    for _, desk in opened:
        desk.workplace.gate.set()  # type: ignore[attr-defined]
        desk.runner.close()


def desk_of(window: MainWindow) -> Desk:
    return window._desk


@pytest.mark.parametrize("machine", [full, single, empty, crowded, hostile])
def test_every_page_shows_every_machine(open_window: Open, machine) -> None:
    window, _ = open_window(machine(), **everything())
    for name in window.page_names:
        window.show_page(name)
        for _, show in window.page(name).views():
            show()
        assert window.grab().width() > 0


def test_names_from_outside_are_shown_as_plain_text(open_window: Open) -> None:
    window, _ = open_window(hostile(), **everything())
    for name in window.page_names:
        window.show_page(name)
    labels = window.findChildren(QLabel)
    assert labels
    for label in labels:
        assert label.textFormat() is Qt.TextFormat.PlainText or label.pixmap() is not None
        assert "\u202e" not in label.text()
        assert "\x1b" not in label.text()
    for button in window.findChildren(QAbstractButton):
        assert "\u202e" not in button.text() + button.toolTip() + button.accessibleName()
        assert "<" not in button.toolTip()


def test_everything_that_can_be_used_has_a_name_to_read_out(open_window: Open) -> None:
    window, _ = open_window(full(), **everything())
    for name in window.page_names:
        window.show_page(name)
    kinds = (QAbstractButton, QLineEdit, QComboBox, QAbstractItemView)
    nameless = [
        widget
        for kind in kinds
        for widget in window.findChildren(kind)
        if widget.isVisibleTo(window)
        and widget.focusPolicy() is not Qt.FocusPolicy.NoFocus
        and not (widget.accessibleName() or (isinstance(widget, QAbstractButton) and widget.text()))
    ]
    assert not nameless


def test_the_arrow_keys_walk_the_picture_along_its_lines(open_window: Open) -> None:
    window, _ = open_window(full())
    picture = window.findChild(PictureView)
    nodes = {node.accessibleName(): node for node in picture.findChildren(Node)}
    nodes["Monitor at HDMI-A-2"].setFocus()
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Right):
        QTest.keyClick(window.focusWidget(), key)
    assert nodes["win11-games"].isChecked()
    QTest.keyClick(window.focusWidget(), Qt.Key.Key_Down)
    assert nodes["cad-studio"].isChecked()
    QTest.keyClick(window.focusWidget(), Qt.Key.Key_Left)
    assert nodes["Arc Pro B50"].isChecked()


def test_return_on_a_node_opens_its_page(qtbot, open_window: Open) -> None:
    window, _ = open_window(full())
    node = next(node for node in window.findChildren(Node) if node.accessibleName() == "fedora-desk")
    with qtbot.waitSignal(desk_of(window).page_asked) as asked:
        QTest.keyClick(node, Qt.Key.Key_Return)
    assert asked.args[0] == "vms"


def test_the_keys_choose_pages_read_again_and_search(qtbot, open_window: Open) -> None:
    window, place = open_window(full(), **everything())
    qtbot.waitActive(window)
    QTest.keyClick(window, Qt.Key.Key_3, Qt.KeyboardModifier.ControlModifier)
    assert window._name == "vms"
    QTest.keyClick(window, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    assert isinstance(window.focusWidget(), QLineEdit)
    reads = place.reads
    QTest.keyClick(window, Qt.Key.Key_F5)
    qtbot.waitUntil(lambda: place.reads == reads + 1)


def test_the_window_is_there_before_the_facts_and_never_waits(qtbot, open_window: Open) -> None:
    window, place = open_window(full(), wait=False)
    place.gate.clear()
    desk = desk_of(window)
    gaps: list[float] = []
    last = time.perf_counter()

    def tick() -> None:
        nonlocal last
        now = time.perf_counter()
        gaps.append(now - last)
        last = now

    timer = QTimer()
    timer.setInterval(5)
    timer.timeout.connect(tick)
    timer.start()
    desk.read()
    qtbot.waitUntil(lambda: len(gaps) > 40)
    timer.stop()
    assert desk.facts is None
    assert window.isVisible()
    # The first gaps hold the window's own first painting.
    assert max(gaps[5:]) < 0.05 + 0.005
    place.gate.set()
    qtbot.waitSignal(desk.facts_read).wait()


def test_ten_events_while_reading_make_one_more_read(qtbot, open_window: Open) -> None:
    window, place = open_window(full(), wait=False)
    place.gate.clear()
    desk = desk_of(window)
    desk.read()
    assert place.callback is not None
    for _ in range(10):
        place.callback(object())
    qtbot.wait(1)
    with qtbot.waitSignals([desk.facts_read, desk.facts_read]):
        place.gate.set()
    assert place.reads == 2


def test_a_place_that_cannot_be_read_says_why_and_what_next(qtbot, open_window: Open) -> None:
    fails = Unreachable(text("tests.cannot"), text("tests.do-this"))
    window, _ = open_window(full(), wait=False, fails=fails)
    with qtbot.waitSignal(desk_of(window).reading_failed):
        desk_of(window).read()

    def words() -> str:
        return " ".join(label.text() for label in window.findChildren(QLabel) if label.isVisibleTo(window))

    qtbot.waitUntil(lambda: "tests.cannot" in words())
    assert "tests.do-this" in words()


@pytest.mark.parametrize("kind", list(MachineKind))
def test_only_this_computer_has_no_banner(open_window: Open, kind: MachineKind) -> None:
    window, _ = open_window(single(), kind=kind, label=text("tests.place"))
    assert window.findChild(PlaceBanner).isVisibleTo(window) is (kind is not MachineKind.REAL)


def test_take_back_shows_its_diff_before_it_can_be_pressed(qtbot, open_window: Open) -> None:
    window, place = open_window(full(), **everything())
    place.gate.clear()
    window.show_page("changes")
    page = window.page("changes")
    assert isinstance(page, ChangesPage)
    assert not page._back.isEnabled()
    place.gate.set()
    qtbot.waitUntil(page._back.isEnabled)
    assert "<hostdev" in page._diff.words()
    qtbot.mouseClick(page._back, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: bool(place.undone))
    assert place.undone == [(history()[0].plan_id, False)]


def test_taking_everything_back_shows_the_whole_diff_first(qtbot, open_window: Open) -> None:
    window, place = open_window(full(), **everything())
    window.show_page("changes")
    page = window.page("changes")
    assert isinstance(page, ChangesPage)
    qtbot.mouseClick(page._all, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(page._back.isEnabled)
    qtbot.mouseClick(page._back, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: bool(place.undone))
    assert place.undone == [(None, True)]


def test_checking_a_change_shows_meant_against_seen(qtbot, open_window: Open) -> None:
    window, _ = open_window(full(), **everything())
    window.show_page("changes")
    page = window.page("changes")
    assert isinstance(page, ChangesPage)
    qtbot.mouseClick(page._check, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(page._proof.isVisible)
    assert page._proof.model().rowCount() == 3


def test_problems_are_counted_in_the_rail_and_read_out(open_window: Open) -> None:
    window, _ = open_window(full(), **everything())
    names = [button.accessibleName() for button in window.findChildren(RailButton)]
    assert "Problems, 2 are open" in names


def test_the_selection_survives_a_new_look(qtbot, open_window: Open) -> None:
    window, place = open_window(full(), **everything())
    window.show_page("vms", "")
    page = window.page("vms")
    page.show_thing("vm:" + next(vm.uuid for vm in full().vms.value if vm.name == "old-xp"))
    chosen = page._table.current_key()  # type: ignore[attr-defined]
    place.host = single()
    with qtbot.waitSignal(desk_of(window).facts_read):
        desk_of(window).read()
    place.host = full()
    with qtbot.waitSignal(desk_of(window).facts_read):
        desk_of(window).read()
    assert chosen
    assert page._table.model().rowCount() == 5  # type: ignore[attr-defined]


def test_the_window_comes_back_where_it_was(open_window: Open, preferences) -> None:
    window, _ = open_window(single())
    window.resize(990, 640)
    window.close()
    assert preferences.geometry is not None
    again, _ = open_window(single())
    assert again.size() != FIRST_SIZE


def test_a_thousand_vms_are_shown_without_a_long_stall(open_window: Open) -> None:
    window, _ = open_window(crowded(8, 1000))
    window.show_page("vms")
    assert window.page("vms")._table.model().rowCount() == 1000  # type: ignore[attr-defined]


def test_nothing_is_a_dead_button(open_window: Open) -> None:
    window, _ = open_window(full(), **everything())
    for name in window.page_names:
        window.show_page(name)
    assert all(button.receivers("2clicked(bool)") > 0 for button in window.findChildren(QPushButton))


def test_hostile_names_keep_their_letters(open_window: Open) -> None:
    window, _ = open_window(hostile())
    names = " ".join(node.accessibleName() for node in window.findChildren(Node))
    assert HOSTILE.split("\u202e", maxsplit=1)[0].strip() in names
