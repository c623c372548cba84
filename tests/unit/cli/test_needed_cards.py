# SPDX-License-Identifier: GPL-3.0-or-later
"""A card that this computer shows its picture on: every command says the same of giving it away."""

from __future__ import annotations

from pathlib import Path

from fakes import contract

MACHINES = Path(__file__).resolve().parents[2] / "machines"
GIVE = ("--vm", "plain", "--mode", "passthrough", "--gpu")
LIT = "01:00.0"
FREE = "02:00.0"


def test_the_only_card_with_a_picture_is_not_ready(vitrail, machine):
    said = vitrail("doctor", "--machine", machine, *GIVE, LIT, "--json")
    assert said.code == 1
    stops = {one["id"] for one in said.json["findings"] if one["status"] == "fail" and one["severity"] == "blocks"}
    assert stops == {"card.only-screen"}
    ids = [one["id"] for one in said.json["findings"]]
    assert ids.count("card.lit") == 1


def test_a_start_of_which_too_little_is_known_is_not_measured(vitrail, machine):
    said = vitrail("doctor", "--machine", machine, *GIVE, FREE, "--json")
    assert said.code == 2
    stops = {one["id"] for one in said.json["findings"] if one["status"] != "pass" and one["severity"] == "blocks"}
    assert stops == {"restart.sealed-unlock"}
    assert vitrail("apply", "--machine", machine, *GIVE, FREE, "--yes").code == 1


def test_a_free_card_is_ready(vitrail):
    machine = MACHINES / "intel-desktop"
    give = ("--vm", "router", "--mode", "passthrough", "--gpu", "03:00.0")
    assert vitrail("doctor", "--machine", machine, *give).code == 0


def test_the_only_card_with_a_picture_is_not_even_planned(vitrail, machine):
    planned = vitrail("plan", "--machine", machine, *GIVE, LIT, "--json")
    assert planned.code == 1
    assert contract.wrong(contract.REFUSED, planned.json) == []
    assert "card.only-screen" in {one["id"] for one in planned.json["findings"]}
    assert vitrail("apply", "--machine", machine, *GIVE, LIT, "--yes", "--json").code == 1
    assert vitrail("history", "--machine", machine, "--json").json["plans"] == []


def test_a_vm_may_draw_on_the_card_that_shows_this_computers_picture(vitrail, machine):
    words = ("--vm", "plain", "--mode", "virgl", "--gpu", LIT)
    assert vitrail("doctor", "--machine", machine, *words).code == 0
    applied = vitrail("apply", "--machine", machine, *words, "--yes", "--json")
    assert (applied.code, applied.json["result"]) == (0, "applied")
