# SPDX-License-Identifier: GPL-3.0-or-later
"""Permissions are planned where a VM lacks them, and only there; what earlier plans gave is never lowered or lost."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

import pytest

from cases.golden import FOLDER, files_of_plan, keep_in, kept_in
from fakes import hosts, starts
from vitrail.model.access import Access, Person
from vitrail.model.boot import BootFile
from vitrail.model.choice import Choice, Passthrough, Virgl, Virtio
from vitrail.model.finding import Finding
from vitrail.model.host_place import stages_of
from vitrail.model.host_step import HostChange, RunTool, Tool, WriteFile
from vitrail.model.knowledge import Knowledge
from vitrail.model.machine import Host, MachineKind
from vitrail.model.permission import (
    APPARMOR_RULES,
    LIMITS,
    VFIO_RULES,
    AppArmorRoms,
    HostGroup,
    JoinGroup,
    LabelRom,
    LockedMemory,
    Permission,
    SessionMemory,
    VfioAccess,
    label_pattern,
    permission_path,
    session_limit,
)
from vitrail.model.plan import Plan, When, Writer
from vitrail.model.reading import Known, Unknown
from vitrail.model.render import render
from vitrail.model.step import HostStep
from vitrail.model.text import text
from vitrail.model.vm import Vm
from vitrail.plan.describe import summary_of, undo_of
from vitrail.plan.make import make_plan
from vitrail.xmldoc.vm import read_vm

KNOWLEDGE = Knowledge("test", (), ())
NOT_ASKED = Unknown(text("tests.unread"))
CARD = hosts.nvidia_card()
ADA = Person("ada", 1000, ("ada",))
ROM = "/var/lib/vitrail/vbios/card.rom"
OTHER_ROM = "usr/local/share/other.rom"
NEEDED_MIB = 4096 + 1024


def vm(devices: str = "", around: str = "") -> Vm:
    return read_vm(
        "<domain type='kvm'>\n  <name>win11</name>\n  <uuid>c7a5fdbd-edaf-9455-926a-d65c16db1809</uuid>\n"
        f"  <memory>4194304</memory>{around}\n  <os><type arch='x86_64' machine='q35'>hvm</type></os>\n"
        f"  <devices>{devices}\n  </devices>\n</domain>\n",
        state=NOT_ASKED,
        has_managed_save=NOT_ASKED,
        autostart=NOT_ASKED,
    )


def with_rom(path: str = ROM) -> Vm:
    return vm(
        "<hostdev mode='subsystem' type='pci' managed='yes'><source>"
        "<address domain='0x0000' bus='0x01' slot='0x00' function='0x0'/></source>"
        f"<rom file='{path}'/></hostdev>"
    )


def free_card_host(kind: MachineKind = MachineKind.REAL) -> Host:
    functions = tuple(replace(one, driver=hosts.known("vfio-pci")) for one in CARD.functions)
    card = replace(CARD, device=functions[0], functions=functions)
    return hosts.host(card, hosts.amd_integrated(), kind=kind)


def access(*given: Permission, contents: dict[str, str] | None = None, **said: Any) -> Access:
    """Who asks: a user of the system's libvirt whom nothing confines, unless said; `given`: by earlier plans."""
    facts: dict[str, Any] = {
        "session": False,
        "person": ADA,
        "locked_mib": 8,
        "draws": True,
        "asked": False,
        "apparmor": False,
        "selinux": False,
        "labels": "",
    } | said
    paths: dict[str, str | None] = dict.fromkeys((APPARMOR_RULES, VFIO_RULES, LIMITS, session_limit(1000)))
    paths |= {permission_path(one): render(one, None).decode() for one in given} | (contents or {})
    files = tuple(BootFile(path, Known(words, f"/{path}")) for path, words in paths.items())
    readings = {name: value if name == "session" else hosts.known(value) for name, value in facts.items()}
    return Access(files=files, **readings)


def session(*given: Permission, **said: Any) -> Access:
    return access(*given, session=True, **said)


def plan(machine: Vm, who: Access | None, choice: Choice | None = None, host: Host | None = None) -> Plan:
    can = Known(hosts.capabilities(), "test")
    return make_plan(host or free_card_host(), machine, choice or Passthrough(CARD.address), can, KNOWLEDGE, access=who)


def changes(made: Plan) -> list[HostChange]:
    return [step.change for step in made.steps if isinstance(step, HostStep)]


def given(made: Plan) -> list[object]:
    """What is given, and which programs run."""
    return [one.template if isinstance(one, WriteFile) else one for one in changes(made)]


def said(made: Plan) -> list[Finding]:
    return [one for one in made.findings if one.id.startswith(("permission.", "host.steps"))]


ALL_OF_A_SESSION = [
    VfioAccess("ada"),
    RunTool(Tool.UDEV_RULES),
    LockedMemory("ada", NEEDED_MIB),
    SessionMemory(1000, NEEDED_MIB),
]


def test_a_vm_of_the_user_s_own_needs_the_card_and_the_memory_first_and_then_the_card_is_given():
    made = plan(vm(), session())
    assert [(phase.name, phase.writer, phase.when) for phase in made.phases] == [
        ("permissions", Writer.HOST, When.APPLY),
        ("vm", Writer.VM, When.APPLY),
    ]
    assert given(made) == ALL_OF_A_SESSION
    assert (made.writable, made.needs_reboot, made.guard) == (True, False, None)
    (advice,) = said(made)
    assert (advice.id, advice.stops, advice.remedy and advice.remedy.id) == (
        "permission.session",
        False,
        "plan.permission.session.remedy",
    )


def test_the_system_s_own_libvirt_gives_all_of_that_by_itself():
    assert changes(plan(vm(), access())) == []
    assert changes(plan(vm(), None)) == []


def test_where_nobody_asks_the_plan_is_the_same_and_has_the_same_id():
    assert plan(vm(), None) == plan(vm(), access())


def test_without_a_card_a_session_needs_nothing():
    assert changes(plan(vm(), session(), Virtio())) == []
    assert said(plan(vm(), session(), Virtio())) == []


@pytest.mark.parametrize("limit", [None, NEEDED_MIB])
def test_a_limit_that_is_high_enough_stays(limit):
    assert given(plan(vm(), session(locked_mib=limit))) == ALL_OF_A_SESSION[:2]


def test_a_limit_that_was_not_read_is_set():
    assert given(plan(vm(), session(locked_mib=hosts.UNREAD))) == ALL_OF_A_SESSION


@pytest.mark.parametrize(
    ("devices", "around", "mib"),
    [
        ("<iommu model='intel'/>", "", 2 * 4096 + 1024),
        ("<disk type='nvme'/>", "", 2 * 4096 + 1024),
        ("<interface type='vdpa'/><iommu model='intel'/>", "", 3 * 4096 + 1024),
        ("", "<memtune><hard_limit unit='G'>7</hard_limit></memtune>", 7 * 1024),
    ],
)
def test_the_limit_is_what_libvirt_will_ask_for(devices, around, mib):
    assert LockedMemory("ada", mib) in given(plan(vm(devices, around), session()))


def test_no_limit_is_taken_away_for_a_vm_that_asks_for_all_memory():
    made = plan(vm(around="<memoryBacking><locked/></memoryBacking>"), session())
    assert given(made) == ALL_OF_A_SESSION[:2]
    assert "permission.locked" in [one.id for one in said(made)]


def test_what_an_earlier_plan_gave_is_not_lowered():
    who = session(LockedMemory("ada", 65536), SessionMemory(1000, 65536), VfioAccess("ada"))
    made = plan(vm(), who)
    assert given(made) == []
    assert [one.id for one in said(made)] == ["permission.session", "permission.login"]


def test_a_larger_vm_raises_what_an_earlier_plan_gave():
    who = session(LockedMemory("ada", 64), SessionMemory(1000, 64), VfioAccess("ada"))
    assert given(plan(vm(), who)) == ALL_OF_A_SESSION[2:]


@pytest.mark.parametrize(
    ("path", "words"),
    [
        (VFIO_RULES, render(VfioAccess("bob"), None).decode()),
        (LIMITS, render(LockedMemory("bob", 64), None).decode()),
        (LIMITS, render(LockedMemory("ada", 64), None).decode() + "ada - nofile 9\n"),
        (session_limit(1000), "[Service]\nLimitMEMLOCK=infinity\n"),
    ],
)
def test_what_another_user_has_or_somebody_edited_is_left_and_said(path, words):
    made = plan(vm(), session(contents={path: words}))
    assert changes(made) == []
    assert not made.writable
    (finding,) = said(made)
    assert (finding.title.id, finding.stops) == ("plan.host.own-edited", True)


@pytest.mark.parametrize(
    "person", [hosts.UNREAD, Person("root", 0, ()), Person("ada.lovelace", 1000, ()), Person("-G", 1000, ())]
)
def test_nobody_but_a_plain_user_is_given_anything(person):
    made = plan(vm(), session(person=person))
    assert changes(made) == []
    assert [one.id for one in said(made)] == ["permission.user"]


def test_a_card_that_the_user_may_not_draw_on_takes_its_group():
    made = plan(vm(), session(draws=False), Virgl())
    assert given(made) == [JoinGroup("ada", HostGroup.RENDER)]
    assert made.phases[0].name == "permissions"
    assert changes(plan(vm(), session(), Virgl())) == []
    assert changes(plan(vm(), access(draws=False), Virgl())) == []


def test_who_is_in_the_group_already_has_to_log_in_again():
    made = plan(vm(), session(draws=False, person=Person("ada", 1000, ("ada", "render"))), Virgl())
    assert changes(made) == []
    assert [one.id for one in said(made)] == ["permission.login"]


def test_a_rom_is_opened_in_apparmor_where_that_is_on():
    assert given(plan(with_rom(), access(apparmor=True))) == [AppArmorRoms((ROM[1:],))]
    assert changes(plan(with_rom(), access())) == []
    assert changes(plan(vm(), access(apparmor=True))) == []


def test_a_rom_is_marked_in_selinux_where_that_refuses():
    assert given(plan(with_rom(), access(selinux=True))) == [LabelRom(ROM[1:])]
    labels = f"{label_pattern(ROM[1:])} system_u:object_r:virt_content_t:s0\n"
    assert changes(plan(with_rom(), access(selinux=True, labels=labels))) == []


def test_what_was_not_read_opens_nothing():
    assert changes(plan(with_rom(), access(apparmor=hosts.UNREAD, selinux=hosts.UNREAD))) == []


def test_roms_of_earlier_plans_stay_open():
    made = plan(with_rom(), access(AppArmorRoms((OTHER_ROM,)), apparmor=True))
    assert given(made) == [AppArmorRoms((OTHER_ROM, ROM[1:]))]
    assert changes(plan(with_rom(), access(AppArmorRoms((OTHER_ROM, ROM[1:])), apparmor=True))) == []


@pytest.mark.parametrize("words", ["/etc/** rw,\n", "# mine\n", ""])
def test_rules_that_somebody_edited_are_left(words):
    words = render(AppArmorRoms((OTHER_ROM,)), None).decode() + words if words else words
    made = plan(with_rom(), access(apparmor=True, contents={APPARMOR_RULES: words}))
    assert changes(made) == []
    assert not made.writable


@pytest.mark.parametrize("path", ["/usr/share/vgabios/card.rom", "/usr/share/qemu/card.rom"])
def test_a_rom_where_vms_read_anyway_needs_nothing(path):
    made = plan(with_rom(path), access(apparmor=True, selinux=True))
    assert (changes(made), said(made)) == ([], [])


@pytest.mark.parametrize(
    "path",
    [
        "/root/card.rom",
        "/opt/my card.rom",
        "/usr/share/qemu/../../../etc/shadow",
        "card.rom",
        "/opt/.card",
        "/etc/shadow",
    ],
)
@pytest.mark.parametrize("confined", ["apparmor", "selinux"])
def test_another_place_is_told_where_to_put_it(path, confined):
    made = plan(with_rom(path), access(**{confined: True}))
    assert changes(made) == []
    (finding,) = said(made)
    assert (finding.id, finding.stops) == ("permission.rom", False)
    assert finding.remedy is not None
    assert dict(finding.remedy.args)["folder"] == "/var/lib/vitrail/vbios"


def test_with_a_restart_permissions_last_with_the_rest_and_are_no_part_of_the_trial():
    lit = hosts.nvidia_card(outputs=(hosts.output(),), holders=hosts.holders(hosts.process()))
    host = hosts.host(lit, hosts.amd_integrated(), **starts.start("grub-debian"))
    made = plan(vm(), session(), Passthrough(lit.address), host)
    assert [phase.name for phase in made.phases] == ["prepare-host", "keep-host", "vm"]
    keep = [step.change for step in made.phases[1].steps if isinstance(step, HostStep)]
    assert [one.template if isinstance(one, WriteFile) else one for one in keep[:4]] == ALL_OF_A_SESSION
    assert list(stages_of(tuple(keep))) == sorted(stages_of(tuple(keep)))
    assert made.phases[2].when is When.KEPT
    assert made.needs_reboot


def test_a_start_without_a_trial_takes_them_before_what_starts_the_computer():
    lit = hosts.nvidia_card(outputs=(hosts.output(),), holders=hosts.holders(hosts.process()))
    host = hosts.host(lit, hosts.amd_integrated(), **starts.start("refind"))
    made = plan(vm(), session(), Passthrough(lit.address), host)
    assert [phase.name for phase in made.phases] == ["prepare-host", "vm"]
    all_of_it = tuple(changes(made))
    assert set(ALL_OF_A_SESSION) <= set(given(made))
    assert list(stages_of(all_of_it)) == sorted(stages_of(all_of_it))


@pytest.mark.parametrize("kind", [MachineKind.RECORDING, MachineKind.DEMO])
def test_on_a_recording_they_can_be_tried(kind):
    assert plan(with_rom(), access(apparmor=True), host=free_card_host(kind)).writable


def test_every_permission_is_said_with_its_way_back():
    both = (*plan(vm(), session()).steps, *plan(with_rom(), access(apparmor=True, selinux=True)).steps)
    steps = [step for step in both if isinstance(step, HostStep)]
    steps += [step for step in plan(vm(), session(draws=False), Virgl()).steps if isinstance(step, HostStep)]
    ids = {summary_of(step).id for step in steps}
    assert ids == {
        "plan.step.file.vfio-access",
        "plan.step.run.udevadm",
        "plan.step.file.locked-memory",
        "plan.step.file.session-memory",
        "plan.step.file.apparmor-roms",
        "plan.step.label-rom",
        "plan.step.join-group",
    }
    assert all(undo_of(step).id.startswith("plan.undo.") for step in steps)


LIT = hosts.nvidia_card(outputs=(hosts.output(),), holders=hosts.holders(hosts.process()))
GOLDEN: dict[str, Plan] = {
    "session": plan(vm(), session()),
    "session-with-restart": plan(
        vm(),
        session(),
        Passthrough(LIT.address),
        hosts.host(LIT, hosts.amd_integrated(), **starts.start("grub-debian")),
    ),
    "session-draws": plan(vm(), session(draws=False), Virgl()),
    "rom-in-apparmor": plan(with_rom(), access(apparmor=True)),
    "rom-in-selinux": plan(with_rom(), access(selinux=True)),
    "rom-elsewhere": plan(with_rom("/root/my card.rom"), access(apparmor=True)),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_a_plan_with_permissions_is_the_one_that_was_kept(name):
    folder = FOLDER / "permissions" / name
    if os.environ.get("VITRAIL_WRITE_CASES") == "1":
        keep_in(folder, files_of_plan(GOLDEN[name]))
    assert files_of_plan(GOLDEN[name]) == kept_in(folder)
