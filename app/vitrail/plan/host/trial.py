# SPDX-License-Identifier: GPL-3.0-or-later
"""The trial: a start that happens once, beside the system's own, with what would be made lasting by Keep."""

from __future__ import annotations

from vitrail.judge.guard import one_shot_of, trial_start
from vitrail.judge.trial_start import EntryStart, GrubStart, NoTrial, Start
from vitrail.model.finding import Evidence
from vitrail.model.host_step import Fixed, FixedFile
from vitrail.model.kernel_argument import Flag, KernelArgument, PlanToken
from vitrail.model.render import render
from vitrail.model.step import HostStep
from vitrail.model.text import text
from vitrail.model.trial import EntryTrial, GrubTrial, MakeTrialImage, SetOneShot, StoreGuard, entry_name
from vitrail.plan.host.files import by_program, no_step, write_file
from vitrail.plan.host.initramfs import tool_of
from vitrail.plan.host.need import Need


def trial_steps(need: Need) -> tuple[HostStep, ...]:
    """What `apply` carries out: nothing of the system's own is changed by it. Raises NoStep."""
    try:
        found = trial_start(need.host)
        template = _template(need, found)
        image = _image(need, found.start)
    except NoTrial as none:
        raise no_step(none.reason, text("plan.host.no-menu.remedy")) from none
    except ValueError as error:
        title = text("plan.host.start-form", what=str(error))
        raise no_step(title, text("plan.host.no-menu.remedy"), Evidence("/proc/cmdline", str(error))) from error
    one_shot = SetOneShot(one_shot_of(found), need.plan_id)
    return (
        guard_unit(need),
        by_program(StoreGuard()),
        *image,
        write_file(need.setup, template),
        by_program(one_shot, "", f"{entry_name(need.plan_id)}\n"),
    )


def guard_unit(need: Need) -> HostStep:
    """The guard's own unit; it starts only where something names it."""
    return write_file(need.setup, FixedFile(Fixed.GUARD_UNIT))


def lasting_guard(need: Need) -> tuple[HostStep, ...]:
    """The guard where no entry of its own can name it: it looks at every start whether a plan awaits Keep."""
    drop_ins = (Fixed.GUARD_AT_START, Fixed.GUARD_IN_EMERGENCY)
    return (guard_unit(need), *(write_file(need.setup, FixedFile(one)) for one in drop_ins), by_program(StoreGuard()))


def _template(need: Need, found: GrubStart | EntryStart) -> GrubTrial | EntryTrial:
    start = found.start
    image = None if need.table is None else f"{start.shown}/{need.plan_id}.img"
    if isinstance(found, EntryStart):
        return EntryTrial(found.folder, need.plan_id, start.kernel, start.initrds, image, start.line, _arguments(need))
    return GrubTrial(
        folder=found.folder,
        plan_id=need.plan_id,
        file_system=found.file_system,
        modules=found.modules,
        kernel=start.kernel,
        initrds=start.initrds,
        image=image,
        line=start.line,
        arguments=_arguments(need),
    )


def _image(need: Need, start: Start) -> tuple[HostStep, ...]:
    """The small image with the table, () where no card is kept from the start."""
    if need.table is None:
        return ()
    change = MakeTrialImage(
        start.image_folder, need.plan_id, start.release, tool_of(need), start.system_image, need.table
    )
    return (by_program(change, None, render(need.table, None).decode()),)


def _arguments(need: Need) -> tuple[KernelArgument, ...]:
    """The plan's own, those of plans that were kept before, and what belongs to a trial alone."""
    return (*need.flags, *need.running_tokens, PlanToken(need.plan_id), Flag.PANIC, Flag.GUARD)
