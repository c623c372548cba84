# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests that must not be carried out: each gets one typed refusal, and nothing at all is written."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from fcntl import LOCK_EX, LOCK_UN, flock
from typing import Any

import pytest

from helper.bench import (
    ARGUMENTS,
    BOOT_ID,
    CARDS,
    DISK,
    PLAN_ID,
    STACKS,
    apply_line,
    ask,
    line,
    make_machine,
    plan_of,
    snapshot,
    undo_line,
)
from vitrail.model.host_step import ArgumentFile, ArgumentsFile, RunTool, Tool
from vitrail.model.host_wire import MAX_LINE_BYTES, Kind
from vitrail.model.render import digest_of
from vitrail.model.reservation import ReservedCard, ReservedCards
from vitrail.model.wire import to_wire

pytestmark = pytest.mark.real

STRANGE_STRINGS = (
    "",
    "\0",
    "a\nb",
    "$(reboot)",
    "`reboot`",
    "; reboot",
    "../../etc/passwd",
    "/etc/shadow",
    "%s{0}",
    "x" * 70_000,
    "\u202e\u0661",
    "\udc80",
)
STRANGE_VALUES: tuple[Any, ...] = (None, True, 0, -1, 10**40, 1.5, [], {}, [[]], {"class": "object"})


@pytest.fixture(scope="module")
def machine(tmp_path_factory):
    return make_machine(tmp_path_factory.mktemp("hostile") / "root")


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where every value of a request stands."""
    if path:
        yield path
    if isinstance(value, dict):
        for key in value:
            yield from places(value[key], (*path, key))
    elif isinstance(value, list):
        for index in range(len(value)):
            yield from places(value[index], (*path, index))


def changed(request: dict[str, Any], path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    other = copy.deepcopy(request)
    inside: Any = other
    for key in path[:-1]:
        inside = inside[key]
    inside[path[-1]] = value
    return other


def without(request: dict[str, Any], path: tuple[Any, ...]) -> dict[str, Any]:
    other = copy.deepcopy(request)
    inside: Any = other
    for key in path[:-1]:
        inside = inside[key]
    del inside[path[-1]]
    return other


def generated(request: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every field away, every field another, every string strange, and a field too many in every object."""
    for path in places(request):
        yield without(request, path)
        inside: Any = request
        for key in path:
            inside = inside[key]
        for value in STRANGE_VALUES:
            if value != inside or type(value) is not type(inside):
                yield changed(request, path, value)
        if isinstance(inside, str):
            for words in (*STRANGE_STRINGS, f"{inside}\n", f" {inside}", f"{inside}\0", inside.upper() + "x"):
                yield changed(request, path, words)
        if isinstance(inside, dict):
            yield changed(request, (*path, "command"), "reboot")
            yield changed(request, (*path, "content"), "cm9vdA==")


def refused(machine, *lines: bytes) -> list[str]:
    """The kinds of refusal, one a line; the tree stays what it was."""
    before = snapshot(machine, own=True)
    answers = ask(machine, *lines)
    assert len(answers) == len(lines)
    assert snapshot(machine, own=True) == before
    kinds = []
    for answer in answers:
        assert set(answer) == {"id", "ok", "error"}, answer
        assert answer["ok"] is False
        error: Any = answer["error"]
        assert set(error) == {"kind", "args"}
        kinds.append(Kind(error["kind"]).value)
    return kinds


def test_no_generated_request_is_carried_out(machine):
    request = json.loads(apply_line(plan_of(machine, *STACKS["grub"])))
    # Without one of its steps it is another plan, and a legal one; so is the same plan under another id.
    legal = [("plan", "steps", index) for index in range(6)]
    allowed = {json.dumps(without(request, path)) for path in legal} | {json.dumps(request | {"id": "Tx"})}
    lines = [one for one in map(json.dumps, generated(request)) if one not in allowed and one != json.dumps(request)]
    assert len(lines) > 1000
    kinds = refused(machine, *[f"{one}\n".encode() for one in lines])
    assert set(kinds) >= {"fields", "rendering", "rule", "verb", "protocol", "not-a-request"}


def envelope(**members: Any) -> bytes:
    return json.dumps({"protocol": 1, "id": "t", "verb": "hello", **members}).encode() + b"\n"


NOT_REQUESTS = {
    "blanks": (b"   \n", "not-json"),
    "no JSON": (b"hello\n", "not-json"),
    "a string": (b'"hello"\n', "not-a-request"),
    "an array": (b"[]\n", "not-a-request"),
    "null": (b"null\n", "not-a-request"),
    "not finished": (b'{"protocol":1\n', "not-json"),
    "without its end": (b'{"protocol":1,"id":"t","verb":"hello"}', "unfinished-line"),
    "two on a line": (b"{}{}\n", "not-json"),
    "a NUL": (b'{"protocol":1,"id":"t","verb":"hello"}\0\n', "not-json"),
    "a raw NUL in a string": (b'{"protocol":1,"id":"t\0","verb":"hello"}\n', "not-json"),
    "no UTF-8": (b'{"protocol":1,"id":"\xff","verb":"hello"}\n', "not-json"),
    "a surrogate": (b'{"protocol":1,"id":"\\ud800","verb":"hello"}\n', "not-a-request"),
    "UTF-16": ('{"protocol":1}'.encode("utf-16") + b"\n", "not-json"),
    "a byte order mark": (b'\xef\xbb\xbf{"protocol":1,"id":"t","verb":"hello"}\n', "not-json"),
    "NaN": (b'{"protocol":NaN,"id":"t","verb":"hello"}\n', "not-json"),
    "Infinity": (b'{"protocol":-Infinity,"id":"t","verb":"hello"}\n', "not-json"),
    "a huge number": (b'{"protocol":' + b"9" * 5000 + b',"id":"t","verb":"hello"}\n', "not-json"),
    "a huge exponent": (b'{"protocol":1e999,"id":"t","verb":"hello"}\n', "protocol"),
    "a duplicate key": (b'{"protocol":1,"id":"t","verb":"hello","verb":"undo"}\n', "duplicate-key"),
    "a duplicate key below": (b'{"protocol":1,"id":"t","verb":"apply","plan":{"a":1,"a":2}}\n', "duplicate-key"),
    "a duplicate key in disguise": (b'{"protocol":1,"id":"t","verb":"hello","\\u0076erb":"undo"}\n', "duplicate-key"),
    "33 deep": (b"[" * 33 + b"]" * 33 + b"\n", "too-deep"),
    "very deep": (b"[" * 500_000 + b"\n", "too-deep"),
    "deep objects": (b'{"a":' * 40 + b"1" + b"}" * 40 + b"\n", "too-deep"),
    "too long": (b"x" * (MAX_LINE_BYTES + 1) + b"\n", "line-too-long"),
    "much too long": (b"x" * (5 * MAX_LINE_BYTES) + b"\n", "line-too-long"),
    "protocol 0": (envelope(protocol=0), "protocol"),
    "protocol 2": (envelope(protocol=2), "protocol"),
    "protocol 1.0": (envelope(protocol=1.0), "protocol"),
    "protocol true": (envelope(protocol=True), "protocol"),
    "protocol '1'": (envelope(protocol="1"), "protocol"),
    "no id": (b'{"protocol":1,"verb":"hello"}\n', "not-a-request"),
    "a number as id": (envelope(id=1), "not-a-request"),
    "an id with a newline": (envelope(id="a\n"), "not-a-request"),
    "a long id": (envelope(id="a" * 65), "not-a-request"),
    "an empty id": (envelope(id=""), "not-a-request"),
    "no such verb": (envelope(verb="exec"), "verb"),
    "a dunder verb": (envelope(verb="__class__"), "verb"),
    "a verb in capitals": (envelope(verb="HELLO"), "verb"),
    "an install verb": (envelope(verb="install"), "verb"),
    "no verb": (b'{"protocol":1,"id":"t"}\n', "verb"),
    "a field too many": (envelope(root="/etc"), "fields"),
    "a class of its own": (envelope(**{"class": "Apply"}), "fields"),
    "apply without a plan": (envelope(verb="apply"), "fields"),
    "apply of null": (envelope(verb="apply", plan=None), "fields"),
    "undo without fields": (envelope(verb="undo"), "fields"),
    "undo of a path": (undo_line("../../../../tmp/xx"), "fields"),
    "undo of one and all": (undo_line(PLAN_ID, everything=True), "fields"),
    "undo of what was never applied": (undo_line("f" * 16), "no-run"),
    "undo with a document": (line("undo", plan_id=None, everything=False, force=False, content="x"), "fields"),
    "keep of what was never applied": (line("keep", plan_id=PLAN_ID, boot_id=BOOT_ID), "no-run"),
    "keep in another boot": (line("keep", plan_id=PLAN_ID, boot_id=BOOT_ID.replace("1", "2")), "other-boot"),
    "facts of a number": (line("facts", after=1), "fields"),
    "facts of a path": (line("facts", after=None, path="/etc/shadow"), "fields"),
    "watch without a page": (line("watch"), "fields"),
    "watch of a number": (line("watch", after=1), "fields"),
    "watch of a process": (line("watch", after=None, pid=1), "fields"),
    "watch after a path": (line("watch", after="/etc/shadow"), "fields"),
    "watch after a way up": (line("watch", after="proc/1/fdinfo/../../2/fdinfo/3"), "fields"),
    "watch after another file": (line("watch", after="proc/1/environ"), "fields"),
    "watch after a number in disguise": (line("watch", after="proc/٣/fdinfo/1"), "fields"),
    "watch after a huge number": (line("watch", after="proc/99999999999/fdinfo/1"), "fields"),
    "watch after a newline": (line("watch", after="proc/1/fdinfo/1\n"), "fields"),
    "a job of the core's": (line("job", job=None, seen=-1), "no-job"),
    "a job by path": (line("job", job="../../../etc/shadow", seen=-1), "fields"),
    "a job in capitals": (line("job", job="A" * 32, seen=-1), "fields"),
    "a job too short": (line("job", job="a" * 31, seen=-1), "fields"),
    "a job with a newline": (line("job", job="a" * 32 + "\n", seen=-1), "fields"),
    "a job of a number": (line("job", job=1, seen=-1), "fields"),
    "a job seen from before": (line("job", job=None, seen=-2), "fields"),
    "a job seen in part": (line("job", job=None, seen=0.5), "fields"),
    "a job seen truly": (line("job", job=None, seen=True), "fields"),
    "a job without more": (line("job"), "fields"),
    "a job of another user's": (line("job", job=None, seen=-1, uid=0), "fields"),
    "a check as a verb": (line("check", plan=None), "verb"),
    "an apply that checks": (line("apply", plan=None, check=True), "fields"),
}


@pytest.mark.parametrize("name", NOT_REQUESTS)
def test_what_is_no_request_gets_its_kind(machine, name):
    words, kind = NOT_REQUESTS[name]
    assert refused(machine, words) == [kind]


def test_a_good_request_after_a_bad_one_is_answered(machine):
    answers = ask(machine, b"x" * (3 * MAX_LINE_BYTES) + b"\n", b"\n", b"{\n", line("hello"))
    assert [answer["ok"] for answer in answers] == [False, False, True]


PLANS: dict[str, tuple[Any, str]] = {
    "another machine": (lambda plan: plan | {"machine_id_hash": "0" * 64}, "other-machine"),
    "yesterday's boot": (lambda plan: plan | {"boot_id": BOOT_ID.replace("1", "0")}, "other-boot"),
    "another plan's token": (lambda plan: plan | {"plan_id": "f" * 16}, "rule"),
    "no steps": (lambda plan: plan | {"steps": []}, "fields"),
    "the steps backwards": (lambda plan: plan | {"steps": plan["steps"][::-1]}, "rule"),
    "every step twice": (lambda plan: plan | {"steps": [s for s in plan["steps"] for _ in (0, 1)]}, "rule"),
    "a hundred steps": (lambda plan: plan | {"steps": plan["steps"] * 20}, "fields"),
    "cards that it does not name": (lambda plan: plan | {"identities": []}, "rule"),
    "the same card twice": (lambda plan: plan | {"identities": plan["identities"] * 2}, "fields"),
}


@pytest.mark.parametrize("name", PLANS)
def test_a_plan_that_does_not_fit_gets_its_kind(machine, name):
    change, kind = PLANS[name]
    plan = to_wire(plan_of(machine, *STACKS["grub"]))
    assert refused(machine, line("apply", plan=change(plan))) == [kind]


ENTRY_NAMES = (
    "../arch",
    "/etc/x",
    "a/b",
    "..",
    ".",
    "",
    ".hidden",
    "a\nb",
    "a\0b",
    "a b",
    "$(id)",
    "ä",
    "a" * 201,
    "-x",
)


@pytest.mark.parametrize("name", ENTRY_NAMES)
def test_an_entry_is_a_plain_name(machine, name):
    plan = to_wire(plan_of(machine, *STACKS["systemd-boot"]))
    plan["steps"][-1]["template"]["name"] = name
    assert refused(machine, line("apply", plan=plan)) == ["fields"]


ARGUMENT_WORDS = (
    "vfio-pci.ids=10de:2783",
    "pcie_acs_override=downstream",
    "init=/bin/sh",
    "selinux=0",
    "apparmor=0",
    "intel_iommu=on quiet",
    "intel_iommu=on\n",
    'intel_iommu=on"',
    "$(reboot)",
    "",
)


@pytest.mark.parametrize("word", ARGUMENT_WORDS)
def test_an_argument_that_is_not_in_the_table_is_refused(machine, word):
    plan = to_wire(plan_of(machine, *STACKS["grub"]))
    plan["steps"][4]["template"]["arguments"][0] = word
    assert refused(machine, line("apply", plan=plan)) == ["fields"]


@pytest.mark.parametrize("plan_id", ["", "0" * 15, "0" * 17, "g" * 16, "0" * 16 + "\n", "$(reboot)0000000", "A" * 16])
def test_a_token_is_a_plan_id(machine, plan_id):
    plan = to_wire(plan_of(machine, *STACKS["grub"]))
    plan["steps"][4]["template"]["arguments"][1]["plan_id"] = plan_id
    assert refused(machine, line("apply", plan=plan)) == ["fields"]


def test_a_disk_is_never_reserved(machine):
    cards = ReservedCards((*CARDS.cards, ReservedCard(PLAN_ID, DISK)))
    plan = to_wire(plan_of(machine, cards))
    plan["identities"].append(to_wire(DISK))
    assert refused(machine, line("apply", plan=plan)) == ["rule"]


def test_a_card_that_is_another_one_is_never_reserved(machine):
    plan = to_wire(plan_of(machine, *STACKS["grub"]))
    plan["identities"][0]["device_id"] += 1
    plan["steps"][0]["template"]["cards"][0]["identity"]["device_id"] += 1
    assert refused(machine, line("apply", plan=plan)) == ["other-device"]


def test_one_of_two_renderings_swapped_is_refused(machine):
    plan = to_wire(plan_of(machine, *STACKS["grub"]))
    steps = plan["steps"]
    steps[1]["after"], steps[2]["after"] = steps[2]["after"], steps[1]["after"]
    assert refused(machine, line("apply", plan=plan)) == ["rendering"]


class TestMachinesThatAreNotWhatTheyShouldBe:
    """Each on a machine of its own, because it is bent."""

    @pytest.fixture
    def bent(self, tmp_path):
        return make_machine(tmp_path / "root")

    def test_a_file_that_changed_since_the_preview(self, bent):
        request = apply_line(plan_of(bent, *STACKS["kernel-install"]))
        (bent / "etc/kernel/cmdline").write_text("root=/dev/sda1\n")
        assert refused(bent, request) == ["subject-changed"]

    @pytest.mark.parametrize("target", ["/etc/kernel/cmdline", "../../../etc/passwd"])
    def test_a_link_in_place_of_a_file(self, bent, target):
        request = apply_line(plan_of(bent, *STACKS["systemd-boot"]))
        entry = bent / "boot/loader/entries/arch.conf"
        entry.unlink()
        entry.symlink_to(target)
        assert refused(bent, request) == ["place"]

    def test_a_link_in_place_of_a_folder(self, bent, tmp_path):
        request = apply_line(plan_of(bent, *STACKS["grub"]))
        outside = tmp_path / "outside"
        outside.mkdir()
        (bent / "etc/initramfs-tools/hooks").rmdir()
        (bent / "etc/initramfs-tools/hooks").symlink_to(outside)
        assert refused(bent, request) == ["place"]
        assert not list(outside.iterdir())

    def test_a_folder_that_others_may_write(self, bent):
        request = apply_line(plan_of(bent, *STACKS["grub"]))
        (bent / "etc/default/grub.d").chmod(0o777)
        assert refused(bent, request) == ["place"]

    def test_a_file_of_two_names(self, bent):
        request = apply_line(plan_of(bent, *STACKS["refind"]))
        os.link(bent / "boot/refind_linux.conf", bent / "boot/other")
        assert refused(bent, request) == ["place"]

    @pytest.mark.parametrize("make", [lambda path: path.mkdir(), os.mkfifo])
    def test_something_else_in_place_of_a_file(self, bent, make):
        request = apply_line(plan_of(bent, *STACKS["grub"]))
        make(bent / "etc/default/grub.d/60-vitrail.cfg")
        assert refused(bent, request) == ["place"]

    def test_a_program_that_is_missing(self, bent):
        request = apply_line(plan_of(bent, *STACKS["grub"]))
        (bent / "usr/sbin/update-grub").unlink()
        assert refused(bent, request) == ["tool-missing"]

    def test_a_program_that_others_may_write(self, bent):
        request = apply_line(plan_of(bent, *STACKS["grub"]))
        (bent / "usr/sbin/update-grub").chmod(0o777)
        assert refused(bent, request) == ["tool-missing"]

    @pytest.mark.parametrize("name", ["etc/machine-id", "proc/sys/kernel/random/boot_id"])
    def test_a_machine_that_cannot_say_who_it_is(self, bent, name):
        request = apply_line(plan_of(bent, *STACKS["grub"]))
        (bent / name).unlink()
        assert refused(bent, request) == ["unread"]

    def test_a_device_that_is_gone(self, bent):
        request = apply_line(plan_of(bent, *STACKS["grub"]))
        (bent / "sys/bus/pci/devices/0000:01:00.1").unlink()
        assert refused(bent, request) == ["other-device"]

    def test_pacman_at_work(self, bent):
        request = apply_line(plan_of(bent, *STACKS["grub"]))
        (bent / "var/lib/pacman").mkdir(parents=True)
        (bent / "var/lib/pacman/db.lck").touch()
        assert refused(bent, request) == ["package-lock"]

    def test_dpkg_at_work(self, bent):
        request = apply_line(plan_of(bent, *STACKS["grub"]))
        (bent / "var/lib/dpkg").mkdir(parents=True)
        # Such a lock ends with the first descriptor that its process closes, so another process holds it.
        holding = "import fcntl, sys; f = open(sys.argv[1], 'w'); fcntl.lockf(f, 2); print(flush=True); input()"
        holder = subprocess.Popen(
            [sys.executable, "-c", holding, bent / "var/lib/dpkg/lock-frontend"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        with holder:
            assert holder.stdout.readline()
            assert refused(bent, request) == ["package-lock"]
            holder.communicate(b"\n")

    def test_dpkg_done(self, bent):
        request = apply_line(plan_of(bent, *STACKS["refind"]))
        (bent / "var/lib/dpkg").mkdir(parents=True)
        (bent / "var/lib/dpkg/lock-frontend").touch()
        assert ask(bent, request)[0]["ok"]

    def test_two_helpers(self, bent):
        request = apply_line(plan_of(bent, *STACKS["refind"]))
        (bent / "var/lib/vitrail").mkdir(parents=True, mode=0o700)
        with (bent / "var/lib/vitrail/lock").open("w") as lock:
            flock(lock, LOCK_EX)
            assert refused(bent, request) == ["locked"]
            flock(lock, LOCK_UN)
        assert ask(bent, request)[0]["ok"]

    def test_the_same_plan_twice(self, bent):
        request = apply_line(plan_of(bent, *STACKS["refind"]))
        assert ask(bent, request)[0]["ok"]
        assert refused(bent, request) == ["subject-changed"]

    def test_marks_that_somebody_broke(self, bent):
        path = bent / "etc/default/grub"
        plan = plan_of(bent, *STACKS["grub-arch"])
        path.write_text(path.read_text() + "# >>> Vitrail\n")
        step = to_wire(plan)["steps"][0] | {"before": digest_of(path.read_bytes())}
        wire = to_wire(plan) | {"steps": [step, to_wire(RunTool(Tool.GRUB_MKCONFIG))]}
        assert refused(bent, line("apply", plan=wire)) == ["unrenderable"]

    def test_a_file_that_is_not_there_to_be_edited(self, bent):
        (bent / "etc/kernel/cmdline").unlink()
        step = {"class": "WriteFile", "before": None, "after": "0" * 64}
        template = to_wire(ArgumentsFile(ArgumentFile.KERNEL_CMDLINE, ARGUMENTS))
        wire = to_wire(plan_of(bent, *STACKS["grub"])) | {"steps": [step | {"template": template}]}
        assert refused(bent, line("apply", plan=wire)) == ["unrenderable"]

    def test_a_journal_that_is_not_ours(self, bent):
        request = apply_line(plan_of(bent, *STACKS["refind"]))
        run = bent / f"var/lib/vitrail/runs/000001-{PLAN_ID}"
        run.mkdir(parents=True)
        (run / "journal.jsonl").write_text('{"class":"Everything"}\n')
        assert refused(bent, request, undo_line()) == ["journal", "journal"]

    def test_an_earlier_run_that_never_ended(self, bent):
        ask(bent, apply_line(plan_of(bent, *STACKS["refind"])))
        journal = bent / f"var/lib/vitrail/runs/000001-{PLAN_ID}/journal.jsonl"
        journal.write_text("".join(journal.read_text().splitlines(keepends=True)[:-1]))
        assert refused(bent, apply_line(plan_of(bent, *STACKS["grub-arch"]))) == ["interrupted"]
