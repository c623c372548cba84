# SPDX-License-Identifier: GPL-3.0-or-later
"""Installing once: what is shown is what is written, and nothing that is not ours is ever replaced."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from helper_bus.conftest import HERE, REPOSITORY, installed
from helper_bus.private_bus import ALLOWED, ELSEWHERE, FORBIDDEN
from vitrail.service.helper_client import HelperClient
from vitrail.service.helper_install import FileChange, InstallPreview, preview_install, preview_removal

CORE = "usr/local/lib/vitrail/vitrail-helper.pyz"
POLICY = "usr/share/polkit-1/actions/org.vitrail.Helper1.policy"


def run(preview: InstallPreview, tree: Path, digest: str | None = None) -> dict[str, Any]:
    """The installer on a tree."""
    command = [sys.executable, "-I", "-S", "-c", preview.program, digest or preview.digest, str(tree)]
    done = subprocess.run(command, input=preview.payload, capture_output=True, check=True)
    assert not done.stderr
    return dict(json.loads(done.stdout))


def files(tree: Path) -> dict[str, tuple[str, int]]:
    """Everything in the tree but the record: digest and mode."""
    return {
        f"/{path.relative_to(tree)}": (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mode & 0o7777)
        for path in tree.rglob("*")
        if path.is_file() and path.name != "installed.json"
    }


def with_payload(preview: InstallPreview, payload: object) -> InstallPreview:
    body = json.dumps(payload).encode()
    return dataclasses.replace(preview, payload=body, digest=hashlib.sha256(body).hexdigest())


def test_what_is_shown_is_what_is_written(parts, tree):
    preview = preview_install(parts, tree)
    assert files(tree) == {}
    assert {file.change for file in preview.files} == {FileChange.NEW}
    assert run(preview, tree)["ok"]
    assert files(tree) == {file.path: (file.after, file.mode) for file in preview.files}


def test_a_text_is_shown_as_a_diff(parts, tree):
    shown = {Path(file.path).name: file.diff for file in preview_install(parts, tree).files}
    assert "+Name=org.vitrail.Helper1" in shown["org.vitrail.Helper1.service"]
    assert "+    <allow own=" in shown["org.vitrail.Helper1.conf"]
    assert shown["vitrail-helper.pyz"] == ""


def test_the_second_time_nothing_changes(parts, tree):
    run(preview_install(parts, tree), tree)
    again = preview_install(parts, tree)
    assert {file.change for file in again.files} == {FileChange.SAME}
    assert run(again, tree) == {"ok": True, "changed": []}


def test_a_newer_helper_replaces_ours(parts, tree, tmp_path):
    run(preview_install(parts, tree), tree)
    newer = tmp_path / "newer"
    newer.mkdir()
    for path in parts.iterdir():
        (newer / path.name).write_bytes(path.read_bytes() + b"\n" * (path.suffix == ".conf"))
    assert run(preview_install(newer, tree), tree)["changed"] == ["etc/dbus-1/system.d/org.vitrail.Helper1.conf"]
    assert run(preview_install(parts, tree), tree)["ok"]


def test_a_payload_with_another_digest_writes_nothing(parts, tree):
    assert run(preview_install(parts, tree), tree, "0" * 64)["error"]["kind"] == "digest"
    assert files(tree) == {}


@pytest.mark.parametrize(
    ("payload", "kind"),
    [
        ({"files": {"etc/shadow": "eA=="}}, "place"),
        ({"files": {"/usr/local/lib/vitrail/vitrail-helper.pyz": "eA=="}}, "place"),
        ({"files": {f"{CORE}/../../../../../etc/passwd": "eA=="}}, "place"),
        ({"files": {}}, "place"),
        ({"files": {CORE: "no base64!"}}, "payload"),
        ({"files": {CORE: 7}}, "payload"),
        ({"files": [CORE]}, "payload"),
        ([], "payload"),
    ],
)
def test_a_payload_of_another_form_writes_nothing(parts, tree, payload, kind):
    assert run(with_payload(preview_install(parts, tree), payload), tree)["error"]["kind"] == kind
    assert files(tree) == {}


def test_a_file_of_someone_else_is_never_replaced(parts, tree):
    (tree / POLICY).parent.mkdir(parents=True)
    (tree / POLICY).write_text("theirs")
    assert run(preview_install(parts, tree), tree)["error"] == {"kind": "not-ours", "path": POLICY}
    assert list(files(tree)) == [f"/{POLICY}"]
    assert (tree / POLICY).read_text() == "theirs"


def test_a_file_of_ours_that_someone_edited_is_not_replaced(parts, tree):
    run(preview_install(parts, tree), tree)
    (tree / POLICY).write_text("edited")
    assert run(preview_install(parts, tree), tree)["error"]["kind"] == "not-ours"
    assert (tree / POLICY).read_text() == "edited"


@pytest.mark.real
def test_a_path_of_a_package_is_never_written(parts, tree):
    database = tree / "var/lib/dpkg"
    (database / "info").mkdir(parents=True)
    (database / "updates").mkdir()
    (database / "info" / "vitrail-helper.list").write_text(f"/.\n/{POLICY}\n")
    entry = "Package: vitrail-helper\nStatus: install ok installed\nArchitecture: all\nMaintainer: x <x@example.org>\n"
    (database / "status").write_text(f"{entry}Version: 1\nDescription: x\n\n")
    before = files(tree)
    assert run(preview_install(parts, tree), tree)["error"] == {"kind": "package-owned", "path": POLICY}
    assert files(tree) == before


def test_a_link_is_not_followed(parts, tree, tmp_path):
    target = tmp_path / "target"
    target.write_text("precious")
    (tree / POLICY).parent.mkdir(parents=True)
    (tree / POLICY).symlink_to(target)
    assert run(preview_install(parts, tree), tree)["error"]["kind"] == "not-plain"
    assert target.read_text() == "precious"


def test_a_folder_that_others_may_write_is_refused(parts, tree):
    (tree / "usr/local").mkdir(parents=True, mode=0o755)
    (tree / "usr/local").chmod(0o775)
    answer = run(preview_install(parts, tree), tree)
    assert (answer["error"]["kind"], files(tree)) == ("unsafe-folder", {})


def test_what_cannot_be_finished_is_undone(parts, tree):
    (tree / "usr/share").mkdir(parents=True)
    (tree / "usr/share").chmod(0o775)
    # The core, the door and the bus's file come before it.
    assert run(preview_install(parts, tree), tree)["error"]["kind"] == "unsafe-folder"
    assert files(tree) == {}
    (tree / "usr/share").chmod(0o755)
    assert run(preview_install(parts, tree), tree)["ok"]


@pytest.mark.parametrize("count", range(1, 6))
def test_what_a_killed_installer_left_is_no_obstacle(parts, tree, count):
    preview = preview_install(parts, tree)
    place = "            put(root, path, wanted"
    killed = preview.program.replace(place, f"            len(done) == {count} and os.kill(os.getpid(), 9)\n{place}", 1)
    command = [sys.executable, "-I", "-S", "-c", killed, preview.digest, str(tree)]
    assert subprocess.run(command, input=preview.payload, check=False).returncode == -9
    assert len(files(tree)) == count - 1
    again = preview_install(parts, tree)
    assert len(run(again, tree)["changed"]) == 6 - count
    assert files(tree) == {file.path: (file.after, file.mode) for file in again.files}


def test_removing_takes_everything_away(parts, tree):
    run(preview_install(parts, tree), tree)
    preview = preview_removal(tree, in_use=False)
    assert {file.change for file in preview.files} == {FileChange.REMOVED}
    assert run(preview, tree)["ok"]
    assert files(tree) == {}
    assert not (tree / "usr/local/lib/vitrail").exists()
    assert preview_removal(tree, in_use=False).files[0].change is FileChange.ABSENT


def test_removing_leaves_what_takes_back_while_something_is_applied(parts, tree):
    run(preview_install(parts, tree), tree)
    preview = preview_removal(tree, in_use=True)
    assert preview.stays == (f"/{CORE}",)
    run(preview, tree)
    assert list(files(tree)) == [f"/{CORE}"]
    assert os.access(tree / CORE, os.X_OK)


class Installer:
    """A user's process that installs."""

    def __init__(self, private: Any, user: str, parts: Path) -> None:
        python = ("/usr/bin/env", f"PYTHONPATH={REPOSITORY / 'app'}", "PYTHONDONTWRITEBYTECODE=1", "/usr/bin/python3")
        command = private.inside(*python, str(HERE / "installing.py"), str(parts), user=user)
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.pid = int(self._process.stdout.readline())

    def does(self, what: str) -> dict[str, Any]:
        """What came of it."""
        output, _ = self._process.communicate(f"{what}\n", timeout=60)
        return dict(json.loads(output))


@pytest.mark.real
def test_pkexec_carries_it_out_for_who_may(bus, parts):
    try:
        assert Installer(bus, ALLOWED, parts).does("remove")["changed"]
        assert not (bus.root / CORE).exists()
        assert len(Installer(bus, ALLOWED, parts).does("install")["changed"]) == 5
    finally:
        # Whatever fails here is this test's alone: the next ones find the helper.
        assert installed(bus, preview_install(parts, bus.root))["ok"]
    assert HelperClient(bus.address).hello().protocol == 1


@pytest.mark.real
@pytest.mark.parametrize(("user", "said"), [(FORBIDDEN, "helper.denied"), (ELSEWHERE, "helper.no-agent")])
def test_pkexec_s_no_is_the_same_sentence_as_the_bus_s(bus, parts, user, said):
    assert Installer(bus, user, parts).does("install") == {"class": "Refused", "id": said}


@pytest.mark.real
@pytest.mark.parametrize(("mode", "said"), [("deny", "helper.denied"), ("dismiss", "helper.dismissed")])
def test_who_is_asked_by_pkexec_can_say_no(bus, agent, parts, mode, said):
    user = Installer(bus, ELSEWHERE, parts)
    agent(user.pid, mode)
    assert user.does("install")["id"] == said


@pytest.mark.real
def test_a_file_that_is_there_already_is_told_through_pkexec(bare_bus, parts):
    policy = bare_bus.root / POLICY
    policy.write_text("theirs")
    answer = Installer(bare_bus, ALLOWED, parts).does("install")
    assert answer == {"class": "Refused", "id": "helper.install.not-ours"}
    policy.unlink()
    assert installed(bare_bus, preview_removal(bare_bus.root, in_use=False))["ok"]
