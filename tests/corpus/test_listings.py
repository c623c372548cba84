# SPDX-License-Identifier: GPL-3.0-or-later
"""Listings of real machines are read with the right cards and groups; whatever else people save is refused."""

from __future__ import annotations

import csv
import os
import tomllib
from pathlib import Path
from typing import Any

import pytest

from vitrail.model.errors import Unreadable
from vitrail.model.reading import Known, known_or
from vitrail.model.text import Text
from vitrail.probe.listing import host_from_listing
from vitrail.source.lspci_text import read_listing

pytestmark = pytest.mark.corpus

SHARED = Path(__file__).parents[3] / "shared"
HOSTS = SHARED / "corpus" / "hosts"
EXPECTED: dict[str, dict[str, Any]] = tomllib.loads((Path(__file__).parent / "expected_listings.toml").read_text())


@pytest.fixture(autouse=True)
def _corpus() -> None:
    if HOSTS.is_dir():
        return
    if os.environ.get("CI") and SHARED.exists():
        pytest.fail(f"{SHARED} is there without its corpus")
    pytest.skip("the shared corpus of real inputs is not beside this checkout")


def words_of(name: str) -> str:
    return (HOSTS / name).read_bytes().decode("utf-8", "replace")


def index() -> list[dict[str, str]]:
    with (HOSTS / "index.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("name", EXPECTED["read"])
def test_cards_groups_and_drivers(name: str):
    expected = EXPECTED["read"][name]
    listing = read_listing(words_of(name))
    host = host_from_listing(listing)
    cards = known_or(host.gpus, ())
    shown = [
        f"{card.address.short} {card.device.group.value}"
        if isinstance(card.device.group, Known) and card.device.group.value is not None
        else card.address.short
        for card in cards
    ]
    assert shown == expected["cards"]
    assert len(known_or(host.devices, ())) == expected["devices"]
    assert len(known_or(host.groups, ())) == expected["groups"]
    drivers = {device.address.short: device.driver for device in listing.devices}
    assert {address: drivers[address] for address in expected.get("drivers", {})} == expected.get("drivers", {})
    left_out = [note.count for note in listing.notes if note.id == "listing.several-machines"]
    assert left_out == ([expected["left_out"]] if "left_out" in expected else [])


@pytest.mark.parametrize("name", EXPECTED["read"])
def test_every_device_has_a_known_class(name: str):
    assert [
        device.address.short for device in read_listing(words_of(name)).devices if device.pci_class.code is None
    ] == EXPECTED["read"][name].get("classless", [])


@pytest.mark.parametrize("name", EXPECTED["refused"])
def test_other_texts_are_refused_by_name(name: str):
    with pytest.raises(Unreadable) as error:
        read_listing(words_of(name))
    reason = dict(error.value.what.args)["seen"]
    assert isinstance(reason, Text)
    assert reason.id == f"listing.seen.{EXPECTED['refused'][name]}"


def test_every_text_of_the_corpus_has_an_expectation():
    files = {row["file"] for row in index()}
    assert files <= EXPECTED["read"].keys() | EXPECTED["refused"].keys()


def test_the_index_counts_the_same_groups_and_devices():
    """Left out: texts with several machines or with the kernel's log in them, which the index adds up."""
    added_up = {
        "mapmgmt-popos.txt",
        "martins3-iommu.txt",
        "osxkvm-notes.txt",
        "alshdavid-dmesg.txt",
        "martins3-a40.txt",
    }
    for row in index():
        if row["groups"] and row["file"] not in added_up:
            expected = EXPECTED["read"][row["file"]]
            assert (row["file"], int(row["groups"]), int(row["devices"])) == (
                row["file"],
                expected["groups"],
                expected["devices"],
            )


def test_every_card_of_the_index_is_in_the_group_that_it_names():
    for row in index():
        verdict = row["derived_gpu_group_verdict"]
        if not verdict or verdict.startswith("["):
            continue
        host = host_from_listing(read_listing(words_of(row["file"])))
        found = {str(card.address): card.device.group for card in known_or(host.gpus, ())}
        for part in verdict.split("; "):
            address, _, rest = part.partition("=group ")
            group = found[address]
            assert isinstance(group, Known), (row["file"], address)
            assert group.value == int(rest.split()[0]), (row["file"], address)
