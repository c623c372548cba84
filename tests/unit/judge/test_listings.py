# SPDX-License-Identifier: GPL-3.0-or-later
"""Real listings against the verdicts that were worked out beside them."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from fakes.hosts import at
from vitrail.judge.isolation import judge_groups
from vitrail.model.verdict import Isolation
from vitrail.probe.listing import host_from_listing
from vitrail.source.lspci_text import read_listing

pytestmark = pytest.mark.corpus

_HOSTS = Path(__file__).resolve().parents[4] / "shared" / "corpus" / "hosts"
_DERIVED = re.compile(r"([0-9a-f:.]+)=group (\d+) (clean|shared)(?! with 1 )")
# A card with one other endpoint was counted as tied there, though that may be its own sound.
_WORDS = {"clean": Isolation.ISOLATED, "shared": Isolation.SHARED}


def test_every_card_has_the_verdict_that_was_worked_out_for_its_group():
    if not _HOSTS.is_dir():
        pytest.skip("the shared corpus of real inputs is not beside this checkout")
    seen, wrong = 0, []
    with (_HOSTS / "index.csv").open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            derived = _DERIVED.findall(row["derived_gpu_group_verdict"] or "")
            if not derived or "mixes" in row["derived_gpu_group_verdict"]:
                continue
            machine = host_from_listing(read_listing((_HOSTS / row["file"]).read_text("utf-8", "replace")))
            verdicts = {verdict.number: verdict.isolation for verdict in judge_groups(machine)}
            for address, number, word in derived:
                seen += 1
                card = machine.gpu_at(at(address))
                group = machine.group_of(card.device) if card is not None else None
                if group is None or (group.number, verdicts[group.number]) != (int(number), _WORDS[word]):
                    wrong.append((row["file"], address))
    assert wrong == []
    assert seen > 20
