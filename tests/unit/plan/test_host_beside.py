# SPDX-License-Identifier: GPL-3.0-or-later
"""Beside what is there: arguments alone, cards and words of earlier plans, machines that are only shown."""

from __future__ import annotations

import pytest

from fakes import hosts, starts
from fakes.host_parts import LIT, OTHER, PLAN, changes, lasting, part, said_of_steps, table_of, why_not
from vitrail.helper.rules import check_rules
from vitrail.helper.run import _TOOLS
from vitrail.model.boot import BootStack, InitramfsTool
from vitrail.model.edited_lines import BEGIN, END
from vitrail.model.host_step import (
    ArgumentsByTool,
    ArgumentsFile,
    HostPlan,
    LoaderEntry,
    RunTool,
    Tool,
    WriteFile,
    arguments_of,
)
from vitrail.model.kernel_argument import PlanToken, words_of
from vitrail.model.machine import CpuVendor, Gpu, MachineKind
from vitrail.model.plan import When
from vitrail.model.step import HostStep
from vitrail.model.trial import MakeTrialImage
from vitrail.model.wire import from_wire, to_wire
from vitrail.plan.describe import subject_of
from vitrail.plan.host.by_hand import TOOL_COMMANDS
from vitrail.plan.host_phase import HostPart, host_part

EARLIER_WORDS = f'GRUB_CMDLINE_LINUX_DEFAULT="$GRUB_CMDLINE_LINUX_DEFAULT intel_iommu=on vitrail.plan={OTHER}"\n'
every_start = pytest.mark.parametrize("name", starts.STARTS)


def no_iommu(name: str, **said: object) -> HostPart:
    """A machine whose second card is free and whose IOMMU an argument turns on."""
    free = hosts.nvidia_card(group=None)
    facts = {"vendor": CpuVendor.INTEL, "active": False, "intel_iommu_default_on": "off"} | said
    return part(starts.start(name), free, **facts)


@every_start
def test_arguments_alone_touch_no_image(name):
    found = no_iommu(name)
    assert {word for one in lasting(found) for word in words_of(arguments_of(one))} == {
        "intel_iommu=on",
        f"vitrail.plan={PLAN}",
    }
    assert not any(isinstance(one, MakeTrialImage) for one in changes(found))
    built = [one.tool for one in lasting(found) if isinstance(one, RunTool)]
    assert (Tool.MKINITCPIO in built) is (name in ("uki", "uki-drop-in"))
    assert found.identities == ()


@pytest.mark.parametrize("tool", [InitramfsTool.BOOSTER, None, hosts.UNREAD])
def test_arguments_alone_need_no_initramfs_tool(tool):
    assert no_iommu("grub-debian", initramfs=tool).phases


def test_an_image_based_system_takes_arguments_through_its_owner():
    found = no_iommu("grub-bls", stack=BootStack.RPM_OSTREE)
    (owner,) = [one for one in changes(found) if isinstance(one, ArgumentsByTool)]
    assert (owner.tool.value, found.guard and found.guard.one_shot) == ("rpm-ostree", None)


def earlier_card() -> Gpu:
    return hosts.nvidia_card("02", 15)


def table_with(card: Gpu, plan_id: str = OTHER) -> str:
    rows = [f"{plan_id} {one.address} 0x10de 0x{one.identity.device_id:04x} - -" for one in card.functions]
    return "# Written by Vitrail\n" + "".join(f"{row}\n" for row in rows)


@every_start
def test_a_card_that_was_kept_before_stays_kept(name):
    earlier = earlier_card()
    facts = starts.with_file(name, "etc/vitrail/reserved-cards", table_with(earlier))
    facts |= {"cmdline": f"{facts['cmdline']} vitrail.plan={OTHER}"}
    found = host_part(hosts.host(hosts.amd_integrated(), earlier, LIT, **facts), LIT, PLAN)
    assert {card.plan_id for card in table_of(found).cards} == {PLAN, OTHER}
    assert set(found.identities) == {one.identity for gpu in (earlier, LIT) for one in gpu.functions}
    tried = [one for one in changes(found) if isinstance(one, WriteFile) and "Trial" in type(one.template).__name__]
    assert all(PlanToken(OTHER) in arguments_of(one) for one in tried)


@pytest.mark.parametrize(
    ("name", "path", "words"),
    [
        (
            "grub-debian",
            "etc/default/grub.d/60-vitrail.cfg",
            f"# Written by Vitrail. Take it back with: vitrail undo\n{EARLIER_WORDS}",
        ),
        (
            "grub-arch",
            "etc/default/grub",
            f"{starts.DEFAULTS}{BEGIN}\n{EARLIER_WORDS}{END}\n",
        ),
        ("kernel-install", "etc/kernel/cmdline", f"{starts.ROOT} intel_iommu=on vitrail.plan={OTHER}\n"),
        (
            "systemd-boot",
            "boot/loader/entries/linux.conf",
            starts.ENTRY.replace("quiet", f"quiet intel_iommu=on vitrail.plan={OTHER}"),
        ),
    ],
)
def test_words_of_an_earlier_plan_stay_on_the_line(name, path, words):
    found = part(starts.with_file(name, path, words))
    (step,) = [step for phase in found.phases for step in phase.steps if subject_of(step) == f"/{path}"]
    assert isinstance(step, HostStep)
    assert f"vitrail.plan={OTHER}" in (step.after or "")
    assert f"vitrail.plan={PLAN}" in (step.after or "")
    assert (step.after or "").count("intel_iommu=on") == 1


def test_an_earlier_plan_whose_device_is_another_now_is_named():
    facts = starts.with_file("grub-debian", "etc/vitrail/reserved-cards", table_with(earlier_card()))
    assert why_not(part(facts)) == "earlier-differs"


def test_the_same_plan_made_again_replaces_its_own_rows():
    facts = starts.with_file("grub-debian", "etc/vitrail/reserved-cards", table_with(LIT, PLAN))
    assert len(table_of(part(facts)).cards) == len(LIT.functions)


PROVEN = ("grub-debian", "systemd-boot", "kernel-install")


@every_start
def test_on_a_live_machine_only_what_was_seen_to_start_is_written(name):
    found = part(starts.start(name), kind=MachineKind.REAL)
    assert {phase.writable for phase in found.phases} == {name in PROVEN}
    if name in PROVEN:
        assert said_of_steps(found) == []
        return
    (finding,) = said_of_steps(found)
    assert (finding.id, finding.title.id, finding.stops) == ("host.by-hand", "plan.host.unproven", False)
    assert [heading.id for heading, _ in finding.by_hand] == ["model.by-hand.do", "model.by-hand.undo"]
    assert all(line.startswith("sudo") for _, lines in finding.by_hand for line in lines)


@pytest.mark.parametrize("kind", [MachineKind.RECORDING, MachineKind.DEMO])
@every_start
def test_on_a_recording_everything_can_be_tried(name, kind):
    found = part(starts.start(name), kind=kind)
    assert said_of_steps(found) == []
    assert all(phase.writable for phase in found.phases)


@pytest.mark.parametrize("tool", [InitramfsTool.MKINITCPIO])
def test_a_proven_loader_with_an_unproven_image_is_shown_only(tool):
    facts = starts.with_file("systemd-boot", "etc/mkinitcpio.conf", starts.MKINITCPIO)
    assert not any(phase.writable for phase in part(facts, initramfs=tool).phases)


@pytest.mark.parametrize("kind", [MachineKind.REMOTE, MachineKind.LISTING])
def test_another_computer_s_start_is_never_written(kind):
    found = part(starts.start("grub-debian"), kind=kind)
    assert not any(phase.writable for phase in found.phases)
    assert [finding.title.id for finding in said_of_steps(found)] == ["plan.host.elsewhere"]


def test_only_the_entry_that_started_this_boot_is_changed():
    facts = starts.with_file("systemd-boot", "boot/loader/entries/fallback.conf", starts.ENTRY)
    found = lasting(part(facts))
    (entry,) = [one.template for one in found if isinstance(one, WriteFile) and isinstance(one.template, LoaderEntry)]
    assert isinstance(entry, LoaderEntry)
    assert entry.name == "linux"


def test_a_merged_file_says_all_of_its_words():
    found = part(starts.start("grub-debian"))
    (file,) = [
        one.template for one in lasting(found) if isinstance(one, WriteFile) and isinstance(one.template, ArgumentsFile)
    ]
    assert isinstance(file, ArgumentsFile)
    assert file.arguments == (PlanToken(PLAN),)


@pytest.mark.parametrize(("secure", "said"), [(True, ["fail"]), (False, []), (hosts.UNREAD, ["unknown"])])
@pytest.mark.parametrize("name", ["uki", "uki-kernel-install"])
def test_a_unified_image_has_to_be_signed_where_the_firmware_asks_for_it(name, secure, said):
    found = part(starts.start(name), secure_boot=secure, kind=MachineKind.RECORDING)
    assert [finding.status for finding in said_of_steps(found)] == said
    assert all(phase.writable for phase in found.phases)


@pytest.mark.parametrize("name", ["grub-debian", "kernelstub"])
def test_a_line_that_is_full_takes_no_more(name):
    many = " ".join(f"vitrail.plan={number:016x}" for number in range(1, 16))
    facts = starts.start(name)
    assert why_not(part(facts | {"cmdline": f"{facts['cmdline']} {many}"})) == "too-many"


def test_a_file_that_is_full_takes_no_more():
    many = " ".join(f"vitrail.plan={number:016x}" for number in range(1, 17))
    words = f'GRUB_CMDLINE_LINUX_DEFAULT="$GRUB_CMDLINE_LINUX_DEFAULT {many}"\n'
    head = "# Written by Vitrail. Take it back with: vitrail undo\n"
    assert (
        why_not(part(starts.with_file("grub-debian", "etc/default/grub.d/60-vitrail.cfg", head + words))) == "too-many"
    )


def test_what_is_typed_by_hand_is_what_root_would_run():
    assert set(TOOL_COMMANDS) >= {tool for tool in Tool if tool is not Tool.BOOSTER}
    for tool, command in TOOL_COMMANDS.items():
        name, *arguments = command.split()
        program = _TOOLS[tool]
        assert name.lstrip("/") in program.names
        # A program without arguments here is called more than once, which by hand one line does.
        assert not program.arguments or tuple(arguments) == program.arguments


@every_start
@pytest.mark.parametrize("make", [lambda name: part(starts.start(name)), no_iommu], ids=["card", "argument"])
def test_what_is_planned_keeps_every_rule_of_root_s(name, make):
    found = make(name)
    steps = tuple(step for phase in found.phases if phase.when is When.APPLY for step in phase.steps)
    keep = tuple(step for phase in found.phases if phase.when is When.KEEP for step in phase.steps)
    crossing = HostPlan(
        plan_id=PLAN,
        machine_id_hash="0" * 64,
        boot_id="11111111-2222-3333-4444-555555555555",
        identities=found.identities,
        steps=tuple(step.change for step in steps),
        keep=tuple(step.change for step in keep),
        guarded=True,
    )
    check_rules(crossing)
    assert from_wire(HostPlan, to_wire(crossing)) == crossing
