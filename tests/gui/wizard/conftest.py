# SPDX-License-Identifier: GPL-3.0-or-later
"""A wizard on a recorded machine with a state folder of its own."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from fakes.domains import HOSTILE_NAME, HOSTILE_UUID, SECRET, domain
from fakes.wizard_hands import Hands
from machines.build import place_of
from vitrail.qt.runner import Runner
from vitrail.qt.wizard.window import Wizard
from vitrail.service.places import open_place
from vitrail.service.workplace import Workplace
from vitrail.text.speaker import Speaker


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workplace]:
    """A desktop with two cards and four VMs, and one VM whose name and password are traps."""
    monkeypatch.setenv("VITRAIL_STATE_DIR", str(tmp_path / "state"))
    folder = tmp_path / "machine"
    shutil.copytree(place_of("amd-desktop"), folder, symlinks=True)
    trap = domain(HOSTILE_NAME, HOSTILE_UUID, password=SECRET)
    (folder / "libvirt" / "domains" / "trap.xml").write_text(trap, encoding="utf-8")
    opened = open_place(str(folder), None)
    yield opened
    opened.close()


@pytest.fixture
def open_wizard(qtbot: QtBot, workplace: Workplace, runner: Runner, english: Speaker) -> Callable[..., Hands]:
    """Opens a wizard; more than one can follow each other in a test."""

    def opened(vm_uuid: str | None = None) -> Hands:
        wizard = Wizard(workplace, runner, english, vm_uuid)
        qtbot.addWidget(wizard)
        wizard.show()
        hands = Hands(qtbot, wizard)
        hands.settle()
        return hands

    return opened
