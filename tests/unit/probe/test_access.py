# SPDX-License-Identifier: GPL-3.0-or-later
"""Who asks and what confines VMs, by the machine's own files: what is not there is off, what is unread unknown."""

from __future__ import annotations

import os
import resource
from pathlib import Path

import pytest

from vitrail.judge.access import judge_access
from vitrail.model.access import Person
from vitrail.model.permission import APPARMOR_RULES, LIMITS, VFIO_RULES, session_limit
from vitrail.model.reading import Known, Unknown, known_or
from vitrail.probe.access import read_access
from vitrail.source.root import FolderRoot

LIMITS_NOW = """Limit                     Soft Limit           Hard Limit           Units
Max cpu time              unlimited            unlimited            seconds
Max locked memory         65536                {hard} bytes
Max address space         unlimited            unlimited            bytes
"""


def tree(folder: Path, **files: str) -> FolderRoot:
    named = {
        "etc/passwd": "root:x:0:0::/root:/bin/sh\nada:x:1000:1000::/home/ada:/bin/sh\n",
        "etc/group": "render:x:105:bob,ada\nlibvirt:x:104:adam\nada:x:1000:\n",
        "proc/self/limits": LIMITS_NOW.format(hard="8388608             "),
    } | files
    for path, words in named.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(words)
    return FolderRoot(folder)


def test_a_user_is_named_with_every_group(tmp_path):
    who = read_access(tree(tmp_path), session=True, uid=1000)
    assert who.person == Known(Person("ada", 1000, ("render", "ada")), "/etc/passwd")
    assert who.session


def test_who_is_not_in_the_list_is_nobody_here(tmp_path):
    who = read_access(tree(tmp_path), session=True, uid=4242)
    assert isinstance(who.person, Unknown)
    assert who.person.reason.id == "probe.access.not-listed"


def test_a_recording_has_nobody_to_ask(tmp_path):
    who = read_access(tree(tmp_path), session=False, uid=None)
    assert isinstance(who.person, Unknown)
    assert isinstance(who.locked_mib, Unknown)
    assert [file.path for file in who.files] == [APPARMOR_RULES]


@pytest.mark.parametrize(("hard", "mib"), [("8388608 ", 8), ("unlimited ", None), ("1048575 ", 0)])
def test_the_hard_limit_is_what_libvirt_can_reach(tmp_path, hard, mib):
    root = tree(tmp_path, **{"proc/self/limits": LIMITS_NOW.format(hard=hard)})
    assert read_access(root, session=True, uid=1000).locked_mib == Known(mib, "/proc/self/limits")


def test_limits_that_say_nothing_of_memory_are_unknown(tmp_path):
    root = tree(tmp_path, **{"proc/self/limits": "Limit\n"})
    assert isinstance(read_access(root, session=True, uid=1000).locked_mib, Unknown)


@pytest.mark.parametrize(("words", "on"), [("Y\n", True), ("N\n", False), (None, False)])
def test_apparmor_is_on_where_the_kernel_says_so(tmp_path, words, on):
    root = tree(tmp_path, **({} if words is None else {"sys/module/apparmor/parameters/enabled": words}))
    assert known_or(read_access(root, session=False, uid=None).apparmor, None) is on


@pytest.mark.parametrize(("words", "on"), [("1", True), ("0", False), (None, False)])
def test_selinux_confines_where_it_enforces(tmp_path, words, on):
    root = tree(tmp_path, **({} if words is None else {"sys/fs/selinux/enforce": words}))
    assert known_or(read_access(root, session=False, uid=None).selinux, None) is on


def test_local_labels_are_those_of_the_policy_in_use(tmp_path):
    labels = "etc/selinux/mls/contexts/files/file_contexts.local"
    config = {"etc/selinux/config": "SELINUX=enforcing\nSELINUXTYPE=mls\n"}
    without = read_access(tree(tmp_path, **config), session=False, uid=None)
    assert known_or(without.labels, None) == ""
    assert known_or(read_access(tree(tmp_path, **{labels: "/a b\n"}), session=False, uid=None).labels, None) == "/a b\n"
    assert isinstance(read_access(tree(tmp_path / "other"), session=False, uid=None).labels, Unknown)


def test_the_files_of_permissions_are_read_as_they_are(tmp_path):
    who = read_access(tree(tmp_path, **{VFIO_RULES: "# mine\n"}), session=True, uid=1000)
    assert known_or(who.content(VFIO_RULES), None) == "# mine\n"
    assert [who.content(path) for path in (LIMITS, session_limit(1000))] == [
        Known(None, f"/{LIMITS}"),
        Known(None, f"/{session_limit(1000)}"),
    ]
    assert isinstance(who.content("etc/passwd"), Unknown)


def test_this_very_machine_answers():
    who = read_access(FolderRoot("/"), session=True, uid=os.getuid())
    hard = resource.getrlimit(resource.RLIMIT_MEMLOCK)[1]
    assert known_or(who.locked_mib, -1) == (None if hard == resource.RLIM_INFINITY else hard // 1024**2)
    assert isinstance(known_or(who.draws, None), bool)


@pytest.mark.parametrize(
    ("groups", "asked"),
    [
        ("libvirt:x:104:adam\n", True),
        ("libvirt:x:104:adam,ada\n", False),
        ("libvirt:x:1000:\n", False),
        ("libvirt-qemu:x:64055:\n", False),
    ],
)
def test_who_is_not_in_libvirts_group_is_asked_each_time(tmp_path, groups, asked):
    who = read_access(tree(tmp_path, **{"etc/group": groups}), session=False, uid=1000)
    assert known_or(who.asked, None) is asked
    found = judge_access(who)
    assert [(one.id, one.stops) for one in found] == [("access.libvirt", False)] * asked


def test_nobody_is_told_of_the_group_where_it_does_not_matter(tmp_path):
    root = tree(tmp_path)
    assert judge_access(read_access(root, session=True, uid=1000)) == ()
    assert judge_access(read_access(root, session=False, uid=None)) == ()
    assert judge_access(read_access(root, session=False, uid=0)) == ()
