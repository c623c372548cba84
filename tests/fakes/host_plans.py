# SPDX-License-Identifier: GPL-3.0-or-later
"""A plan for a computer and its VM, by hand: a user's file, a trial, what Keep makes lasting, the VM after that."""

from __future__ import annotations

from dataclasses import replace

from fakes.plans import make_plan_for
from vitrail.model.host_step import (
    ArgumentFile,
    ArgumentsFile,
    Fixed,
    FixedFile,
    HostChange,
    RunTool,
    Template,
    Tool,
    WriteFile,
)
from vitrail.model.kernel_argument import Flag, PlanToken
from vitrail.model.pci import DeviceIdentity, PciAddress
from vitrail.model.plan import Guard, GuardStrength, Phase, Plan, When, Writer
from vitrail.model.render import digest_of, render
from vitrail.model.reservation import ReservedCard, ReservedCards
from vitrail.model.step import HostStep, ResumeAtLogin
from vitrail.service.user_step import RESUME_FILE

PLAN_ID = "0123456789abcdef"
CARD = DeviceIdentity(PciAddress(0, 1, 0, 0), 0x10DE, 0x2783, 0x1043, 0x88F0)
GRUB = b'GRUB_CMDLINE_LINUX_DEFAULT="quiet splash"\n'
ENTRY = "[Desktop Entry]\nComment=Written by Vitrail.\nExec=vitrail --resume\n"


def write(template: Template, current: bytes | None) -> HostStep:
    """The step that brings a file from what it is to what the template makes."""
    after = render(template, current)
    change = WriteFile(template, None if current is None else digest_of(current), digest_of(after))
    return HostStep(change, None if current is None else current.decode(), after.decode())


def run(tool: Tool) -> HostStep:
    """The step that runs a program."""
    return HostStep(RunTool(tool), None, None)


def host_plan_for(
    before: str, after: str, *, uuid: str, plan_id: str = PLAN_ID, grub: bytes = GRUB, guard: bool = True
) -> Plan:
    """Two files of ours and one of the user's now, two programs; one more file at Keep; then the VM."""
    cards = ReservedCards((ReservedCard(plan_id, CARD),))
    words = ArgumentsFile(ArgumentFile.GRUB_DEFAULTS, (Flag.IOMMU_PASSTHROUGH, PlanToken(plan_id)))
    now: tuple[HostStep, ...] = (
        write(cards, None),
        write(FixedFile(Fixed.INITRAMFS_TOOLS_HOOK), None),
        run(Tool.UPDATE_INITRAMFS),
        write(words, grub),
        run(Tool.UPDATE_GRUB),
    )
    keep = (write(FixedFile(Fixed.INITRAMFS_TOOLS_EARLY), None), run(Tool.UPDATE_INITRAMFS))
    vm = replace(make_plan_for(before, after, uuid=uuid).phases[0], when=When.KEPT)
    return replace(
        make_plan_for(before, after, uuid=uuid),
        plan_id=plan_id,
        machine_id_hash="ab" * 32,
        boot_id="11111111-2222-3333-4444-555555555555",
        identities=(CARD,),
        phases=(
            Phase("resume", Writer.USER, (ResumeAtLogin(RESUME_FILE, ENTRY),), writable=True),
            Phase("prepare-host", Writer.HOST, now, writable=True),
            Phase("keep-host", Writer.HOST, keep, writable=True, when=When.KEEP),
            vm,
        ),
        guard=Guard(GuardStrength.AUTOMATIC, None, ()) if guard else None,
    )


def changes_of(plan: Plan, when: When) -> tuple[HostChange, ...]:
    """The computer's changes of one moment."""
    return tuple(
        step.change
        for phase in plan.phases
        if phase.writer is Writer.HOST and phase.when is when
        for step in phase.steps
        if isinstance(step, HostStep)
    )
