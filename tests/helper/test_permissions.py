# SPDX-License-Identifier: GPL-3.0-or-later
"""Narrow permissions: to ordinary users of this computer and for ROMs only, and exactly what was given goes again."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from helper.bench import (
    BOOT_ID,
    LABELS,
    MACHINE_ID,
    PLAN_ID,
    ROM,
    STACKS,
    apply_line,
    ask,
    line,
    make_machine,
    plan_of,
    program,
    snapshot,
    steps_of,
    undo_line,
)
from helper.real_system import make_system
from helper.trial_bench import grub_trial, keep_line, make_trial_machine, start_trial
from vitrail.model.host_step import HostPlan, Template
from vitrail.model.permission import (
    AppArmorRoms,
    HostGroup,
    JoinGroup,
    LabelRom,
    LockedMemory,
    SessionMemory,
    VfioAccess,
)
from vitrail.model.render import digest_of
from vitrail.model.wire import to_wire

pytestmark = pytest.mark.real

OTHER_PLAN = "fedcba9876543210"


@pytest.fixture
def machine(tmp_path):
    return make_machine(tmp_path / "root")


@pytest.fixture(scope="module")
def untouched(tmp_path_factory):
    """A machine that every test leaves as it found it."""
    return make_machine(tmp_path_factory.mktemp("untouched") / "root")


def kind_of(answer: dict[str, object]) -> object:
    error = answer.get("error")
    return error["kind"] if isinstance(error, dict) else "done"


def refused(machine: Path, request: bytes) -> object:
    """The kind of the refusal; nothing was written."""
    before = snapshot(machine, own=True)
    (answer,) = ask(machine, request)
    assert snapshot(machine, own=True) == before
    return kind_of(answer)


def with_values(machine: Path, what: Template | JoinGroup | LabelRom, **values: object) -> bytes:
    """The request as somebody who goes round the model would send it."""
    wire = to_wire(plan_of(machine, what))
    assert isinstance(wire, dict)
    step = wire["steps"][0]
    (step.get("template") or step).update(values)
    return line("apply", plan=wire)


@pytest.mark.parametrize(
    "user",
    ["root", "ada\nroot", "-G", "--root=/", "ada bob", "ada:x:0", "", "x" * 40, "$(id)", "%wheel", "@users", "*"],
)
@pytest.mark.parametrize("what", [VfioAccess("ada"), LockedMemory("ada", 9), JoinGroup("ada", HostGroup.RENDER)])
def test_no_other_form_of_a_user_gets_as_far_as_the_machine(untouched, what, user):
    assert refused(untouched, with_values(untouched, what, user=user)) == "fields"


@pytest.mark.parametrize(
    "what", [VfioAccess("eve"), LockedMemory("eve", 9), SessionMemory(4242, 9), JoinGroup("eve", HostGroup.RENDER)]
)
def test_who_is_nobody_here_gets_nothing(untouched, what):
    assert refused(untouched, apply_line(plan_of(untouched, what))) == "no-user"


@pytest.mark.parametrize("what", [VfioAccess("toor"), JoinGroup("toor", HostGroup.RENDER)])
def test_root_by_another_name_gets_nothing(machine, what):
    with (machine / "etc/passwd").open("a") as stream:
        stream.write("toor:x:0:0::/root:/bin/sh\n")
    assert refused(machine, apply_line(plan_of(machine, what))) == "no-user"


@pytest.mark.parametrize("group", ["disk", "root", "kvm", "input", "sudo", "render\n", "-d", ""])
def test_no_other_group_is_joined(untouched, group):
    assert refused(untouched, with_values(untouched, JoinGroup("ada", HostGroup.RENDER), group=group)) == "fields"


def test_a_group_that_this_computer_lacks_is_not_made(machine):
    (machine / "etc/group").write_text("root:x:0:\n")
    assert refused(machine, apply_line(plan_of(machine, JoinGroup("ada", HostGroup.RENDER)))) == "no-group"


@pytest.mark.parametrize(
    "path",
    [
        "etc/shadow",
        "opt/../etc/shadow",
        "opt/./card.rom",
        "/opt/card.rom",
        "opt//card.rom",
        "home/ada/.ssh/id",
        "opt/a b",
        "opt/*",
        "opt/card.rom rwx",
        "opt/card.rom\n/etc/shadow",
        "opt/{a,b}",
        "proc/1/mem",
        "opt/",
    ],
)
def test_no_other_path_is_opened_to_vms(untouched, path):
    assert refused(untouched, with_values(untouched, LabelRom(ROM), path=path)) == "fields"
    assert refused(untouched, with_values(untouched, AppArmorRoms((ROM,)), paths=[path])) == "fields"


def _shadow(machine: Path) -> None:
    (machine / "etc/shadow").write_bytes(b"\x55\xaa secret")


def _link(machine: Path) -> None:
    _shadow(machine)
    (machine / ROM).unlink()
    (machine / ROM).symlink_to("/etc/shadow")


def _second_name(machine: Path) -> None:
    _shadow(machine)
    (machine / ROM).unlink()
    (machine / ROM).hardlink_to(machine / "etc/shadow")


def _folder_link(machine: Path) -> None:
    folder = (machine / ROM).parent
    folder.rename(folder.with_name("elsewhere"))
    folder.symlink_to("elsewhere")


def _text(machine: Path) -> None:
    (machine / ROM).write_text("PRIVATE KEY")


def _large(machine: Path) -> None:
    os.truncate(machine / ROM, 16 * 1024 * 1024 + 1)


def _pipe(machine: Path) -> None:
    (machine / ROM).unlink()
    os.mkfifo(machine / ROM)


def _gone(machine: Path) -> None:
    (machine / ROM).unlink()


@pytest.mark.parametrize("trick", [_link, _second_name, _folder_link, _text, _large, _pipe, _gone])
@pytest.mark.parametrize("what", [LabelRom(ROM), AppArmorRoms((ROM,))])
def test_what_is_no_rom_of_its_own_is_not_opened_to_vms(machine, what, trick):
    request = apply_line(plan_of(machine, what))
    trick(machine)
    assert refused(machine, request) in {"no-rom", "unread", "place"}


@pytest.mark.parametrize("missing", ["usr/sbin/usermod", "usr/bin/gpasswd"])
def test_nobody_is_put_where_nobody_could_be_taken_from(machine, missing):
    (machine / missing).unlink()
    assert refused(machine, apply_line(plan_of(machine, JoinGroup("ada", HostGroup.RENDER)))) == "tool-missing"


def test_a_computer_without_selinux_labels_nothing(machine):
    (machine / "etc/selinux/config").unlink()
    assert refused(machine, apply_line(plan_of(machine, LabelRom(ROM)))) == "unread"


def results(machine: Path, request: bytes) -> list[str]:
    (answer,) = ask(machine, request)
    assert answer["ok"], answer
    result = answer["result"]
    run = result[0] if isinstance(result, list) else result
    return [step["result"] for step in run["steps"]]


def test_who_was_in_the_group_before_stays_in_it(machine):
    group = (machine / "etc/group").read_text()
    (machine / "etc/group").write_text(group.replace("render:x:105:cleo", "render:x:105:ada"))
    before = snapshot(machine)
    assert results(machine, apply_line(plan_of(machine, JoinGroup("ada", HostGroup.RENDER)))) == ["same"]
    assert results(machine, undo_line()) == ["same"]
    assert snapshot(machine) == before
    assert not (machine / "calls").exists()


def test_who_has_the_group_as_the_first_one_is_in_it(machine):
    assert results(machine, apply_line(plan_of(machine, JoinGroup("bob", HostGroup.RENDER)))) == ["same"]
    assert results(machine, undo_line()) == ["same"]


def test_a_label_that_somebody_gave_before_stays(machine):
    (machine / LABELS).write_text("/" + ROM.replace(".", r"\.") + " system_u:object_r:virt_content_t:s0\n")
    before = snapshot(machine)
    assert results(machine, apply_line(plan_of(machine, LabelRom(ROM)))) == ["same"]
    assert results(machine, undo_line()) == ["same"]
    assert snapshot(machine) == before


def test_what_somebody_took_back_by_hand_is_no_failure(machine):
    group = (machine / "etc/group").read_text()
    results(machine, apply_line(plan_of(machine, JoinGroup("ada", HostGroup.RENDER))))
    (machine / "etc/group").write_text(group)
    assert results(machine, undo_line()) == ["same"]


@pytest.mark.parametrize(
    ("name", "what"),
    [("usermod", JoinGroup("ada", HostGroup.RENDER)), ("semanage", LabelRom(ROM)), ("udevadm", None)],
)
def test_a_program_that_does_nothing_or_fails_takes_the_plan_back(machine, name, what):
    before = snapshot(machine)
    steps = (VfioAccess("ada"), what) if what is not None else STACKS["permissions"][:2]
    request = apply_line(plan_of(machine, *steps))
    folder = "usr/bin" if name == "udevadm" else "usr/sbin"
    real = (machine / folder / name).read_bytes()
    program(machine, f"{folder}/{name}", "exit 3\n" if name == "udevadm" else ":\n")
    (answer,) = ask(machine, request)
    assert kind_of(answer) == "apply-failed"
    (machine / folder / name).write_bytes(real)
    assert snapshot(machine) == before


def test_a_rule_is_taken_back_where_udev_does_not_run(machine):
    before = snapshot(machine)
    results(machine, apply_line(plan_of(machine, *STACKS["permissions"][:2])))
    real = (machine / "usr/bin/udevadm").read_bytes()
    program(machine, "usr/bin/udevadm", "exit 1\n")
    assert results(machine, undo_line()) == ["taken_back", "taken_back"]
    (machine / "usr/bin/udevadm").write_bytes(real)
    assert snapshot(machine) == before


@pytest.mark.parametrize("what", [JoinGroup("ada", HostGroup.RENDER), LabelRom(ROM)])
def test_what_a_later_plan_rests_on_is_taken_back_after_it(machine, what):
    before = snapshot(machine)
    results(machine, apply_line(plan_of(machine, what)))
    assert results(machine, apply_line(plan_of(machine, what, plan_id=OTHER_PLAN))) == ["same"]
    (answer,) = ask(machine, undo_line(PLAN_ID))
    assert kind_of(answer) == "later-plan"
    assert results(machine, undo_line(OTHER_PLAN)) == ["same"]
    assert results(machine, undo_line(PLAN_ID)) == ["taken_back"]
    assert snapshot(machine) == before


def test_a_limit_is_raised_for_a_second_vm_and_goes_back_to_the_first_one_s(machine):
    place = machine / "etc/security/limits.d/60-vitrail.conf"
    results(machine, apply_line(plan_of(machine, LockedMemory("ada", 9))))
    first = place.read_bytes()
    results(machine, apply_line(plan_of(machine, LockedMemory("ada", 18), plan_id=OTHER_PLAN)))
    assert results(machine, undo_line()) == ["taken_back"]
    assert place.read_bytes() == first


@pytest.mark.skipif(shutil.which("usermod") is None or shutil.which("gpasswd") is None, reason="no usermod")
def test_the_system_s_own_programs_put_a_user_in_and_take_the_user_out(tmp_path):
    system = make_system(tmp_path)
    users, groups = system.read("etc/passwd").decode(), system.read("etc/group").decode()
    system.write("etc/passwd", users + "ada:x:4242:4242::/home/ada:/bin/sh\n")
    rows = [row for row in groups.split("\n") if row and not row.startswith("render:")]
    system.write("etc/group", "\n".join([*rows, "render:x:4105:", "ada:x:4242:", ""]))
    before = system.read("etc/group")
    plan = HostPlan(
        PLAN_ID,
        digest_of(b"vitrail " + MACHINE_ID.encode()),
        BOOT_ID,
        (),
        (JoinGroup("ada", HostGroup.RENDER),),
        (),
        guarded=False,
    )
    assert system.ask(apply_line(plan))["result"] == "applied"
    assert b"render:x:4105:ada\n" in system.read("etc/group")
    (outcome,) = system.ask(undo_line())
    assert outcome["result"] == "taken_back"
    assert system.read("etc/group") == before


def test_with_a_trial_nothing_is_given_before_keep_and_all_goes_with_the_plan(tmp_path):
    machine = make_trial_machine(tmp_path / "root")
    before = snapshot(machine)
    plan = grub_trial(machine)
    given = steps_of(machine, *STACKS["permissions"])
    files = [f"etc/{name}" for name in ("group", "udev", "security", "apparmor.d")]
    (answer,) = ask(machine, apply_line(replace(plan, keep=(*given, *plan.keep))))
    assert answer["ok"], answer
    tried = snapshot(machine)
    assert {name: tried.get(name) for name in files} == {name: before.get(name) for name in files}
    start_trial(machine)
    (answer,) = ask(machine, keep_line())
    assert answer["ok"], answer
    assert "render:x:105:cleo,ada" in (machine / "etc/group").read_text()
    assert (machine / "etc/udev/rules.d/60-vitrail-vfio.rules").exists()
    (answer,) = ask(machine, undo_line())
    assert answer["ok"], answer
    after = snapshot(machine)
    assert {name: after.get(name) for name in files} == {name: before.get(name) for name in files}
    assert not (machine / "etc/udev").exists()
