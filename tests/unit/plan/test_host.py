# SPDX-License-Identifier: GPL-3.0-or-later
"""What a plan changes on this computer: one recipe for each owner of the start, and nothing that is not needed."""

from __future__ import annotations

import pytest

from fakes import hosts, starts
from fakes.host_parts import LIT, PLAN, asked, changes, is_of_guard, lasting, part, table_of, why_not
from vitrail.model.boot import InitramfsTool
from vitrail.model.host_place import stages_of
from vitrail.model.host_step import (
    ArgumentsByTool,
    FixedFile,
    RunTool,
    Tool,
    WriteFile,
    arguments_of,
)
from vitrail.model.kernel_argument import Flag, words_of
from vitrail.model.machine import MachineKind
from vitrail.model.plan import GuardStrength, When, Writer
from vitrail.model.render import digest_of
from vitrail.model.step import HostStep
from vitrail.model.trial import EntryTrial, GrubTrial, MakeTrialImage, SetOneShot, StoreGuard
from vitrail.plan.describe import diff_of, kind_of, subject_of, summary_of, undo_of
from vitrail.plan.host_phase import HOST_PHASE, KEEP_PHASE, HostPart

TRIED = ("grub-debian", "grub-arch", "grub-suse", "grub-bls", "systemd-boot", "kernel-install", "kernelstub")
RISKY = ("uki", "uki-drop-in", "uki-kernel-install", "limine", "refind", "proxmox-boot-tool")
TOOLS = {
    "grub-debian": (Tool.UPDATE_INITRAMFS, Tool.UPDATE_GRUB),
    "grub-arch": (Tool.MKINITCPIO, Tool.GRUB_MKCONFIG),
    "grub-suse": (Tool.DRACUT, Tool.GRUB2_MKCONFIG),
    "grub-bls": (Tool.DRACUT,),
    "systemd-boot": (Tool.DRACUT,),
    "kernel-install": (Tool.DRACUT, Tool.KERNEL_INSTALL),
    "kernelstub": (Tool.UPDATE_INITRAMFS,),
    "sdboot-manage": (Tool.MKINITCPIO, Tool.SDBOOT_MANAGE),
    "sdbootutil": (Tool.SDBOOTUTIL_IMAGES, Tool.SDBOOTUTIL),
    "uki": (Tool.MKINITCPIO,),
    "uki-drop-in": (Tool.MKINITCPIO,),
    "uki-kernel-install": (Tool.DRACUT, Tool.KERNEL_INSTALL),
    "limine": (Tool.MKINITCPIO, Tool.LIMINE_UPDATE),
    "refind": (Tool.MKINITCPIO,),
    "proxmox-boot-tool": (Tool.UPDATE_INITRAMFS, Tool.PROXMOX_REFRESH),
}
OWNERS = {
    "grub-debian": "etc/default/grub.d/60-vitrail.cfg",
    "grub-arch": "etc/default/grub",
    "grub-suse": "etc/default/grub",
    "grub-bls": "grubby",
    "systemd-boot": "boot/loader/entries/linux.conf",
    "kernel-install": "etc/kernel/cmdline",
    "kernelstub": "kernelstub",
    "sdboot-manage": "etc/sdboot-manage.conf",
    "sdbootutil": "etc/kernel/cmdline",
    "uki": "etc/kernel/cmdline",
    "uki-drop-in": "etc/cmdline.d/60-vitrail.conf",
    "uki-kernel-install": "etc/kernel/cmdline",
    "limine": "etc/default/limine",
    "refind": "boot/refind_linux.conf",
    "proxmox-boot-tool": "etc/kernel/cmdline",
}

every_start = pytest.mark.parametrize("name", starts.STARTS)


@pytest.mark.parametrize("kind", MachineKind)
def test_a_free_card_needs_nothing_of_any_machine(kind):
    free = hosts.nvidia_card()
    assert part(starts.start("grub-debian"), free, kind=kind) == HostPart()


@every_start
def test_one_owner_and_every_program_that_makes_something_of_it(name):
    found = lasting(part(starts.start(name)))
    assert tuple(one.tool for one in found if isinstance(one, RunTool)) == TOOLS[name]
    owners = [one for one in found if arguments_of(one)]
    (owner,) = owners
    place = owner.tool.value if isinstance(owner, ArgumentsByTool) else subject_of(HostStep(owner, None, None))[1:]
    assert place == OWNERS[name]


@every_start
def test_steps_are_in_the_order_in_which_nothing_half_done_starts(name):
    for phase in part(starts.start(name)).phases:
        found = tuple(step.change for step in phase.steps if isinstance(step, HostStep))
        assert list(stages_of(found)) == sorted(stages_of(found))
        assert len({subject_of(step) for step in phase.steps}) == len(phase.steps)


@every_start
def test_only_what_is_needed_is_asked_of_the_kernel(name):
    found = part(starts.start(name))
    assert {word for one in lasting(found) for word in words_of(arguments_of(one))} == {f"vitrail.plan={PLAN}"}


@every_start
def test_no_id_no_override_and_no_folklore_is_ever_written(name):
    found = part(starts.start(name))
    written = " ".join(step.after or "" for phase in found.phases for step in phase.steps if isinstance(step, HostStep))
    for word in ("vfio-pci.ids", "vfio_virqfd", "pcie_acs_override", "amd_iommu=on", "options vfio-pci", "blacklist"):
        assert word not in written


@every_start
def test_every_function_of_the_card_is_kept_by_place_and_identity(name):
    table = table_of(part(starts.start(name)))
    assert [card.identity for card in table.cards] == [function.identity for function in LIT.functions]
    assert {card.plan_id for card in table.cards} == {PLAN}


@every_start
def test_every_step_says_what_it_is_for_and_how_it_goes_back(name):
    found = part(starts.start(name))
    steps = [step for phase in found.phases for step in phase.steps]
    assert len({summary_of(step) for step in steps}) == len(steps)
    assert all(undo_of(step).id.startswith("plan.undo.") for step in steps)
    assert all(diff_of(step) for step in steps if kind_of(step) == "write-file")


@every_start
def test_what_is_shown_is_what_root_is_told_to_find_and_to_make(name):
    for phase in part(starts.start(name)).phases:
        for step in phase.steps:
            if isinstance(step, HostStep) and isinstance(step.change, WriteFile):
                shown = [None if words is None else digest_of(words.encode()) for words in (step.before, step.after)]
                assert shown == [step.change.before, step.change.after]


@pytest.mark.parametrize("name", TRIED)
def test_where_the_loader_forgets_it_a_change_is_tried_before_it_lasts(name):
    found = part(starts.start(name))
    assert [(phase.name, phase.writer, phase.when) for phase in found.phases] == [
        (HOST_PHASE, Writer.HOST, When.APPLY),
        (KEEP_PHASE, Writer.HOST, When.KEEP),
    ]
    unit, store, image, entry, mark = changes(found, When.APPLY)
    assert is_of_guard(unit)
    assert isinstance(store, StoreGuard)
    assert isinstance(image, MakeTrialImage)
    assert isinstance(entry, WriteFile)
    assert isinstance(entry.template, GrubTrial | EntryTrial)
    assert isinstance(mark, SetOneShot)
    assert image.cards == table_of(found)
    assert asked(found, When.APPLY) == {f"vitrail.plan={PLAN}", Flag.PANIC.value, Flag.GUARD.value}
    assert found.guard is not None
    assert found.guard.one_shot is mark.means


@pytest.mark.parametrize("name", RISKY)
def test_where_it_does_not_the_guard_comes_first_and_at_every_start(name):
    found = part(starts.start(name))
    (phase,) = found.phases
    assert (phase.name, phase.when) == (HOST_PHASE, When.APPLY)
    first = tuple(step.change for step in phase.steps[:4] if isinstance(step, HostStep))
    assert all(map(is_of_guard, first))
    assert sum(map(is_of_guard, changes(found))) == 4
    assert found.guard is not None
    assert found.guard.strength in (GuardStrength.GUARD_UNIT, GuardStrength.BY_MENU)


@pytest.mark.parametrize("tool", [InitramfsTool.INITRAMFS_TOOLS, InitramfsTool.DRACUT, InitramfsTool.MKINITCPIO])
@every_start
def test_each_initramfs_tool_has_its_files(name, tool):
    facts = starts.with_file(name, "etc/mkinitcpio.conf", starts.MKINITCPIO)
    if name in ("uki", "uki-drop-in") and tool is not InitramfsTool.MKINITCPIO:
        assert why_not(part(facts, initramfs=tool)) == "unified-builder"
        return
    found = lasting(part(facts, initramfs=tool))
    files = [one.template.which for one in found if isinstance(one, WriteFile) and isinstance(one.template, FixedFile)]
    assert files
    assert {which.value.startswith(tool.value) for which in files} == {True}
    assert all(isinstance(one, WriteFile | RunTool | ArgumentsByTool) for one in found)


@pytest.mark.parametrize(
    ("name", "tools"),
    [
        ("kernel-install", [Tool.KERNEL_INSTALL]),
        ("uki-kernel-install", [Tool.KERNEL_INSTALL]),
        ("limine", [Tool.LIMINE_UPDATE]),
        ("uki", [Tool.MKINITCPIO]),
        ("grub-debian", [Tool.UPDATE_INITRAMFS, Tool.UPDATE_GRUB]),
    ],
)
def test_images_beside_the_entries_are_built_by_who_makes_the_entries(name, tools):
    facts = starts.start(name) if name == "grub-debian" else starts.start(name, images=())
    assert [one.tool for one in lasting(part(facts)) if isinstance(one, RunTool)] == tools
