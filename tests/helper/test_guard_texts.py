# SPDX-License-Identifier: GPL-3.0-or-later
"""The guard's unit and drop-ins, read by systemd's own tools."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from vitrail.model.guard_text import GUARD_TEXTS, UNIT
from vitrail.model.host_place import GUARD_CORE, place_of
from vitrail.model.host_step import Fixed, FixedFile
from vitrail.model.kernel_argument import Flag
from vitrail.model.render import render

pytestmark = pytest.mark.real
ANALYZE = shutil.which("systemd-analyze")
SYSTEMD = shutil.which("systemd", path="/usr/lib/systemd:/lib/systemd")
needs_systemd = pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is not on this system")


def written(tmp_path):
    for which in GUARD_TEXTS:
        path = tmp_path / place_of(FixedFile(which)).path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(render(FixedFile(which), None))
    return tmp_path / "etc/systemd/system"


def verified(units, name):
    return subprocess.run(
        [ANALYZE, "verify", "--man=no", units / name],
        capture_output=True,
        text=True,
        check=False,
        env={"SYSTEMD_UNIT_PATH": f"{units}:", "PATH": "/usr/bin:/bin"},
    )


@needs_systemd
def test_systemd_finds_nothing_wrong(tmp_path):
    units = written(tmp_path)
    done = verified(units, UNIT)
    assert (done.returncode, done.stderr) == (0, "")


@needs_systemd
def test_systemd_would_find_what_is_wrong(tmp_path):
    units = written(tmp_path)
    path = units / UNIT
    path.write_text(path.read_text().replace("IgnoreOnIsolate=yes", "IgnoreOnIsolation=yes"))
    assert "IgnoreOnIsolation" in verified(units, UNIT).stderr


@needs_systemd
@pytest.mark.parametrize("target", ["sysinit.target", "emergency.target"])
def test_the_drop_ins_are_taken(tmp_path, target):
    units = written(tmp_path)
    (units / target).write_text("[Unit]\nDescription=Ours to try the drop-in on\n")
    assert (units / f"{target}.d/60-vitrail.conf").is_file()
    done = verified(units, target)
    assert "vitrail" not in done.stderr


@needs_systemd
@pytest.mark.parametrize("condition", re.findall(r"^Condition.*$", GUARD_TEXTS[Fixed.GUARD_UNIT], re.MULTILINE))
def test_each_condition_is_one_that_systemd_knows(condition):
    done = subprocess.run([ANALYZE, "condition", condition], capture_output=True, text=True, check=False)
    assert "Failed to parse" not in done.stderr
    assert "Cannot parse" not in done.stderr


@pytest.fixture
def readable():
    """A folder that a systemd without privileges can read."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def planned(units, target):
    """What a real systemd would start for this target; it refuses to plan as root."""
    user = {"user": 65534, "group": 65534, "extra_groups": []} if os.geteuid() == 0 else {}
    done = subprocess.run(
        [SYSTEMD, "--test", "--system", f"--unit={target}", "--log-target=console"],
        capture_output=True,
        text=True,
        check=False,
        env={"SYSTEMD_UNIT_PATH": f"{units}:", "PATH": "/usr/bin:/bin"},
        **user,
    )
    starts = re.findall(r"Action: (\S+) -> start", done.stdout + done.stderr)
    if target not in starts:
        pytest.skip("systemd does not plan a start here")
    return starts


@pytest.mark.skipif(SYSTEMD is None, reason="systemd is not on this system")
@pytest.mark.parametrize("target", ["emergency.target", "rescue.target", "multi-user.target", "graphical.target"])
def test_with_the_drop_ins_every_start_starts_the_guard(readable, target):
    units = written(readable)
    assert UNIT in planned(units, target)
    for drop_in in units.glob("*/60-vitrail.conf"):
        drop_in.unlink()
    assert UNIT not in planned(units, target)


def test_the_unit_starts_the_stored_copy_and_the_line_names_the_unit():
    unit = GUARD_TEXTS[Fixed.GUARD_UNIT]
    assert f"ExecStart=/usr/bin/python3 -I -S /{GUARD_CORE} --guard\n" in unit
    assert f"ConditionPathExists=/{GUARD_CORE}\n" in unit
    assert place_of(FixedFile(Fixed.GUARD_UNIT)).path.endswith(f"/{UNIT}")
    assert Flag.GUARD.value == f"systemd.wants={UNIT}"


def test_nothing_enables_it_for_every_start():
    assert "[Install]" not in GUARD_TEXTS[Fixed.GUARD_UNIT]
