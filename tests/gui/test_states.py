# SPDX-License-Identifier: GPL-3.0-or-later
"""What the pages say, without a single widget."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from fakes.hosts import UNREAD, amd_integrated, host, nvidia_card, output, vm
from gui.places import facts_of
from gui.scenes import crowded, empty, everything, findings, full, history, hostile, previews, shown, single
from vitrail.model.machine import Host
from vitrail.model.mode import Mode
from vitrail.model.outcome import RunOutcome, RunResult
from vitrail.model.text import text
from vitrail.model.vm import VmState
from vitrail.qt.pages import cards_state, changes_state, overview_state, problems_state, vms_state
from vitrail.qt.picture.layout import place
from vitrail.qt.picture.state import picture_of
from vitrail.qt.reading import read_facts
from vitrail.qt.theme import Tone
from vitrail.service.places import open_place


def overview(machine: Host) -> overview_state.OverviewState:
    return overview_state.page_state(facts_of(machine))


def test_the_headline_counts_lit_given_and_free_cards(english) -> None:
    words = english.say(overview(full()).headline)
    assert words == "2 cards drive your screens; 2 belong to VMs; 1 could be given to a VM after changes."


def test_the_demos_cards_say_who_has_them_and_whether_this_computer_can_spare_them(english, tmp_path: Path) -> None:
    with closing(open_place("demo", None, state_folder=tmp_path)) as workplace:
        state = overview_state.page_state(read_facts(workplace))
    assert english.say(state.headline).endswith("1 could be given to a VM after changes.")
    cards = {node.title: (node.verdict.words, node.use) for pane in state.picture.panes for node in pane.cards}
    # Alone in its group, and the keyboard hangs on another function of its slot.
    assert cards["Raphael"][0] == text("qt.card.needed")
    assert cards["GeForce RTX 4070"][0] == text("qt.card.alone-with-sound")
    assert cards["Arc Pro B50"][1] == text("qt.use.shares", count=2)


def test_no_cards_and_unread_cards_are_not_the_same() -> None:
    assert overview(host()).headline == text("qt.overview.no-cards")
    assert overview(host(gpus=UNREAD)).headline == text("qt.overview.cards-unread")


def test_what_lacks_is_said_with_its_reason_and_the_demo_is_offered() -> None:
    lacks = overview(empty()).lacks
    assert [lack.title.id for lack in lacks] == ["qt.lack.no-cards", "qt.lack.vms-unread"]
    assert lacks[1].why == (UNREAD.reason, text("tests.do-this"))
    assert all(lack.demo for lack in lacks)


def test_no_vm_yet_is_no_failure() -> None:
    (lack,) = overview(host(nvidia_card())).lacks
    assert (lack.title.id, lack.tone) == ("qt.lack.no-vms", Tone.INFO)
    assert not overview(host(nvidia_card())).can_give


def test_one_card_and_one_vm_are_told_in_three_sentences() -> None:
    assert [sentence.id for sentence in overview(single()).story] == [
        "qt.story.card-lit",
        "qt.story.vm",
        "qt.story.only-lit",
    ]
    assert overview(full()).story == ()


def test_the_table_holds_every_node_of_the_picture() -> None:
    for machine in (full(), single(), crowded(), hostile()):
        facts = facts_of(machine)
        picture = picture_of(facts)
        assert {line.key for line in overview_state.table_of(facts, picture)} == set(picture.keys)


def test_a_card_keeps_its_colour_in_its_pane_its_lines_and_its_vms() -> None:
    picture = picture_of(facts_of(full()))
    hues = {card.key: card.hue for card in picture.cards}
    assert all(hues[wire.source] == wire.hue for wire in picture.wires if wire.source in hues)
    assert len(set(hues.values())) == len(hues)


def test_a_vm_that_is_off_is_fed_from_its_next_start() -> None:
    picture = picture_of(facts_of(full()))
    vms = {node.key: node.title for node in picture.vms}
    now = {vms[wire.target]: wire.now for wire in picture.wires if wire.target in vms}
    assert now == {"win11-games": False, "cad-studio": True, "fedora-desk": True}


def test_a_running_vm_that_does_not_hold_the_card_is_not_fed_by_it_yet() -> None:
    card = nvidia_card()
    machine = host(card, vms=(vm("a", state=VmState.RUNNING, hostdevs=(), graphics=shown(Mode.VIRGL, "0000:01:00.0")),))
    assert picture_of(facts_of(machine)).wires[0].now


def test_a_tied_card_shows_what_it_is_tied_to(english) -> None:
    panes = picture_of(facts_of(full())).panes
    tied = next(pane.tied for pane in panes if pane.tied)
    assert [english.say(words) for words in tied] == ["network card (eth0)", "disks in use (sda, sdb)"]


def test_the_picture_is_whole_below_six_cards_and_twelve_vms() -> None:
    assert not picture_of(facts_of(crowded(5, 11))).folded
    assert picture_of(facts_of(crowded(6, 2))).folded
    assert picture_of(facts_of(crowded(2, 12))).folded


def test_nothing_in_the_picture_lies_on_anything_else() -> None:
    for machine in (full(), single(), crowded(), crowded(5, 11)):
        picture = picture_of(facts_of(machine))
        places = place(picture, 1064, dict.fromkeys(picture.keys, 90.0), 700)
        boxes = list(places.nodes.values())
        for number, one in enumerate(boxes):
            for other in boxes[number + 1 :]:
                apart = one.bottom <= other.y or other.bottom <= one.y or one.right <= other.x or other.right <= one.x
                assert apart, (one, other)
        assert all(box.bottom <= places.height for box in boxes)


def test_what_was_not_read_of_a_card_gives_its_reason() -> None:
    card = nvidia_card(
        outputs=UNREAD, holders=UNREAD, vram_mib=UNREAD, link=UNREAD, reset_methods=UNREAD, power_state=UNREAD
    )
    (state,) = cards_state.page_state(facts_of(host(card))).cards
    said = [words for section in state.sections for line in section.lines for words in line.words]
    assert said.count(UNREAD.reason) >= 6


def test_a_free_card_says_that_nothing_is_in_the_way() -> None:
    free = nvidia_card()
    machine = host(amd_integrated(), free, cmdline="quiet")
    states = cards_state.page_state(facts_of(machine)).cards
    assert states[0].node.title == "GeForce RTX 3060"


def test_a_vm_with_changes_of_ours_can_be_taken_back() -> None:
    lines = {line.name: line for line in vms_state.page_state(facts_of(full(), **everything())).vms}
    assert lines["win11-games"].newest == history()[0].plan_id
    assert lines["old-xp"].newest == ""


def test_problems_come_worst_first_and_the_badge_counts_what_fails() -> None:
    state = problems_state.page_state(facts_of(full(), findings=findings()))
    assert [line.key.split("/")[0] for line in state.open] == ["block", "unknown", "warn", "info"]
    assert [line.key.split("/")[0] for line in state.passed] == ["pass"]
    assert state.count == 2


def test_changes_are_listed_newest_first_and_say_which_are_in_force() -> None:
    state = changes_state.page_state(facts_of(full(), history=history()))
    assert [line.in_force for line in state.changes] == [True, True, False, True, True, False, False]
    assert [line.applied_at for line in state.changes] == sorted(
        (line.applied_at for line in state.changes), reverse=True
    )


def test_take_back_says_what_stays(english) -> None:
    state = changes_state.back_state(previews())
    words = " ".join(english.say(sentence) for sentence in state.sentences)
    assert "/domain/devices/sound" in words
    assert "edited by someone" in words
    assert state.possible
    assert not changes_state.back_state(()).possible


def test_an_unknown_result_is_never_called_done() -> None:
    def words(*results: RunResult) -> str:
        outcomes = tuple(RunOutcome("p", "r", result, ()) for result in results)
        found = changes_state.outcome_words(outcomes).words
        return found if isinstance(found, str) else found.id

    assert words(RunResult.TAKEN_BACK, RunResult.NOTHING_TO_DO) == "qt.back.done"
    assert words(RunResult.TAKEN_BACK, RunResult.UNKNOWN) == "qt.back.unsettled"
    assert words(RunResult.TAKEN_BACK, RunResult.INCOMPLETE) == "qt.back.incomplete"


def test_two_monitors_on_one_card_are_both_drawn() -> None:
    card = nvidia_card(outputs=(output("DP-1"), output("DP-2"), output("HDMI-A-1", connected=False)))
    assert [node.title for node in picture_of(facts_of(host(card))).monitors] == ["DP-1", "DP-2"]
