# SPDX-License-Identifier: GPL-3.0-or-later
"""Live load as its user meets it: measured only while somebody looks, marked, exported, and told when it goes wrong."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton

from fakes.live_machine import LiveMachine
from gui.load_scenes import MovingLoad, moving
from gui.places import ModelPlace
from gui.scenes import HOSTILE
from vitrail.model.errors import Unreachable
from vitrail.model.finding import Finding, Severity, Status
from vitrail.model.machine import MachineKind
from vitrail.model.pci import PciAddress
from vitrail.model.text import text
from vitrail.qt.desk import Desk
from vitrail.qt.load.canvas import LoadCanvas
from vitrail.qt.load.evidence import TroublePlot
from vitrail.qt.load.kept import MomentPlot
from vitrail.qt.load.notices import Notices
from vitrail.qt.load.offers import Deed, Offer
from vitrail.qt.load.sampling import BESIDE_S, LOOKED_AT_S
from vitrail.qt.load.span import Range
from vitrail.qt.main_window import MainWindow
from vitrail.qt.pages.load import LoadPage
from vitrail.qt.picture.nodes import Node
from vitrail.qt.runner import Runner
from vitrail.service.load_findings import Trouble
from vitrail.service.state import StateFolder
from vitrail.service.stutters import Stutters


class Opened:
    """A window on a machine whose load moves."""

    def __init__(self, window: MainWindow, desk: Desk, load: MovingLoad, qtbot: Any) -> None:
        self.window, self.desk, self.load, self._qtbot = window, desk, load, qtbot

    @property
    def page(self) -> LoadPage:
        page = self.window.page("load")
        assert isinstance(page, LoadPage)
        return page

    @property
    def canvas(self) -> LoadCanvas:
        return self.page._canvas

    def tick(self, count: int = 1) -> None:
        """So many ticks, each as the timer would ask for it."""
        for _ in range(count):
            self._qtbot.waitUntil(lambda: not self.desk.sampling._asked)
            with self._qtbot.waitSignal(self.desk.load_sampled):
                self.desk.sampling._tick()


@pytest.fixture
def open_load(qtbot, english, preferences, tmp_path: Path) -> Iterator[Callable[..., Opened]]:
    """Opens a window with the page Live load in front, unless another is named."""
    opened: list[Opened] = []

    def opens(page: str = "load", *, load: MovingLoad | None = None, **said: Any) -> Opened:
        load = load or moving(tmp_path / "root", waits=True)
        place = ModelPlace(load.host, load=load, state_folder=tmp_path / "state", **said)
        desk = Desk(place, Runner(), english)  # type: ignore[arg-type]
        window = MainWindow(desk, preferences)
        opened.append(Opened(window, desk, load, qtbot))
        qtbot.addWidget(window)
        window.show()
        with qtbot.waitSignal(desk.pages_prepared):
            desk.read()
        window.show_page(page)
        return opened[-1]

    yield opens
    for one in opened:
        one.desk.runner.close()


def test_it_is_measured_on_its_own_thread_and_shown(open_load) -> None:
    one = open_load()
    one.tick(3)
    assert one.load.threads == {"vitrail-load_0"}
    assert "of the card" in one.page.headline.text()
    assert not one.canvas._curves or one.window.grab().width() > 0
    assert any(not curve.line.isEmpty() for _, curve in one.canvas._curves.values())


def test_nothing_is_measured_for_nobody(open_load) -> None:
    one = open_load()
    sampling = one.desk.sampling
    assert sampling.every_s == LOOKED_AT_S
    one.window.show_page("vms")
    one.window._settle()
    assert sampling.every_s == BESIDE_S
    one.window.show_page("settings")
    assert sampling.every_s is None
    one.window.show_page("load")
    assert sampling.every_s == LOOKED_AT_S
    one.window.hide()
    assert sampling.every_s is None
    one.window.show()
    assert sampling.every_s == LOOKED_AT_S
    one.window.showMinimized()
    assert sampling.every_s is None


def test_where_there_is_nothing_nothing_is_measured(open_load, tmp_path: Path) -> None:
    one = open_load(load=MovingLoad(LiveMachine(tmp_path / "bare")))
    assert one.desk.sampling.every_s is None
    assert one.page._stack.currentWidget() is one.page._nothing


def test_the_first_picture_is_left_alone(open_load) -> None:
    one = open_load("overview")
    assert "sampling" not in vars(one.desk)


def test_a_slow_machine_is_not_asked_twice_at_once(qtbot, open_load) -> None:
    one = open_load()
    one.tick()
    gate, really, asked = threading.Event(), one.load.tick, []

    def slow() -> Any:
        asked.append(1)
        gate.wait()
        return really()

    one.load.tick = slow  # type: ignore[method-assign]
    for _ in range(5):
        one.desk.sampling._tick()
    qtbot.waitUntil(lambda: bool(asked))
    assert not one.desk.sampling.traces.newest > one.load._wall()
    gate.set()
    qtbot.waitUntil(lambda: not one.desk.sampling._asked)
    assert len(asked) == 1


def test_every_thread_ends_and_everything_is_let_go(open_load) -> None:
    one = open_load()
    one.tick(2)
    one.desk.runner.close()
    assert one.load.closed
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("vitrail-load")]


def test_while_something_changes_the_cards_are_let_go(qtbot, open_load) -> None:
    one = open_load()
    one.tick()
    done: list[object] = []
    one.desk.runner.change(lambda: one.desk.workplace.undo("x"), done.append, done.append, one.window)
    qtbot.waitUntil(lambda: bool(done))
    assert one.load.aside == ["aside", "back"]


@pytest.mark.parametrize("kind", [kind for kind in MachineKind if kind is not MachineKind.REAL])
def test_elsewhere_nothing_is_measured_and_the_page_says_why(open_load, kind: MachineKind) -> None:
    one = open_load(kind=kind, label=text("tests.place"))
    assert one.desk.sampling.every_s is None
    one.desk.marking.mark()
    assert one.desk.sampling.every_s is None
    assert one.page._stack.currentWidget() is one.page._nothing
    assert not one.page._mark.isVisibleTo(one.window)


def test_a_failed_tick_is_said_and_the_next_one_takes_it_back(qtbot, open_load) -> None:
    one = open_load()
    one.tick()
    one.load.fails = Unreachable(text("tests.cannot"))
    with qtbot.waitSignal(one.desk.sampling.failed):
        one.desk.sampling._tick()
    assert one.page._notices.count() == 1
    one.load.fails = None
    one.tick()
    assert one.page._notices.count() == 0


def test_a_card_that_vanishes_leaves_the_page_whole(open_load) -> None:
    one = open_load()
    one.tick(2)
    for name in ("gpu_busy_percent", "mem_info_vram_used"):
        (one.load.folder_of("03:00.0") / name).unlink()
    one.load.move = lambda: None  # type: ignore[method-assign]
    one.load.machine.end(100)
    one.tick(7)
    assert one.window.grab().width() > 0
    del one.load.machine._cards["03:00.0"]
    one.load.know(one.load.machine.host())
    one.tick(2)
    assert [line.title for line in one.page._lines.cards] == ["Arc Pro B50"]
    assert one.window.grab().width() > 0


def test_a_hostile_name_is_only_a_name(open_load, tmp_path: Path) -> None:
    one = open_load(load=moving(tmp_path / "hostile", name=HOSTILE))
    one.tick(2)
    assert one.window.grab().width() > 0
    one.page._swap_view()
    model = one.page._table.model()
    words = [str(model.index(row, column).data()) for row in range(model.rowCount()) for column in range(5)]
    assert not [word for word in words if "\u202e" in word or "\x1b" in word]
    row = one.canvas._boxes.rows[0]
    assert "\u202e" not in one.canvas.why_at(row.left.center())


def test_what_is_not_known_says_its_whole_reason_under_the_pointer(open_load) -> None:
    one = open_load()
    one.tick(2)
    silent = next(row for row in one.canvas._boxes.rows if row.line.load is not None and row.line.load.why is not None)
    assert "xe" in one.canvas.why_at(silent.right.center())
    assert one.canvas.why_at(QPointF(-5, -5)) == ""


def test_one_cursor_is_on_every_curve_and_the_keys_move_it(open_load) -> None:
    one = open_load()
    one.tick(30)
    canvas = one.canvas
    QTest.mouseMove(canvas, QPoint(round(canvas._boxes.plot_left) + 50, 60))
    canvas.setFocus()
    QTest.keyClick(canvas, Qt.Key.Key_Left)
    first = canvas.cursor_at
    QTest.keyClick(canvas, Qt.Key.Key_Left)
    assert first is not None
    assert canvas.cursor_at == pytest.approx(first - 1)
    assert one.window.grab().width() > 0


def test_a_drag_zooms_and_a_double_click_shows_all_again(open_load) -> None:
    one = open_load()
    one.tick(30)
    canvas = one.canvas
    left, y = round(canvas._boxes.plot_left), round(canvas._boxes.rows[0].plot.center().y())
    QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=QPoint(left + 100, y))
    QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=QPoint(left + 300, y))
    assert canvas.span.zoomed
    assert one.page._whole.isVisibleTo(one.window)
    QTest.mouseDClick(canvas, Qt.MouseButton.LeftButton, pos=QPoint(left + 100, y))
    assert not canvas.span.zoomed


def test_a_week_comes_from_the_history(qtbot, open_load) -> None:
    one = open_load()
    one.load.seconds = 30.0
    one.tick(10)
    with qtbot.waitSignal(one.desk.sampling.week_read):
        one.page._choose(Range.WEEK)
    assert one.canvas.span.condensed
    assert len(one.canvas.dots(one.page._lines.vms[0].key)) >= 3
    assert one.window.grab().width() > 0


def test_the_table_says_what_the_picture_says(open_load) -> None:
    one = open_load()
    one.tick(2)
    names = [line.title for line in one.page._lines.every]
    one.page._swap_view()
    model = one.page._table.model()
    assert [model.index(row, 0).data() for row in range(model.rowCount())] == names


def test_a_mark_keeps_the_half_minute_around_it(qtbot, open_load, tmp_path: Path) -> None:
    one = open_load()
    one.tick(20)
    qtbot.mouseClick(one.page._mark, Qt.MouseButton.LeftButton)
    assert not one.page._mark.isEnabled()
    one.window.hide()
    assert one.desk.sampling.every_s == LOOKED_AT_S
    one.tick(16)
    qtbot.waitUntil(lambda: bool(one.desk.marking.kept))
    (kept,) = Stutters(StateFolder(tmp_path / "state")).all()
    assert kept.instants[0].at <= kept.marked_at - 14
    assert kept.instants[-1].at >= kept.marked_at + 15
    assert one.desk.sampling.every_s is None
    assert one.page._mark.isEnabled()


def test_kept_moments_are_listed_with_their_plot_and_can_be_removed(qtbot, open_load) -> None:
    one = open_load()
    one.tick(3)
    QTest.keyClick(one.window, Qt.Key.Key_M, Qt.KeyboardModifier.ControlModifier)
    one.tick(17)
    qtbot.waitUntil(lambda: bool(one.desk.marking.kept))
    one.page._swap_kept()
    assert one.page._kept.findChild(MomentPlot) is not None
    assert one.window.grab().width() > 0
    remove = next(made for made in one.page._kept.findChildren(QPushButton) if made.text() == "Remove")
    with qtbot.waitSignal(one.desk.marking.changed):
        qtbot.mouseClick(remove, Qt.MouseButton.LeftButton)
    assert one.desk.marking.kept == ()


def test_what_is_offered_is_done_and_measured_at_once(qtbot, open_load) -> None:
    one = open_load()
    one.tick()
    for deed in (Deed.PERMIT, Deed.ASK, Deed.STOP):
        with qtbot.waitSignal(one.desk.load_sampled):
            one.page._take(Offer(deed, "u", text("tests.words"), text("tests.does")))
    assert one.load.asked == ["permit", "u True", "u False"]


def test_the_export_is_written_off_the_windows_thread(qtbot, open_load, tmp_path: Path) -> None:
    one = open_load()
    one.tick(5)
    target = tmp_path / "load.csv"
    one.page.export_to(target)
    qtbot.waitUntil(lambda: one.page._notices.count() == 1)
    rows = target.read_text("utf-8").splitlines()
    assert rows[0].startswith("time_utc,kind,name")
    assert sum("cad-studio" in row for row in rows) >= 5


def test_the_overview_and_the_vm_table_show_it_only_once_it_is_known(open_load) -> None:
    one = open_load("overview")
    vms = one.window.page("vms")
    assert vms._table.isColumnHidden(6)  # type: ignore[attr-defined]
    one.desk.sampling.pace(None)
    one.tick(2)
    told = [node.accessibleDescription() for node in one.window.findChildren(Node)]
    assert any("% of the card" in words for words in told)
    assert one.window.grab().width() > 0
    one.window.show_page("vms")
    assert not vms._table.isColumnHidden(6)  # type: ignore[attr-defined]
    assert "% of the card" in vms._table.model().index(0, 6).data()  # type: ignore[attr-defined]


def test_memory_that_only_grows_is_a_problem_with_its_curve(open_load) -> None:
    one = open_load()
    one.load.seconds = 5.0
    one.tick(75)
    assert [trouble.finding.id for trouble in one.desk.troubles] == ["load.memory-grows"]
    one.window.show_page("problems")
    assert one.window.findChild(TroublePlot) is not None
    assert "1" in one.window.page("problems").headline.text()
    assert one.window._rail._buttons["problems"]._count == 1
    assert one.window.grab().width() > 0


CARD = PciAddress.parse("0000:03:00.0")


def trouble(name: str, severity: Severity = Severity.WARNS) -> Trouble:
    return Trouble(Finding(name, Status.FAIL, severity, text("tests.title"), (), text("tests.remedy")), "key", CARD, ())


def test_each_trouble_is_told_once_and_again_when_it_came_back(english) -> None:
    told: list[tuple[str, str]] = []
    notices = Notices(lambda: True, english.say, lambda title, words: told.append((title, words)))
    grows = (trouble("grows"), trouble("unused", Severity.INFO))
    for troubles in (grows, grows, (), grows):
        notices.hear(troubles)
    assert told == [("tests.title", "tests.remedy")] * 2


def test_who_wants_no_messages_gets_none(english, preferences) -> None:
    told: list[tuple[str, str]] = []
    preferences.want_notices(wanted=False)
    Notices(preferences.wants_notices, english.say, lambda *words: told.append(words)).hear((trouble("grows"),))
    assert not told
    preferences.want_notices(wanted=True)
    assert preferences.wants_notices()
