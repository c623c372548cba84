# SPDX-License-Identifier: GPL-3.0-or-later
"""The shipped knowledge is whole, every sentence of it exists, and a damaged file is refused by name."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from vitrail.model.errors import Unreadable
from vitrail.model.knowledge import PURPOSES, CardAbility, Knowledge
from vitrail.model.mode import Mode
from vitrail.model.text import Text
from vitrail.service.knowledge import load_knowledge

_RESOURCES = Path(__file__).parents[3] / "resources"


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    return load_knowledge(_RESOURCES / "knowledge")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(_RESOURCES / "knowledge", tmp_path / "knowledge"))


def _texts(knowledge: Knowledge) -> Iterator[Text]:
    for traits in knowledge.traits:
        yield from (traits.performance, traits.sharing, traits.isolation, traits.migration, traits.effort, traits.cost)
    for quirk in knowledge.quirks:
        yield quirk.title
        if quirk.remedy is not None:
            yield quirk.remedy
    for term in knowledge.glossary:
        yield term.name
        yield term.meaning


def test_the_shipped_folder_is_the_default(knowledge):
    assert load_knowledge() == knowledge


@pytest.mark.parametrize("mode", Mode)
def test_every_mode_has_traits_and_a_fit_for_every_purpose(knowledge, mode):
    assert tuple(purpose for purpose, _ in knowledge.traits_of(mode).fits) == PURPOSES


def test_every_sentence_exists_and_none_is_left_over(knowledge):
    with (_RESOURCES / "translations/en/knowledge.po").open("rb") as stream:
        catalogue = {message.id for message in read_po(stream) if message.id}
    of_the_loader = {"knowledge.unreadable", "knowledge.reinstall"}
    assert {one.id for one in _texts(knowledge)} == catalogue - of_the_loader


@pytest.mark.parametrize("ability", CardAbility)
def test_every_ability_is_some_card_s(knowledge, ability):
    assert any(family.ability is ability for family in knowledge.families)


@pytest.mark.parametrize(
    ("vendor", "device"), [(0x1A03, 0x2000), (0x102B, 0x0534), (0x102B, 0x0522), (0x19E5, 0x1711), (0x18CA, 0x0020)]
)
def test_screens_of_remote_management_are_never_offered(knowledge, vendor, device):
    assert any(quirk.never_offer for quirk in knowledge.quirks_of(vendor, device))


@pytest.mark.parametrize(("vendor", "device"), [(0x102B, 0x0525), (0x10DE, 0x2504), (0x1002, 0x73DF), (0x8086, 0x3E92)])
def test_ordinary_cards_are_offered(knowledge, vendor, device):
    assert not any(quirk.never_offer for quirk in knowledge.quirks_of(vendor, device))


def test_reports_are_not_certain_of_cards_that_they_do_not_name(knowledge):
    confident = [one for one in knowledge.quirks if one.confidence == "reported" and not one.device_ids]
    assert confident == []


@pytest.mark.parametrize(
    ("file", "old", "new", "where"),
    [
        ("modes.toml", "[basic]", "[plain]", "modes.toml.basic"),
        ("modes.toml", "games = 3", "games = 4", "fits.games"),
        ("modes.toml", "games = 3", "games = true", "fits.games"),
        ("modes.toml", "games = 3", "gaming = 3", "fits.games"),
        ("modes.toml", 'version = "', 'versions = "', "modes.toml.version"),
        ("modes.toml", "[basic]", '[extra]\nx = "y"\n[basic]', "modes.toml.extra"),
        ("quirks.toml", "never_offer = true", 'never_offer = "yes"', "bmc-aspeed.never_offer"),
        ("quirks.toml", 'vendor = "1a03"', 'vendor = "1A03"', "bmc-aspeed.vendor"),
        ("quirks.toml", 'vendor = "1a03"', 'vendor = "1a03-1a04"', "bmc-aspeed.vendor"),
        ("quirks.toml", '"0530-0538"', '"0538-0530"', "bmc-matrox.devices"),
        ("quirks.toml", 'confidence = "documented"', 'confidence = "sure"', "bmc-aspeed.confidence"),
        ("quirks.toml", "never_offer", "never_offered", "bmc-aspeed.never_offered"),
        ("families.toml", 'ability = "vgpu"', 'ability = "magic"', "family.ability"),
        ("families.toml", "[[family]]", "[[families]]", "families.toml.family"),
        ("glossary.toml", 'name = "knowledge', 'name = "Knowledge', "vm.name"),
        ("glossary.toml", "meaning = ", "meant = ", "vm.meaning"),
    ],
)
def test_a_damaged_file_is_refused_and_the_place_is_named(copy, file, old, new, where):
    path = copy / file
    words = path.read_text("utf-8")
    assert old in words
    path.write_text(words.replace(old, new, 1) if old != "[[family]]" else words.replace(old, new), "utf-8")
    with pytest.raises(Unreadable) as caught:
        load_knowledge(copy)
    assert dict(caught.value.what.args) == {"file": file, "where": where}


def test_a_family_without_devices_is_refused(copy):
    path = copy / "families.toml"
    line = next(line for line in path.read_text("utf-8").splitlines() if line.startswith("devices"))
    path.write_text(path.read_text("utf-8").replace(line, "devices = []", 1), "utf-8")
    with pytest.raises(Unreadable):
        load_knowledge(copy)


@pytest.mark.parametrize("content", [b"= [", b"\xff\xfe"])
def test_a_file_that_is_no_toml_is_refused(copy, content):
    (copy / "quirks.toml").write_bytes(content)
    with pytest.raises(Unreadable) as caught:
        load_knowledge(copy)
    assert dict(caught.value.what.args)["file"] == "quirks.toml"


def test_a_missing_file_is_refused(copy):
    (copy / "glossary.toml").unlink()
    with pytest.raises(Unreadable) as caught:
        load_knowledge(copy)
    assert caught.value.next_steps
