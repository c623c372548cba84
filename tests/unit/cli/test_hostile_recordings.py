# SPDX-License-Identifier: GPL-3.0-or-later
"""Recordings come from strangers: whatever stands behind `--machine` is read or refused in one sentence, at once.

Every case runs the real command, for people and for scripts, and looks at what it left behind.
"""

from __future__ import annotations

import json
import lzma
import os
import random
import resource
import shutil
import stat
import subprocess
import sys
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from fakes import contract
from fakes.contract import wrong

MEMBER = 1024 * 1024
TOML = ("machine.toml", b"format = 1\n", {})
Member = tuple[str, bytes, dict[str, Any]]
Make = Callable[[Path], None]


@dataclass(frozen=True)
class Said:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def run(*words: object, behind: tuple[str, ...] = ()) -> Said:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [*behind, sys.executable, "-m", "vitrail", *map(os.fsencode, map(str, words))],
        capture_output=True,
        check=False,
        timeout=60,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 2
    return Said(done.returncode, done.stdout.decode(), done.stderr.decode())


def left_behind(folder: Path) -> dict[str, tuple[int, int]]:
    seen = {path: path.lstat() for path in (folder, *folder.rglob("*"))}
    return {str(path): (facts.st_mode, facts.st_mtime_ns) for path, facts in seen.items()}


def harmless(words: str) -> bool:
    return words.isprintable() and not any(mark in words for mark in ("Traceback", "fault of its own"))


def packed(*members: Member) -> bytes:
    buffer = BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content, facts in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            for key, value in facts.items():
                setattr(info, key, value)
            archive.addfile(info, BytesIO(content))
    return lzma.compress(buffer.getvalue(), preset=0)


def holding(*members: Member) -> Make:
    return lambda path: path.write_bytes(packed(TOML, *members)) and None


def of_kind(kind: bytes, target: str = "", name: str = "root/x") -> Make:
    return holding((name, b"", {"type": kind, "linkname": target}))


def described(content: bytes) -> Make:
    def make(path: Path) -> None:
        path.mkdir()
        (path / "machine.toml").write_bytes(content)

    return make


def truncated(path: Path) -> None:
    content = packed(TOML, *((f"root/{number}", random.Random(number).randbytes(900), {}) for number in range(99)))
    path.write_bytes(content[: len(content) // 2])


def bomb(path: Path) -> None:
    packer = lzma.LZMACompressor(preset=0)
    with path.open("wb") as file:
        for _ in range(120):
            file.write(packer.compress(bytes(MEMBER)))
        file.write(packer.flush())


def needs_much_memory(path: Path) -> None:
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 1 << 30}]
    path.write_bytes(lzma.compress(bytes(10240), filters=filters))


def description_is_a_pipe(path: Path) -> None:
    path.mkdir()
    os.mkfifo(path / "machine.toml")


def description_leads_out(path: Path) -> None:
    path.mkdir()
    (path / "machine.toml").symlink_to("../outside.toml")
    (path.parent / "outside.toml").write_bytes(b"format = 1\n")


REFUSED: dict[str, tuple[Make, str]] = {
    "truncated": (truncated, "recording.damaged"),
    "bomb": (bomb, "recording.bomb"),
    "memory": (needs_much_memory, "recording.damaged"),
    "60,000 members": (holding(*((f"root/{number}", b"", {}) for number in range(60_000))), "recording.refused"),
    "100,000 steps": (holding(("root/" + "a/" * 100_000 + "x", b"", {})), "recording.refused"),
    "64 MiB": (holding(*((f"root/{number}", bytes(MEMBER), {}) for number in range(65))), "recording.refused"),
    "large file": (holding(("root/proc/cmdline", bytes(MEMBER + 1), {})), "recording.refused"),
    "link out, absolute": (of_kind(tarfile.SYMTYPE, "/etc/passwd", "libvirt/x.xml"), "recording.refused"),
    "link out, climbing": (of_kind(tarfile.SYMTYPE, "../../etc/passwd"), "recording.refused"),
    "name out, absolute": (holding(("/etc/vitrail-was-here", b"1", {})), "recording.refused"),
    "name out, climbing": (holding(("root/../../x", b"1", {})), "recording.refused"),
    "hard link": (of_kind(tarfile.LNKTYPE, "machine.toml"), "recording.refused"),
    "device": (of_kind(tarfile.CHRTYPE), "recording.refused"),
    "disk": (of_kind(tarfile.BLKTYPE), "recording.refused"),
    "pipe": (of_kind(tarfile.FIFOTYPE), "recording.refused"),
    "duplicate": (holding(TOML), "recording.refused"),
    "file as folder": (holding(("machine.toml/x", b"1", {})), "recording.refused"),
    "control characters": (of_kind(tarfile.CHRTYPE, name="root/\x1b[2J\r\u202ex\n"), "recording.refused"),
    "no description": (lambda path: path.write_bytes(packed()) and None, "recording.no-description"),
    "newer": (described(b"format = 2\n"), "recording.format"),
    "no format": (described(b""), "recording.format"),
    "no toml": (described(b"{{{{"), "recording.document"),
    "nested toml": (described(b"format = 1\na = " + b"[" * 100_000), "recording.document"),
    "no utf-8": (described(b"format = 1\ntitle = '\xff'\n"), "recording.document"),
    "large description": (described(b"format = 1\n" + b"#" * MEMBER), "recording.document"),
    "hostile key": (described(b'format = 1\n[names]\n"\\u001b[2J\\u202e" = 1\n'), "recording.bad-name"),
    "description is a pipe": (description_is_a_pipe, "recording.document"),
    "description leads out": (description_leads_out, "recording.document"),
    "random": (lambda path: path.write_bytes(random.Random(1).randbytes(5000)) and None, "recording.refused"),
    "empty file": (Path.touch, "recording.damaged"),
    "empty folder": (Path.mkdir, "recording.no-description"),
    "nothing": (lambda _path: None, "recording.missing"),
    "a pipe": (os.mkfifo, "recording.missing"),
}


def refused(path: object, why: str, behind: tuple[str, ...] = ()) -> None:
    said = run("scan", "--machine", path, behind=behind)
    assert (said.code, said.out) == (3, "")
    lines = said.err.splitlines()
    assert all(harmless(line) for line in lines), said.err
    assert lines[0].startswith("vitrail:")
    assert any(line.startswith("  → ") for line in lines)
    said = run("scan", "--machine", path, "--json", behind=behind)
    assert (said.code, said.err) == (3, "")
    assert said.out.count("\n") == 1
    error = said.json["error"]
    assert error["id"] == why, error
    assert error["next"]
    assert all(harmless(words) for words in (error["message"], *error["next"])), error


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Where a recording can stand; nothing else may come to be there, nor in the user's home."""
    home = tmp_path / "home"
    home.mkdir()
    for name in ("HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, str(home))
    return tmp_path / "machine"


@pytest.mark.parametrize(("make", "why"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_no_recording_is_refused_in_a_sentence_and_nothing_is_written(place, make, why):
    make(place)
    before = left_behind(place.parent)
    refused(place, why)
    assert left_behind(place.parent) == before


@pytest.mark.parametrize("name", ["\x1b[2J\u202evm", "a\nb", "x" * 300, "not \udcff text"])
def test_the_path_itself_may_be_hostile(place, name):
    why = "recording.refused" if len(name) > 255 else "recording.missing"
    refused(place.parent / name, why)


def test_what_may_not_be_seen_is_refused(place):
    behind: tuple[str, ...] = ()
    if os.geteuid() == 0:
        # Root sees everything, unless it gives that up.
        behind = ("setpriv", "--bounding-set=-dac_override,-dac_read_search", "--")
        if shutil.which("setpriv") is None or subprocess.run([*behind, "true"], check=False).returncode:
            pytest.skip("root cannot give up seeing everything here")
    described(b"format = 1\n")(place)
    (place / "root").mkdir()
    try:
        place.chmod(0)
        refused(place, "recording.document", behind)
        refused(place / "inside", "recording.refused", behind)
        place.chmod(0o755)
        (place / "root").chmod(0)
        said = run("scan", "--machine", place, "--json", behind=behind)
        assert wrong(contract.SCAN, said.json) == []
        assert "unknown" in said.json["host"]["kernel"]
    finally:
        place.chmod(0o755)
        (place / "root").chmod(0o755)


def tree(path: Path) -> Path:
    described(b"format = 1\n")(path)
    (path / "root" / "proc" / "sys" / "kernel").mkdir(parents=True)
    (path / "root" / "proc" / "sys" / "kernel" / "osrelease").write_text("6.8.0\n")
    (path / "root" / "etc").mkdir()
    return path / "root" / "proc" / "cmdline"


def without_root(path: Path) -> None:
    described(b"format = 1\n")(path)


def with_empty_root(path: Path) -> None:
    described(b"format = 1\n")(path)
    (path / "root").mkdir()


def link_out(path: Path) -> None:
    tree(path).symlink_to("../../../outside")
    (path.parent / "outside").write_text("secret\n")


def absolute_link_out(path: Path) -> None:
    (path.parent / "outside").write_text("secret\n")
    tree(path).symlink_to(path.parent / "outside")


def link_loop(path: Path) -> None:
    cmdline = tree(path)
    cmdline.symlink_to("loop")
    cmdline.with_name("loop").symlink_to("/proc/cmdline")
    (path / "root" / "sys").symlink_to("sys")
    (path / "libvirt").symlink_to("libvirt")


def large_file(path: Path) -> None:
    tree(path).write_bytes(b"x" * (MEMBER + 1))


def pipe(path: Path) -> None:
    os.mkfifo(tree(path))


def folder(path: Path) -> None:
    tree(path).mkdir()


def looping_archive(path: Path) -> None:
    loops = (("root/proc/cmdline", "a"), ("root/proc/a", "/proc/cmdline"), ("root/sys", "sys"))
    holding(*((name, b"", {"type": tarfile.SYMTYPE, "linkname": target}) for name, target in loops))(path)


UNREAD = (
    without_root,
    with_empty_root,
    link_out,
    absolute_link_out,
    link_loop,
    large_file,
    pipe,
    folder,
    looping_archive,
)


@pytest.mark.parametrize("make", UNREAD, ids=lambda make: make.__name__)
def test_one_file_that_cannot_be_read_is_unknown_and_the_rest_is_read(place, make):
    make(place)
    before = left_behind(place.parent)
    said = run("scan", "--machine", place, "--json")
    assert wrong(contract.SCAN, said.json) == []
    assert "unknown" in said.json["host"]["cmdline"]
    kernel = said.json["host"]["kernel"]
    assert kernel == "6.8.0" or not (place / "root" / "proc").exists()
    page = run("scan", "--machine", place)
    assert (page.code, page.err) == (0, "")
    assert "secret" not in said.out + page.out
    assert left_behind(place.parent) == before


def test_links_resolve_inside(place):
    tree(place).symlink_to("/etc/boot")
    (place / "root" / "etc" / "boot").symlink_to("../etc/line")
    (place / "root" / "etc" / "line").write_text("quiet\n")
    said = run("scan", "--machine", place, "--json")
    assert said.json["host"]["cmdline"] == "quiet"
    assert stat.S_ISLNK((place / "root" / "proc" / "cmdline").lstat().st_mode)


def test_a_folder_has_no_limit_of_members(place):
    tree(place).write_text("quiet\n")
    many = place / "root" / "etc" / "many"
    many.mkdir()
    for number in range(5):
        (many / str(number)).touch()
    for number in range(60_000):
        os.link(many / str(number % 5), many / f"{number}-")
    said = run("scan", "--machine", place, "--json")
    assert (said.code, said.json["host"]["cmdline"]) == (0, "quiet")


def test_names_of_vms_and_files_cannot_act(place):
    tree(place).write_text("quiet \x1b[2J\u202e\n")
    vms = place / "libvirt" / "\x1b[2J"
    vms.mkdir(parents=True)
    (vms / "\x1b]0;x\x07\u202e.xml").write_text("<domain")
    (vms / "not \udcff text.xml").write_text("<domain")
    (vms / "good.xml").write_text("<domain id='3'><name>a\u202eb</name></domain>")
    page = run("scan", "--machine", place)
    assert page.code == 0
    assert all(harmless(line) for line in page.out.splitlines())
    said = run("scan", "--machine", place, "--json")
    assert wrong(contract.SCAN, said.json) == []
    assert [vm["state"] for vm in said.json["vms"]] == ["running"]
    assert json.loads(said.out)["host"]["cmdline"].startswith("quiet")
    doctor = run("doctor", "--machine", place, "--json")
    assert len([one for one in doctor.json["findings"] if one["id"] == "vm.not-read"]) == 2
