# SPDX-License-Identifier: GPL-3.0-or-later
"""Whoever measures the cards lets go of them while something changes, and of nothing while it is only looked at."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from vitrail.model.choice import Virtio
from vitrail.model.errors import VitrailError
from vitrail.service.places import open_place


def test_the_cards_are_let_go_of_while_a_plan_is_applied_and_taken_back(tmp_path):
    place = open_place("demo", None, state_folder=tmp_path / "state")
    happened: list[str] = []

    @contextmanager
    def aside() -> Iterator[None]:
        happened.append("let go")
        yield
        happened.append("taken up")

    place.beside = aside
    host = place.read()
    for vm in host.vms.value:
        try:
            plan = place.plan(host, vm, Virtio())
        except VitrailError:
            continue
        if plan.steps:
            break
    assert happened == []
    applied = place.apply(plan)
    assert happened == ["let go", "taken up"]
    place.undo(applied.plan_id)
    assert happened == ["let go", "taken up"] * 2
    place.close()
