# SPDX-License-Identifier: GPL-3.0-or-later
"""What each page says, without any window."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from fakes.hosts import UNREAD, amd_integrated, at, capabilities, holders, host, known, nvidia_card, output, vm
from vitrail.judge.feasibility import judge_modes
from vitrail.judge.losses import losses
from vitrail.judge.suggestion import Seeing, suggest
from vitrail.model.choice import Passthrough, Virtio
from vitrail.model.errors import ApplyFailed, Refused, Unreachable, Unsettled
from vitrail.model.finding import BY_HAND, Evidence, Finding, Severity, Status
from vitrail.model.machine import MachineKind
from vitrail.model.mode import Mode
from vitrail.model.outcome import Outcome, PromiseResult, RunOutcome, RunResult
from vitrail.model.plan import Plan
from vitrail.model.text import text
from vitrail.model.verdict import Feasibility
from vitrail.qt.wizard.state.check import check_page
from vitrail.qt.wizard.state.draft import (
    Draft,
    choice_of,
    draft_from_text,
    draft_to_text,
    with_mode,
    with_purpose,
    with_setting,
    with_vm,
)
from vitrail.qt.wizard.state.footer import Act
from vitrail.qt.wizard.state.losses import losses_page, plain_connector
from vitrail.qt.wizard.state.modes import modes_page
from vitrail.qt.wizard.state.options import seeing_page, vm_page
from vitrail.qt.wizard.state.restart import restart_page
from vitrail.qt.wizard.state.review import stops_before_writing
from vitrail.qt.wizard.state.steps import Page, Place, after, before, header, order
from vitrail.qt.wizard.state.story import Planned, Story, Writing, first_page, footer_of, resumed, troubled
from vitrail.qt.wizard.state.takeback import worst_of
from vitrail.service.knowledge import load_knowledge

CARD = at("01:00.0")
WORD = text("tests.word")
VM = vm("games")


def machine(**said: Any):
    card = nvidia_card(outputs=(output("HDMI-A-2", display="LG"),), holders=holders())
    facts = {"kind": MachineKind.REAL, "vms": (VM,)} | said
    return host(amd_integrated(), card, **facts)


def plan(choice, *, seen=None, phases=(), findings=()):
    here = seen or machine()
    lost = losses(here, VM, choice)
    return Plan("p", choice, VM.uuid, VM.name, "h", "v", None, None, (), phases, lost, findings)


def modes(here, draft):
    verdicts = judge_modes(here, VM, known(capabilities()), load_knowledge(), draft.purpose or "unknown")
    suggestion = suggest(verdicts, load_knowledge(), draft.purpose, draft.seeing)
    return modes_page(here, verdicts, load_knowledge(), draft, suggestion)


def rows(page):
    return {row.mode: row for group in page.groups for row in group.rows}


# --- the way ---


def test_a_given_vm_is_not_asked():
    assert order(vm_given=True, stops_before_writing=False)[0] is Page.PURPOSE


def test_a_plan_that_is_not_written_never_comes_to_writing():
    pages = order(vm_given=False, stops_before_writing=True)
    assert Page.APPLY not in pages
    assert after(pages, Page.REVIEW) is Page.RESTART


def test_where_it_stops_every_reason_and_every_line_to_type_is_named():
    gate, harmless = (
        Finding(name, Status.FAIL, severity, text("plan.host.no-owner"))
        for name, severity in (("gate", Severity.BLOCKS), ("harmless", Severity.WARNS))
    )
    typed = Finding(BY_HAND, Status.FAIL, Severity.WARNS, text("plan.host.nixos"), (Evidence("do", "sudo this"),))
    page = restart_page(plan(Virtio(), findings=(harmless, gate, typed)), (gate,))
    assert page.against == (gate, typed)
    assert [lines for _, lines in typed.by_hand] == [("sudo this",)]
    assert gate.by_hand == ()


def test_there_is_no_way_back_past_the_writing():
    pages = order(vm_given=False, stops_before_writing=False)
    assert before(pages, Page.CHECK) is None


def test_circles_before_the_page_are_done_and_after_it_ahead():
    circles = header(order(vm_given=False, stops_before_writing=False), Page.SEEING)
    assert [circle.place for circle in circles[:4]] == [Place.DONE, Place.DONE, Place.CURRENT, Place.AHEAD]


# --- the draft ---


def test_a_draft_survives_its_file():
    draft = Draft(Page.MODE, VM.uuid, "games", Seeing.WINDOW, Mode.VIRGL, CARD, (("screen", "spice"),))
    assert draft_from_text(draft_to_text(draft)) == draft


@pytest.mark.parametrize("words", ["", "{", "[]", '{"class": "Draft"}', '{"page": "nowhere"}', "[" * 100_000])
def test_a_file_that_is_no_draft_means_to_begin_anew(words):
    assert draft_from_text(words) is None


def test_another_vm_keeps_the_purpose_and_asks_for_the_mode_anew():
    draft = with_vm(Draft(vm_uuid="a", purpose="games", mode=Mode.VIRTIO), "b")
    assert (draft.purpose, draft.mode) == ("games", None)


def test_the_same_answer_again_changes_nothing():
    draft = Draft(vm_uuid="a", purpose="games", mode=Mode.VIRTIO)
    assert with_purpose(draft, "games") is draft


def test_settings_belong_to_their_mode():
    draft = with_setting(with_mode(Draft(), Mode.QXL, None), "screen", "vnc")
    assert with_mode(draft, Mode.BASIC, None).settings == ()


def test_a_mode_without_a_card_takes_none():
    assert choice_of(with_mode(Draft(), Mode.VIRTIO, CARD)) == Virtio()


def test_a_draft_of_a_vm_that_is_gone_is_not_offered():
    story = Story(vm_given=False, page=Page.VM, draft=Draft(), host=machine(), kept=Draft(vm_uuid="x", purpose="cad"))
    assert first_page(story).page is Page.VM


def test_going_on_ends_at_the_modes_however_far_the_draft_was():
    kept = Draft(Page.REVIEW, VM.uuid, "cad", Seeing.WINDOW, Mode.VIRTIO)
    story = Story(vm_given=False, page=Page.RESUME, draft=Draft(), host=machine(), kept=kept)
    assert resumed(story).page is Page.MODE


# --- questions ---


def test_a_vm_that_libvirt_forgets_cannot_be_chosen_and_says_why():
    page = vm_page(host(vms=(vm("here-today", persistent=False),)), Draft())
    assert page.options[0].why_not is not None


def test_unread_vms_are_not_no_vms():
    assert vm_page(host(vms=UNREAD), Draft()).empty != vm_page(host(vms=()), Draft()).empty


def test_monitors_that_were_not_read_are_not_called_absent():
    assert seeing_page(host(gpus=UNREAD), Draft()).lead != seeing_page(host(), Draft()).lead


# --- modes ---


def test_every_mode_is_in_exactly_one_group():
    page = modes(machine(), Draft(purpose="games"))
    assert sorted(row.mode for group in page.groups for row in group.rows) == sorted(Mode)


def test_no_mode_of_a_later_version_can_be_chosen():
    chosen = replace(Draft(purpose="games"), mode=Mode.LOOKING_GLASS, gpu=CARD)
    page = modes(machine(), chosen)
    assert not rows(page)[Mode.LOOKING_GLASS].selectable
    assert not page.can_go_on


def test_a_card_that_takes_changes_to_this_computer_says_that_they_are_not_written_yet():
    found = rows(modes(machine(), Draft()))
    assert found[Mode.PASSTHROUGH].selectable
    assert found[Mode.PASSTHROUGH].changes_computer
    assert not found[Mode.VIRTIO].changes_computer


def test_every_no_says_why_and_what_would_change_it():
    page = modes(machine(), Draft(purpose="games"))
    nos = [row for group in page.groups if group.feasible is Feasibility.IMPOSSIBLE for row in group.rows]
    assert nos
    assert all(row.why and row.changes for row in nos)


def test_a_whole_card_names_the_monitor_that_goes_dark():
    row = rows(modes(machine(), with_mode(Draft(purpose="games"), Mode.PASSTHROUGH, CARD)))[Mode.PASSTHROUGH]
    assert "HDMI-A-2" in str(row.screens)
    assert row.screens_note is not None


def test_outputs_that_were_not_read_are_not_called_none():
    here = host(nvidia_card(outputs=UNREAD), vms=(VM,))
    row = rows(modes(here, with_mode(Draft(purpose="games"), Mode.PASSTHROUGH, CARD)))[Mode.PASSTHROUGH]
    assert row.screens == text("wizard.modes.screens-unknown")


def test_a_mode_that_cannot_be_seen_as_wished_says_so():
    page = modes(machine(), Draft(purpose="games", seeing=Seeing.OWN_MONITOR))
    assert rows(page)[Mode.VIRTIO].caution is not None
    assert rows(page)[Mode.PASSTHROUGH].caution is None


# --- losses ---


def test_the_screen_that_goes_dark_takes_no_click():
    page = losses_page(machine(), plan(Passthrough(CARD)), "HDMI-2")
    assert page.stop is not None
    assert not page.can_go_on


def test_the_screen_that_stays_takes_it():
    page = losses_page(machine(), plan(Passthrough(CARD)), "HDMI-1")
    assert page.can_go_on
    assert page.press is not None


def test_a_recorded_screen_cannot_go_dark_here():
    assert losses_page(machine(kind=MachineKind.DEMO), plan(Passthrough(CARD)), "HDMI-2").can_go_on


def test_a_virtual_screen_loses_nothing():
    page = losses_page(machine(), plan(Virtio()), "HDMI-2")
    assert page.losses == ()
    assert len(page.stays) == 2


@pytest.mark.parametrize(("kernel", "x"), [("HDMI-A-1", "HDMI-1"), ("DP-3", "DP-3"), ("DVI-D-1", "DVI-1")])
def test_a_socket_is_the_same_by_the_kernels_name_and_by_x(kernel, x):
    assert plain_connector(kernel) == plain_connector(x)


# --- review, writing, proof ---


def gate(severity=Severity.BLOCKS):
    return Finding("gate", Status.FAIL, severity, WORD)


def test_a_gate_holds_the_whole_plan_back():
    assert stops_before_writing(plan(Passthrough(CARD)), (gate(),))
    assert not stops_before_writing(plan(Passthrough(CARD)), (gate(Severity.WARNS),))


def test_no_proof_is_not_a_good_proof():
    assert check_page((), "games").overall is PromiseResult.UNKNOWN


def test_one_broken_promise_breaks_the_whole_and_stands_first():
    evidence = (Evidence("file place", "x"),)
    good = Outcome(WORD, PromiseResult.KEPT, "a", "a", evidence)
    bad = Outcome(WORD, PromiseResult.BROKEN, "a", "b", evidence)
    page = check_page((good, bad), "games")
    assert page.overall is PromiseResult.BROKEN
    assert [proof.result for proof in page.groups[0].proofs] == [PromiseResult.BROKEN, PromiseResult.KEPT]


def test_an_undo_that_is_incomplete_outweighs_one_that_worked():
    outcomes = tuple(RunOutcome("p", "r", result, ()) for result in (RunResult.TAKEN_BACK, RunResult.INCOMPLETE))
    assert worst_of(outcomes) is RunResult.INCOMPLETE


# --- trouble ---


def writing_story():
    planned = Planned(plan(Virtio()), ())
    writing = Writing(begun=True)
    here = machine()
    return Story(vm_given=True, page=Page.APPLY, draft=Draft(), host=here, planned=planned, writing=writing)


@pytest.mark.parametrize("kind", [Refused, Unreachable, ApplyFailed, Unsettled])
def test_every_error_has_a_way_on_besides_closing(kind):
    story = troubled(writing_story(), kind(WORD))
    foot = footer_of(story, can_go_on=True)
    assert foot.primary is not None
    assert Act.COPY in [press.act for press in foot.beside]


def test_a_write_whose_end_is_unknown_can_be_taken_back():
    story = troubled(writing_story(), Unsettled(WORD))
    assert story.written
    assert footer_of(story, can_go_on=True).primary.act is Act.TAKE_BACK


def test_what_was_taken_back_at_once_leaves_nothing_to_take_back():
    assert not troubled(writing_story(), ApplyFailed(WORD)).written


def test_the_window_stays_while_a_write_is_under_way():
    assert writing_story().under_way
    assert not troubled(writing_story(), ApplyFailed(WORD)).under_way
