# SPDX-License-Identifier: GPL-3.0-or-later
"""The pages that ask one question with a few answers: which VM, what for, how to see it, go on or begin anew."""

from __future__ import annotations

from dataclasses import dataclass

from vitrail.judge.suggestion import Seeing
from vitrail.model.knowledge import PURPOSES
from vitrail.model.machine import Host
from vitrail.model.mode import mode_name
from vitrail.model.reading import Known, Unknown
from vitrail.model.text import Text, text
from vitrail.model.vm import Vm
from vitrail.qt.wizard.state.cards import card_name, connected_outputs, output_name, sentence_list
from vitrail.qt.wizard.state.draft import Draft
from vitrail.qt.wizard.state.words import graphics_words
from vitrail.qt.words import state_badge

_MARKS = {
    "games": "zap",
    "desktop": "layout-dashboard",
    "cad": "workflow",
    "compute": "server",
    "video": "play",
    "legacy": "history",
    "unknown": "circle-question-mark",
    Seeing.OWN_MONITOR.value: "monitor",
    Seeing.OTHER_INPUT.value: "refresh-cw",
    Seeing.WINDOW.value: "square",
    Seeing.REMOTE.value: "network",
    Seeing.NOTHING.value: "monitor-off",
}


@dataclass(frozen=True, slots=True)
class Option:
    """One answer. `why_not` is set where it cannot be chosen; it is then shown in place of `detail`."""

    key: str
    title: Text
    detail: Text | None
    selected: bool
    note: Text | None = None
    why_not: Text | None = None
    mark: str | None = None
    """The icon before it, by its file's name."""


@dataclass(frozen=True, slots=True)
class OptionsPage:
    """One question. `empty` says why there is no answer at all and what to do."""

    question: Text
    lead: Text | None
    options: tuple[Option, ...]
    empty: tuple[Text, ...] = ()

    @property
    def can_go_on(self) -> bool:
        """Whether an answer is chosen."""
        return any(option.selected and option.why_not is None for option in self.options)


def vm_page(host: Host, draft: Draft) -> OptionsPage:
    """Which VM; one that libvirt forgets when it stops is listed, and why it cannot be chosen."""
    question = text("wizard.vm.question")
    if isinstance(host.vms, Unknown):
        return OptionsPage(question, None, (), (text("wizard.vm.unread"), host.vms.reason))
    vms = sorted(host.vms.value, key=lambda vm: vm.name.casefold())
    if not vms:
        return OptionsPage(question, None, (), (text("wizard.vm.none"), text("wizard.vm.none-next")))
    return OptionsPage(question, text("wizard.vm.lead"), tuple(_vm_option(host, vm, draft) for vm in vms))


def _vm_option(host: Host, vm: Vm, draft: Draft) -> Option:
    return Option(
        vm.uuid,
        text("wizard.vm.name", name=vm.name),
        text("wizard.vm.now", graphics=graphics_words(host, vm)),
        selected=draft.vm_uuid == vm.uuid,
        note=text("wizard.vm.name", name=state_badge(vm.state).words),
        why_not=None if vm.persistent else text("wizard.vm.transient"),
    )


def purpose_page(draft: Draft) -> OptionsPage:
    """What the VM needs graphics for."""
    return OptionsPage(
        text("wizard.purpose.question"),
        text("wizard.purpose.lead"),
        tuple(
            Option(
                purpose,
                text(f"wizard.purpose.{purpose}.title"),
                text(f"wizard.purpose.{purpose}.detail"),
                selected=draft.purpose == purpose,
                mark=_MARKS[purpose],
            )
            for purpose in PURPOSES
        ),
    )


def seeing_page(host: Host, draft: Draft) -> OptionsPage:
    """How the user will see and control the VM, with the monitors that this machine has as a help."""
    return OptionsPage(
        text("wizard.seeing.question"),
        _monitors(host),
        tuple(
            Option(
                seeing.value,
                text(f"wizard.seeing.{seeing.value}.title"),
                text(f"wizard.seeing.{seeing.value}.detail"),
                selected=draft.seeing is seeing,
                mark=_MARKS[seeing.value],
            )
            for seeing in Seeing
        ),
    )


def _monitors(host: Host) -> Text:
    if isinstance(host.gpus, Unknown):
        return text("wizard.seeing.monitors-unread", reason=host.gpus.reason)
    plugged = [
        text("wizard.seeing.monitor", output=output_name(output), card=card_name(host, gpu))
        for gpu in host.gpus.value
        for output in connected_outputs(gpu) or ()
    ]
    if not plugged:
        return text("wizard.seeing.no-monitors")
    return text("wizard.seeing.monitors", list=sentence_list(plugged))


def resume_page(host: Host, draft: Draft, *, resume: bool) -> OptionsPage:
    """Go on with the draft that was kept, or begin anew."""
    vms = host.vms.value if isinstance(host.vms, Known) else ()
    name = next((vm.name for vm in vms if vm.uuid == draft.vm_uuid), "")
    parts = [text("wizard.vm.name", name=name)]
    if draft.purpose is not None:
        parts.append(text(f"wizard.purpose.{draft.purpose}.title"))
    if draft.seeing is not None:
        parts.append(text(f"wizard.seeing.{draft.seeing.value}.title"))
    if draft.mode is not None:
        parts.append(mode_name(draft.mode))
    return OptionsPage(
        text("wizard.resume.question"),
        text("wizard.resume.lead"),
        (
            Option("resume", text("wizard.resume.go-on"), sentence_list(parts), selected=resume),
            Option("anew", text("wizard.resume.anew"), text("wizard.resume.anew-detail"), selected=not resume),
        ),
    )
