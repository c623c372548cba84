# SPDX-License-Identifier: GPL-3.0-or-later
"""The state folder: private files, originals by digest, one changer at a time."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from vitrail.model.errors import Refused, Unreachable
from vitrail.model.wire import text_digest
from vitrail.service.state import StateFolder, find_state_folder

_HOLD = """
import sys
from pathlib import Path
from vitrail.service.state import StateFolder
with StateFolder(Path(sys.argv[1])).lock("undo"):
    print("held", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def state(tmp_path: Path) -> StateFolder:
    return StateFolder(tmp_path / "state")


def test_the_folder_is_where_the_environment_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("VITRAIL_STATE_DIR", str(tmp_path))
    assert find_state_folder() == tmp_path


def test_without_a_word_it_is_the_platforms_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.delenv("VITRAIL_STATE_DIR", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert find_state_folder() == tmp_path / "vitrail"


def test_a_text_is_kept_privately_under_its_digest(state: StateFolder):
    digest = state.put("<domain passwd='x'/>\n")
    assert digest == text_digest("<domain passwd='x'/>\n")
    assert state.get(digest) == "<domain passwd='x'/>\n"
    assert state.object_path(digest).stat().st_mode & 0o777 == 0o600
    assert state.path.stat().st_mode & 0o777 == 0o700
    assert os.listdir(state.objects) == [digest]  # noqa: PTH208


def test_a_text_that_was_changed_on_the_disk_is_not_believed(state: StateFolder):
    digest = state.put("one")
    state.object_path(digest).write_text("two")
    assert state.get(digest) is None
    assert state.put("one") == digest
    assert state.get(digest) == "one"


def test_an_original_that_is_missing_is_none(state: StateFolder):
    assert state.get("0" * 64) is None


def test_a_second_changer_is_told_who_holds_the_lock(state: StateFolder):
    child = subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(state.path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with child:
        assert child.stdout is not None
        assert child.stdout.readline() == "held\n"
        with pytest.raises(Refused) as caught, state.lock("apply"):
            pass
        assert dict(caught.value.what.args) == {"pid": str(child.pid), "verb": "undo"}
        child.kill()
    with state.lock("apply"):
        pass


def test_a_state_folder_that_cannot_be_used_is_unreachable(tmp_path: Path):
    (tmp_path / "file").write_text("")
    state = StateFolder(tmp_path / "file")
    with pytest.raises(Unreachable):
        state.put("text")
    with pytest.raises(Unreachable), state.lock("apply"):
        pass
