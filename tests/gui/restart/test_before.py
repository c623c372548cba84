# SPDX-License-Identifier: GPL-3.0-or-later
"""The page before the restart."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
import segno
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QImage, QPainter, QPdfWriter
from PySide6.QtWidgets import QCheckBox

from fakes.hosts import SETUP, amd_integrated, host, known, output
from fakes.plans import make_plan_for
from vitrail.model.machine import MachineKind
from vitrail.model.plan import Guard, GuardStrength
from vitrail.model.text import text
from vitrail.model.trial import OneShot
from vitrail.qt.restart.before import before_page, rescue_text
from vitrail.qt.restart.before_view import BeforeView
from vitrail.qt.restart.qr import MAX_BYTES, QUIET, draw_code, matrix_of
from vitrail.qt.restart.sheet_paper import draw_sheet
from vitrail.qt.restart.timeline_view import spread

NOW = 1_800_000_000.0
GUARD = Guard(GuardStrength.AUTOMATIC, OneShot.GRUB, ())
PLAN = replace(make_plan_for("<domain/>", "<domain />"), guard=GUARD)


def page_for(machine=None, guard=GUARD):
    return before_page(machine or host(), replace(PLAN, guard=guard), guard, NOW, known(74))


def ids(page):
    return [check.words.id for check in page.checks]


def test_the_staying_screen_is_named():
    stays = amd_integrated(outputs=(output(),))
    assert "qt.before.check.screen" in ids(page_for(host(stays)))


def test_a_sealed_disk_asks_for_the_recovery_key():
    plain = host()
    sealed = replace(plain, boot=replace(plain.boot, setup=replace(SETUP, sealed_unlock=known(True))))  # noqa: FBT003
    assert "qt.before.check.recovery-key" in ids(page_for(sealed))
    assert "qt.before.check.recovery-key" not in ids(page_for())


def test_a_weak_guard_suggests_another_way_in_and_does_not_demand_it():
    page = page_for(guard=Guard(GuardStrength.GUARD_UNIT, None, (text("qt.before.note"),)))
    (other,) = [check for check in page.checks if check.words.id == "qt.before.check.other-way"]
    assert not other.must


def test_only_this_computer_is_restarted():
    assert page_for(host(kind=MachineKind.REAL)).restarts
    assert not page_for(host(kind=MachineKind.RECORDING)).restarts


def test_the_rescue_sheet_names_the_whole_command_and_the_word(english):
    sheet = rescue_text(english.say, page_for())
    assert f"--undo --plan {PLAN.plan_id}" in sheet
    assert "vitrail=off" in sheet
    assert sheet.count("\n") == len(page_for().rescue)


def test_the_sheet_fits_a_code_that_a_telephone_reads(english):
    for strength in GuardStrength:
        page = page_for(guard=Guard(strength, None, ()))
        assert matrix_of(rescue_text(english.say, page)) is not None


def test_a_text_that_is_too_long_gets_no_code():
    assert matrix_of("x" * (MAX_BYTES + 1)) is None


@pytest.mark.usefixtures("qapp")
def test_the_picture_is_the_code_module_by_module():
    modules = matrix_of("vitrail")
    side = (len(modules) + 2 * QUIET) * 4
    image = QImage(side, side, QImage.Format.Format_RGB32)
    painter = QPainter(image)
    draw_code(painter, modules, QRectF(0, 0, side, side))
    painter.end()
    seen = [
        [image.pixelColor((c + QUIET) * 4 + 2, (r + QUIET) * 4 + 2) == QColor("black") for c in range(len(modules))]
        for r in range(len(modules))
    ]
    want = segno.make("vitrail", error="l", micro=False, boost_error=False, encoding="utf-8").matrix
    assert seen == [[bool(module) for module in row] for row in want]


@pytest.mark.usefixtures("qapp")
def test_the_sheet_on_paper_is_one_page_that_is_not_empty(english, tmp_path):
    target = tmp_path / "sheet.pdf"
    draw_sheet(QPdfWriter(str(target)), rescue_text(english.say, page_for()))
    content = target.read_bytes()
    assert content.startswith(b"%PDF")
    assert content.count(b"/Type /Page\n") == 1


def test_the_button_waits_for_everything_that_must_be_ready(qtbot, english):
    heard = []
    view = BeforeView(english.say, page_for(), heard.append)
    qtbot.addWidget(view)
    boxes = view.findChildren(QCheckBox)
    assert not view.ready
    for box in boxes:
        box.click()
    assert view.ready
    assert heard[-1] is True
    boxes[0].click()
    assert heard[-1] is False


@pytest.mark.parametrize("shares", [(0.0, 0.01, 0.02, 1.0), (0.0, 0.5, 1.0), (0.0, 0.9, 0.95, 0.99, 1.0)])
def test_points_never_stand_on_each_other(shares):
    places = spread(shares)
    assert places[0] == 0.0
    assert places[-1] == 1.0
    assert all(later - earlier > 0.09 for earlier, later in pairwise(places))
