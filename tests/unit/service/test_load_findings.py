# SPDX-License-Identifier: GPL-3.0-or-later
"""The past of the load becomes findings: of the card and the VM that it is of, by the names that people know."""

from __future__ import annotations

from fakes.hosts import at, host, nvidia_card
from vitrail.load.history import History
from vitrail.model.reading import Known, Unknown
from vitrail.model.sample import CardSample, LoadSource, Sample, VmSample
from vitrail.model.text import text
from vitrail.service.load_findings import findings_of_load

CARD = at("01:00.0")
NOON = 1_763_640_000.0


def sample(when: float, load: float, memory: int) -> Sample:
    percent = Known(load, "test")
    card = CardSample(CARD, percent, Known(memory, "test"), Known(8192, "test"))
    vm = VmSample(
        "u", "win11", CARD, LoadSource.NVML_SHARE, percent, percent, Known(memory, "test"), Known(4096, "test")
    )
    return Sample(when, Known((card,), "test"), Known((vm, VmSample("w", "no card")), "test"))


def found(ticks: int, every: float, load: float, grows: float) -> dict[str, dict[str, object]]:
    history = History(None, NOON)
    for tick in range(ticks):
        last = sample(NOON + tick * every, load, int(1000 + tick * grows))
        history.add(last)
    findings = findings_of_load(last, history, host(nvidia_card()))
    return {finding.id: dict(finding.title.args) for finding in findings}


def test_a_leak_and_a_busy_card_are_told_by_name():
    told = found(800, 1.0, 99.0, 0.5)
    assert set(told) == {"load.saturated", "load.memory-grows"}
    assert told["load.memory-grows"]["vm"] == "win11"
    assert told["load.saturated"]["card"] != ""


def test_a_full_share_is_told_once():
    assert set(found(800, 1.0, 50.0, 4.0)) == {"load.memory-full"}


def test_a_share_that_nobody_uses_is_told():
    assert set(found(1500, 60.0, 0.0, 0.0)) == {"load.unused"}


def test_nothing_wrong_and_nothing_known_are_no_findings():
    assert found(800, 1.0, 40.0, 0.0) == {}
    blind = Unknown(text("load.idle.asleep"))
    assert findings_of_load(Sample(NOON, blind, blind), History(None, NOON), host()) == ()
