# SPDX-License-Identifier: GPL-3.0-or-later
"""Debian's own update-grub, on a copy-on-write of this very system in a mount namespace of its own.

Only grub-probe is stood in for, because a container's root is on no disk that GRUB knows.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from helper.bench import (
    ARGUMENTS,
    BOOT_ID,
    MACHINE_ID,
    PLAN_ID,
    REPOSITORY,
    WORDS,
    apply_line,
    undo_line,
)
from vitrail.model.host_step import ArgumentFile, ArgumentsFile, HostPlan, RunTool, Tool, WriteFile
from vitrail.model.render import digest_of, render

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(shutil.which("update-grub") is None, reason="update-grub is not installed"),
]

SETTINGS = 'GRUB_DEFAULT=0\nGRUB_DISTRIBUTOR=Debian\nGRUB_CMDLINE_LINUX_DEFAULT="quiet"\nGRUB_CMDLINE_LINUX=""\n'
PROBE = """#!/bin/sh
case "$*" in
*target=device*) echo /dev/vda ;;
*fs_uuid*) echo 1111-2222 ;;
*target=fs* | *"-t fs"*) echo ext2 ;;
*abstraction* | *partmap*) ;;
*) echo hd0 ;;
esac
"""
MOUNT = """
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/merged"
mount --bind "$1/proc" "$1/merged/proc"
cd "$1/merged" && shift && exec "$@"
"""


class System:
    """This system, of which only a copy is ever written."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("upper", "work", "merged", "proc/sys/kernel/random"):
            (folder / name).mkdir(parents=True)
        (folder / "proc/sys/kernel/random/boot_id").write_text(f"{BOOT_ID}\n")

    def run(self, *vector: object, content: bytes = b"") -> bytes:
        start = ["unshare", "-m", "--propagation", "private", "sh", "-ec", MOUNT, "sh", self.folder]
        run = subprocess.run([*start, *vector], input=content, capture_output=True, check=False)
        assert run.returncode == 0, run.stderr.decode()
        return run.stdout

    def write(self, path: str, words: str, mode: str = "0644") -> None:
        script = 'mkdir -p "$(dirname "$1")"; rm -f "$1"; cat > "$1"; chmod "$2" "$1"'
        self.run("sh", "-ec", script, "sh", path, mode, content=words.encode())

    def ask(self, line: bytes):
        core = ["-m", "vitrail.helper", "--stdio", "--root", "."]
        said = self.run("env", f"PYTHONPATH={REPOSITORY / 'app'}", sys.executable, *core, content=line)
        (answer,) = map(json.loads, said.splitlines())
        assert answer["ok"], answer
        return answer["result"]

    def kernels(self) -> list[str]:
        menu = self.run("cat", "boot/grub/grub.cfg").decode()
        self.run("chroot", ".", "grub-script-check", "/boot/grub/grub.cfg")
        return [line.split("\t")[-1] for line in menu.split("\n") if line.lstrip().startswith("linux\t")]


@pytest.fixture
def system(tmp_path):
    made = System(tmp_path)
    try:
        made.run("true")
    except AssertionError:
        pytest.skip("no overlay can be mounted here")
    made.write("etc/machine-id", f"{MACHINE_ID}\n")
    made.write("etc/default/grub", SETTINGS)
    made.write("boot/vmlinuz-6.1.0", "\x7fELF")
    made.write("usr/sbin/grub-probe", PROBE, "0755")
    made.write("boot/grub/grub.cfg", "")
    made.run("chroot", ".", "update-grub")
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
