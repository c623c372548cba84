# SPDX-License-Identifier: GPL-3.0-or-later
"""The thin wrappers: NVIDIA's library where there is none, udev's monitor, the folder of resources."""

from __future__ import annotations

import threading

from vitrail.model.reading import Known, Unknown
from vitrail.source.nvml import Nvml, RecordedNvml
from vitrail.source.resources import demo_path, resources
from vitrail.source.udev import Watch, watch


def test_without_nvidias_library_the_cards_are_unknown():
    assert isinstance(Nvml().cards(), Unknown)


def test_recorded_cards_of_the_wrong_form_are_left_out():
    content = {"cards": [{"address": "x"}, 3, {"address": "01:00.0", "name": 5, "memory_mib": -1}]}
    cards = RecordedNvml(content).cards()
    assert isinstance(cards, Known)
    (card,) = cards.value
    assert isinstance(card.name, Unknown)
    assert isinstance(card.memory_mib, Unknown)
    assert isinstance(RecordedNvml([]).cards(), Unknown)


def test_a_watch_ends_its_thread_and_may_be_stopped_twice():
    before = threading.active_count()
    watching = watch(lambda _subsystem, _action: None)
    assert isinstance(watching, (Known, Unknown))
    if isinstance(watching, Known):
        assert isinstance(watching.value, Watch)
        watching.value.stop()
        watching.value.stop()
    assert threading.active_count() == before


def test_resources_are_found_in_a_checkout():
    assert (resources() / "translations").is_dir()
    assert demo_path().name in ("demo", "demo.tar.xz")
