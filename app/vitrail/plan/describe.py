# SPDX-License-Identifier: GPL-3.0-or-later
"""What a step is, on what, how it is shown and how it is taken back: one wording for window, terminal and journal."""

from __future__ import annotations

import difflib

from vitrail.model.binding import BindLive
from vitrail.model.host_place import kind_of_change, subject_of_change
from vitrail.model.host_step import RunTool, Tool, WriteFile
from vitrail.model.permission import JoinGroup, LabelRom, Permission
from vitrail.model.step import EditVm, HostStep, ResumeAtLogin, Step
from vitrail.model.text import Text, text
from vitrail.plan.describe_host import summary_of_change, undo_of_change
from vitrail.xmldoc.diff import shown_diff


def kind_of(step: Step) -> str:
    """The kind of step by its name in the command line's JSON."""
    match step:
        case EditVm():
            return "edit-vm"
        case HostStep():
            return kind_of_change(step.change)
        case ResumeAtLogin():
            return "resume-at-login"


def subject_of(step: Step) -> str:
    """What the step changes, in the field's own words."""
    match step:
        case EditVm():
            return step.name
        case HostStep():
            return subject_of_change(step.change)
        case ResumeAtLogin():
            return f"~/.config/{step.path}"


def summary_of(step: Step) -> Text:
    """What the step does, in one sentence."""
    match step:
        case EditVm():
            return text("plan.step.edit-vm", vm=step.name)
        case HostStep():
            return summary_of_change(step.change)
        case ResumeAtLogin():
            return text("plan.step.resume-at-login")


def undo_of(step: Step) -> Text:
    """How the step is taken back, in one sentence."""
    match step:
        case EditVm():
            return text("plan.undo.edit-vm", vm=step.name)
        case HostStep():
            return undo_of_change(step.change)
        case ResumeAtLogin():
            return text("plan.undo.resume-at-login")


def acts_at_restart(step: Step) -> bool:
    """Whether the step changes nothing until this computer starts again."""
    if not isinstance(step, HostStep):
        return False
    change = step.change
    if isinstance(change, WriteFile):
        return not isinstance(change.template, Permission)
    return not isinstance(change, JoinGroup | LabelRom | BindLive) and change != RunTool(Tool.UDEV_RULES)


def diff_of(step: Step) -> str:
    """The change as a unified diff; what is secret in it is masked. Empty where a tool makes the files."""
    match step:
        case EditVm():
            return shown_diff(step.before, step.after)
        case HostStep():
            return unified(subject_of(step), step.before, step.after)
        case ResumeAtLogin():
            return unified(subject_of(step), None, step.content)


def unified(name: str, before: str | None, after: str | None) -> str:
    """One text to another as a unified diff; None: no file."""
    old, new = (before or "").splitlines(), (after or "").splitlines()
    names = ("/dev/null" if before is None else name, "/dev/null" if after is None else name)
    return "".join(f"{line}\n" for line in difflib.unified_diff(old, new, *names, lineterm=""))
