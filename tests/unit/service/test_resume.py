# SPDX-License-Identifier: GPL-3.0-or-later
"""The entry that opens the proof page: whatever a path holds, a session starts exactly these words."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from vitrail.service.resume import exec_line, how_started, resume_at_login
from vitrail.service.starting import parse_start
from vitrail.service.user_files import UserFiles
from vitrail.service.user_step import RESUME_FILE, drop_resume


def _read_back(line: str) -> list[str]:
    """The words that a session reads: the string's escapes first, then the quotes, then the field codes."""
    words = re.sub(r"\\(.)", r"\1", line)
    assert not re.search(r"(?<!%)(%%)*%(?!%)", words)
    found = re.findall(r'"((?:[^"\\]|\\.)*)"|(\S+)', words)
    return [(bare or re.sub(r"\\(.)", r"\1", quoted)).replace("%%", "%") for quoted, bare in found]


@pytest.fixture(autouse=True)
def plain(monkeypatch):
    for name in ("APPIMAGE", "FLATPAK_ID", "VITRAIL_STATE_DIR"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    "words",
    [
        ("/usr/bin/vitrail", "--resume"),
        ("/home/a b/Vitrail 1.0.AppImage", "--resume"),
        ("/opt/100%/vitrail", "--machine", "/home/ä/re\"cord'ed"),
        ("/home/$USER/`id`/vitrail", "a\\b", "", "x;y|z&(1)#?*<>~"),
    ],
)
def test_every_word_arrives_as_it_was(words):
    assert _read_back(exec_line(words)) == list(words)


def test_an_appimage_starts_itself(monkeypatch):
    monkeypatch.setenv("APPIMAGE", "/home/u/Vitrail.AppImage")
    assert how_started() == ("/home/u/Vitrail.AppImage",)


def test_a_flatpak_is_started_by_flatpak(monkeypatch):
    monkeypatch.setenv("FLATPAK_ID", "org.vitrail.Vitrail")
    assert how_started() == ("flatpak", "run", "org.vitrail.Vitrail")


def test_an_installed_program_is_started_by_its_path(monkeypatch, tmp_path):
    program = tmp_path / "vitrail"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "argv", [str(program), "apply"])
    assert how_started() == (str(program),)


def test_anything_else_is_started_by_this_python(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["/opt/vitrail/__main__.py"])
    assert how_started() == (sys.executable, "-m", "vitrail")


def test_another_state_folder_is_found_again(monkeypatch, tmp_path):
    monkeypatch.setenv("VITRAIL_STATE_DIR", str(tmp_path))
    assert how_started()[:2] == ("env", f"VITRAIL_STATE_DIR={tmp_path}")


@pytest.mark.parametrize(
    ("connection", "words"),
    [
        ("qemu:///system", []),
        ("qemu:///session", ["--connect", "qemu:///session"]),
        ("machine:demo", ["--machine", "demo"]),
        ("machine:/a b/c", ["--machine", "/a b/c"]),
    ],
)
def test_the_page_opens_on_the_same_place(connection, words):
    step = resume_at_login(connection)
    assert step is not None
    assert step.path == RESUME_FILE
    (line,) = [line for line in step.content.splitlines() if line.startswith("Exec=")]
    assert _read_back(line.removeprefix("Exec="))[-len(words) - 1 :] == [*words, "--resume"]


def test_a_command_that_no_entry_can_hold_gives_none():
    assert resume_at_login("machine:/a\nExec=evil") is None


@pytest.mark.parametrize(
    ("words", "seconds"),
    [
        ("Startup finished in 2.108s (kernel) + 11.5s (userspace) = 13.608s\ngraphical.target reached", 14),
        ("Startup finished in 5.9s (firmware) + 1min 2.1s (loader) + 3.0s (kernel) = 1min 11.0s ", 71),
        ("Startup finished in 900ms (kernel) = 900ms", 1),
        ("Bootup is not yet finished", None),
        ("", None),
    ],
)
def test_how_long_a_start_took(words, seconds):
    assert parse_start(words) == seconds


def test_a_resume_file_of_somebody_elses_stays(tmp_path: Path):
    files = UserFiles(tmp_path)
    drop_resume(files)
    files.write(RESUME_FILE, "[Desktop Entry]\nName=mine\n")
    drop_resume(files)
    assert files.read(RESUME_FILE) is not None
