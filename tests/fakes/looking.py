# SPDX-License-Identifier: GPL-3.0-or-later
"""Short ways to what a sample says."""

from __future__ import annotations

from typing import Any

from fakes.live_machine import LiveMachine
from vitrail.load.sampler import LoadSampler
from vitrail.model.reading import Known, Unknown
from vitrail.model.sample import CardSample, Sample, VmSample


def sampler_of(machine: LiveMachine, live: Any = lambda: None, **ports: Any) -> LoadSampler:
    """A sampler on the machine as it is now, with the machine's clock."""
    said = {"patience_s": 30.0} | ports
    sampler = LoadSampler(machine.root, live, clock=machine.clock, wall=machine.clock, **said)
    sampler.know(machine.host())
    return sampler


def card_of(sample: Sample, place: int = 0) -> CardSample:
    """A card of the sample."""
    assert isinstance(sample.cards, Known)
    return sample.cards.value[place]


def vm_of(sample: Sample, place: int = 0) -> VmSample:
    """A VM of the sample."""
    assert isinstance(sample.vms, Known)
    return sample.vms.value[place]


def value(reading: Any) -> Any:
    """What was read, or the id of the reason."""
    return reading.reason.id if isinstance(reading, Unknown) else reading.value
