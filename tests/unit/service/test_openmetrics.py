# SPDX-License-Identifier: GPL-3.0-or-later
"""Metrics for other programs: read back by a strict reader, nothing unknown in them, put in place whole."""

from __future__ import annotations

import socket
import stat

import pytest

from fakes.domains import HOSTILE_NAME
from fakes.hosts import at
from fakes.strict_openmetrics import parse
from vitrail.model.errors import Refused, Unreachable
from vitrail.model.reading import Known, Unknown
from vitrail.model.sample import CardSample, EngineLoad, LoadSource, Sample, VmContext, VmSample
from vitrail.model.text import text
from vitrail.service.metrics_outlet import open_outlet
from vitrail.service.openmetrics import openmetrics

WHY = Unknown(text("load.idle.asleep"))
CARD = at("01:00.0")
ADDRESS = "0000:01:00.0"


def known(value):
    return Known(value, "test")


def sample_of(*vms: VmSample, cards=()):
    return Sample(1_763_640_000.4, known(cards), known(vms))


def metrics(sample):
    return {
        (name, tuple(value for _, value in sorted(labels))): number
        for (name, labels), number in parse(openmetrics(sample)).items()
    }


def test_a_card_is_told_in_base_units():
    card = CardSample(
        *(CARD, known(41.27), known(100), known(8192), (EngineLoad("core", 41.27),), known(45.0), known(33.5)),
        *(known(20), known(1200), known(1905)),
    )
    found = metrics(sample_of(cards=(card,)))
    assert found == {
        ("vitrail_sample_timestamp_seconds", ()): 1_763_640_000.4,
        ("vitrail_card_load_ratio", (ADDRESS,)): 0.4127,
        ("vitrail_card_engine_load_ratio", (ADDRESS, "core")): 0.4127,
        ("vitrail_card_memory_used_bytes", (ADDRESS,)): 100 << 20,
        ("vitrail_card_memory_size_bytes", (ADDRESS,)): 8192 << 20,
        ("vitrail_card_temperature_celsius", (ADDRESS,)): 45.0,
        ("vitrail_card_power_watts", (ADDRESS,)): 33.5,
        ("vitrail_card_fan_ratio", (ADDRESS,)): 0.2,
        ("vitrail_card_fan_rpm", (ADDRESS,)): 1200,
        ("vitrail_card_clock_hertz", (ADDRESS,)): 1_905_000_000,
    }


def test_a_vm_is_told_with_who_told_it():
    context = VmContext(known(150.0), WHY, known(2.0))
    vm = VmSample("u", "win11", CARD, LoadSource.GUEST, known(25.0), known(100.0), WHY, known(4096), context=context)
    found = metrics(sample_of(vm))
    labels = (ADDRESS, "guest-agent", "u", "win11")
    assert found[("vitrail_vm_card_load_ratio", labels)] == 0.25
    assert found[("vitrail_vm_memory_share_bytes", labels)] == 4 << 30
    assert found[("vitrail_vm_cpu_ratio", ("u", "win11"))] == 1.5
    assert not any(name in ("vitrail_vm_memory_used_bytes", "vitrail_vm_cpu_wait_ratio") for name, _ in found)


def test_what_is_unknown_is_left_out_and_never_zero():
    card = CardSample(CARD, WHY, WHY, WHY)
    found = metrics(sample_of(VmSample("u", "a", CARD, None, WHY, WHY, WHY), VmSample("v", "b"), cards=(card,)))
    assert list(found) == [("vitrail_sample_timestamp_seconds", ())]
    assert metrics(Sample(1.0, WHY, WHY)) == {("vitrail_sample_timestamp_seconds", ()): 1.0}


@pytest.mark.parametrize(
    "name", ['a"b', "back\\slash", "two\nlines", '\\"', 'x"} 1\nvitrail_fake 7', "\ud800", "", HOSTILE_NAME]
)
def test_a_hostile_name_stays_one_label(name):
    found = parse(openmetrics(sample_of(VmSample("u", name, CARD, None, known(1.0)))))
    (labels,) = [dict(labels) for (metric, labels) in found if metric == "vitrail_vm_card_load_ratio"]
    assert set(labels) == {"vm", "uuid", "card"}
    if name.isprintable() and name != "\ud800":
        assert labels["vm"] == name


def test_no_control_character_gets_out():
    said = openmetrics(sample_of(VmSample("u", "\x1b[2J\x07\r\u202e\x85\u2028", CARD, None, known(1.0)))).decode()
    assert all(one == "\n" or one.isprintable() for one in said)


def test_two_parts_of_one_card_are_two_series():
    share = VmSample("u", "a", CARD, LoadSource.NVML_SHARE, known(10.0))
    found = [labels for name, labels in metrics(sample_of(share, share)) if name == "vitrail_vm_card_load_ratio"]
    assert len(found) == 2


def test_a_file_is_replaced_whole_and_taken_away_at_the_end(tmp_path):
    path = tmp_path / "vitrail.prom"
    outlet = open_outlet(str(path))
    outlet.put(b"one\n# EOF\n")
    first = path.stat().st_ino
    outlet.put(b"two\n# EOF\n")
    assert path.read_bytes() == b"two\n# EOF\n"
    assert path.stat().st_ino != first
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert [one.name for one in tmp_path.iterdir()] == ["vitrail.prom"]
    outlet.close()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_or_a_link_is_not_replaced(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    for name in ("", "link"):
        with pytest.raises(Refused):
            open_outlet(str(tmp_path / name))
    with pytest.raises(Unreachable):
        open_outlet(str(tmp_path / "none" / "file")).put(b"")


def connected(path) -> bytes:
    with socket.socket(socket.AF_UNIX) as end:
        end.settimeout(30)
        end.connect(str(path))
        return b"".join(iter(lambda: end.recv(65536), b""))


def test_a_socket_tells_the_newest_tick_to_its_owner_only(tmp_path):
    path = tmp_path / "s"
    outlet = open_outlet(f"unix:{path}")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert connected(path) == b"# EOF\n"
    outlet.put(b"x 1\n# EOF\n")
    assert connected(path) == b"x 1\n# EOF\n"
    outlet.close()
    assert not path.exists()


def test_a_socket_that_a_killed_one_left_is_replaced_and_nothing_else(tmp_path):
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    outlet = open_outlet(f"unix:{path}")
    with pytest.raises(Refused):
        open_outlet(f"unix:{path}")
    outlet.close()
    path.write_text("mine", "utf-8")
    with pytest.raises(Refused):
        open_outlet(f"unix:{path}")
    assert path.read_text("utf-8") == "mine"
