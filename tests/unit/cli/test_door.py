# SPDX-License-Identifier: GPL-3.0-or-later
"""How commands end: faults of our own, readers that leave, Ctrl-C, and questions on a terminal."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fakes.domains import SECRET
from vitrail.cli.door import exit_code, leave
from vitrail.model.errors import ApplyFailed, Refused, Unreachable, Unreadable, Unsettled
from vitrail.model.text import text


@pytest.mark.parametrize(
    ("kind", "code"), [(Refused, 1), (Unreachable, 2), (Unreadable, 3), (ApplyFailed, 4), (Unsettled, 5)]
)
def test_each_kind_of_failure_has_its_code(kind, code):
    assert exit_code(kind(text("cli.keep.nothing"))) == code


def raising(error):
    def run():
        raise error

    return run


def test_a_fault_of_our_own_is_one_sentence_without_what_it_was_about(capsys):
    code = leave(raising(ValueError(SECRET)), "scan", as_json=False, language="en")
    out, err = capsys.readouterr()
    assert code == 2
    assert "fault of its own (ValueError at test_door.py:" in err
    assert "Traceback" not in err
    assert SECRET not in out + err


def test_a_fault_of_our_own_is_an_object_for_a_script(capsys):
    assert leave(raising(RecursionError()), "scan", as_json=True, language=None) == 2
    assert json.loads(capsys.readouterr().out)["error"]["id"] == "fault"


def test_ctrl_c_is_quiet(capsys):
    assert leave(raising(KeyboardInterrupt()), "scan", as_json=False, language=None) == 130
    assert capsys.readouterr() == ("", "")


def test_a_reader_that_leaves_is_no_failure(machine):
    command = f"{sys.executable} -m vitrail scan --machine {machine} | true; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_terminal_without_unicode_gets_no_traceback(machine):
    done = subprocess.run(
        [sys.executable, "-m", "vitrail", "scan", "--machine", str(machine)],
        capture_output=True,
        check=False,
        timeout=60,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )
    assert done.returncode == 0
    assert done.stdout.isascii()


def on_a_terminal(answer: bytes, *words: str) -> tuple[int, str]:
    """Run a command on a terminal of its own and give this answer to its question."""
    child, terminal = pty.fork()
    if child == 0:
        os.execv(sys.executable, [sys.executable, "-m", "vitrail", *words])
    seen = b""
    try:
        while b"[y/N]" not in seen:
            seen += os.read(terminal, 65536)
        # Python loses a Ctrl+C between its last look and the read that waits; nobody types that fast.
        while Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[0] != "S":
            time.sleep(0.01)
        os.write(terminal, answer)
        while True:
            seen += os.read(terminal, 65536)
    except OSError:
        pass
    finally:
        os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), seen.decode()


def test_a_no_on_a_terminal_writes_nothing(vitrail, machine):
    words = ("apply", "--machine", str(machine), "--vm", "plain", "--mode", "virtio")
    code, seen = on_a_terminal(b"n\n", *words)
    assert code == 1
    assert "Nothing was written." in seen
    assert seen.index("type='virtio'") < seen.index("[y/N]")
    assert vitrail("history", "--machine", machine, "--json").json["plans"] == []


def test_ctrl_c_at_the_question_is_a_no_that_is_said(vitrail, machine):
    code, seen = on_a_terminal(b"\x03", "apply", "--machine", str(machine), "--vm", "plain", "--mode", "virtio")
    assert code == 130
    assert seen.rstrip().endswith("Nothing was written.")
    assert vitrail("history", "--machine", machine, "--json").json["plans"] == []


def test_a_yes_on_a_terminal_writes(vitrail, machine):
    code, _ = on_a_terminal(b"y\n", "apply", "--machine", str(machine), "--vm", "plain", "--mode", "virtio")
    assert code == 0
    assert vitrail("history", "--machine", machine, "--json").json["plans"][0]["state"] == "applied"


def test_undo_on_a_terminal_shows_and_asks(vitrail, machine):
    vitrail("apply", "--machine", machine, "--vm", "plain", "--mode", "virtio", "--yes")
    code, seen = on_a_terminal(b"y\n", "undo", "--machine", str(machine))
    assert code == 0
    assert seen.index("qxl") < seen.index("[y/N]")
    assert vitrail("history", "--machine", machine, "--json").json["plans"][0]["state"] == "taken_back"


def test_the_desktop_without_a_display_says_what_works(vitrail, monkeypatch):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    said = vitrail()
    assert said.code == 1
    assert "vitrail scan" in said.err
