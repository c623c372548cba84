# SPDX-License-Identifier: GPL-3.0-or-later
"""Debian's own update-grub, on a copy of this very system."""

from __future__ import annotations

import shutil

import pytest

from helper.bench import ARGUMENTS, BOOT_ID, MACHINE_ID, PLAN_ID, WORDS, apply_line, undo_line
from helper.real_system import LINE, make_system
from vitrail.model.host_step import ArgumentFile, ArgumentsFile, HostPlan, RunTool, Tool, WriteFile
from vitrail.model.render import digest_of, render

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(shutil.which("update-grub") is None, reason="update-grub is not installed"),
]


@pytest.fixture
def system(tmp_path):
    made = make_system(tmp_path)
    made.boot(BOOT_ID, *LINE)
    return made


def test_grub_s_own_menu_gets_the_words_and_loses_them(system):
    before = system.kernels()
    assert before
    template = ArgumentsFile(ArgumentFile.GRUB_DROP_IN, ARGUMENTS)
    step = WriteFile(template, None, digest_of(render(template, None)))
    machine = digest_of(b"vitrail " + MACHINE_ID.encode())
    plan = HostPlan(PLAN_ID, machine, BOOT_ID, (), (step, RunTool(Tool.UPDATE_GRUB)), (), guarded=False)
    assert system.ask(apply_line(plan))["result"] == "applied"
    after = system.kernels()
    assert after == [line if " single" in line else " ".join([line, *WORDS]) for line in before]
    (outcome,) = system.ask(undo_line())
    assert outcome["result"] == "taken_back"
    assert system.kernels() == before
