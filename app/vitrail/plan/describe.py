# SPDX-License-Identifier: GPL-3.0-or-later
"""What a step is, on what, how it is shown and how it is taken back: one wording for window, terminal and journal."""

from __future__ import annotations

import difflib

from vitrail.model.step import EditVm, RebuildInitramfs, ReserveCard, SetKernelArguments, Step
from vitrail.model.text import Text, text
from vitrail.xmldoc.diff import shown_diff


def kind_of(step: Step) -> str:
    """The kind of step by its name in the command line's JSON."""
    match step:
        case EditVm():
            return "edit-vm"
        case SetKernelArguments():
            return "set-kernel-arguments"
        case ReserveCard():
            return "reserve-card"
        case RebuildInitramfs():
            return "rebuild-initramfs"


def subject_of(step: Step) -> str:
    """What the step changes, in the field's own words."""
    match step:
        case EditVm():
            return step.name
        case SetKernelArguments():
            return step.stack.value
        case ReserveCard():
            return ", ".join(str(identity.address) for identity in step.identities)
        case RebuildInitramfs():
            return step.tool.value


def summary_of(step: Step) -> Text:
    """What the step does, in one sentence."""
    match step:
        case EditVm():
            return text("plan.step.edit-vm", vm=step.name)
        case SetKernelArguments():
            return text("plan.step.set-kernel-arguments", arguments=" ".join(step.arguments), stack=step.stack.value)
        case ReserveCard():
            return text("plan.step.reserve-card", count=len(step.identities), addresses=subject_of(step))
        case RebuildInitramfs():
            return text("plan.step.rebuild-initramfs", tool=step.tool.value)


def undo_of(step: Step) -> Text:
    """How the step is taken back, in one sentence."""
    match step:
        case EditVm():
            return text("plan.undo.edit-vm", vm=step.name)
        case SetKernelArguments():
            return text("plan.undo.set-kernel-arguments", arguments=" ".join(step.arguments), stack=step.stack.value)
        case ReserveCard():
            return text("plan.undo.reserve-card", count=len(step.identities), addresses=subject_of(step))
        case RebuildInitramfs():
            return text("plan.undo.rebuild-initramfs", tool=step.tool.value)


def acts_at_restart(step: Step) -> bool:
    """Whether the step changes nothing until this computer starts again."""
    return not isinstance(step, EditVm)


def diff_of(step: Step) -> str:
    """The change as a unified diff; what is secret in it is masked. Empty where a tool makes the files."""
    match step:
        case EditVm():
            return shown_diff(step.before, step.after)
        case SetKernelArguments():
            now = step.before.split()
            after = [*now, *(argument for argument in step.arguments if argument not in now)]
            return _unified("/proc/cmdline", now, after)
        case ReserveCard():
            pairs = tuple(zip(step.identities, step.drivers_now, strict=True))
            now = [f"{identity.address} driver={driver}" for identity, driver in pairs]
            after = [f"{identity.address} driver=vfio-pci" for identity, _ in pairs]
            return _unified("/sys/bus/pci/devices", now, after)
        case RebuildInitramfs():
            return ""


def _unified(name: str, before: list[str], after: list[str]) -> str:
    return "\n".join(difflib.unified_diff(before, after, name, name, lineterm="")) + "\n"
