# SPDX-License-Identifier: GPL-3.0-or-later
"""Every sentence that a judgement can say is in the catalogue, with the arguments that it is given."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

import vitrail.judge
from fakes.hosts import ETHERNET, USB, device
from vitrail.judge.words import kinds, listed, plain
from vitrail.model.text import text

_ID = re.compile(r"judge\.[a-z0-9.-]+")
_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_CATALOGUES = tuple((Path(__file__).parents[3] / "resources/translations/en").glob("judge*.po"))


def _catalogue() -> dict[str, tuple[str, ...]]:
    messages = []
    for path in _CATALOGUES:
        with path.open("rb") as stream:
            messages += read_po(stream)
    return {
        message.id if isinstance(message.id, str) else message.id[0]: (
            (message.string,) if isinstance(message.string, str) else tuple(message.string)
        )
        for message in messages
        if message.id
    }


def _nodes() -> list[ast.AST]:
    (folder,) = vitrail.judge.__path__
    return [node for file in Path(folder).glob("*.py") for node in ast.walk(ast.parse(file.read_text("utf-8")))]


def _said() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for node in _nodes():
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and _ID.fullmatch(node.value):
            found.setdefault(node.value, set())
    for node in _nodes():
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "text":
            first = node.args[0]
            if isinstance(first, ast.Constant):
                counted = {"count"} if len(node.args) > 1 else set()
                found[first.value] |= {keyword.arg for keyword in node.keywords if keyword.arg} | counted
    return found


def test_every_id_that_is_said_is_in_the_catalogue_and_every_id_there_is_said():
    assert set(_said()) == set(_catalogue())


def test_a_sentence_uses_only_arguments_that_it_is_given():
    said = _said()
    counted_kinds = {"count"}
    wrong = {
        message: placeholders
        for message, sentences in _catalogue().items()
        if (placeholders := {name for one in sentences for name in _PLACEHOLDER.findall(one)})
        - said[message]
        - (counted_kinds if message.startswith("judge.kind.") else set())
    }
    assert wrong == {}


@pytest.mark.parametrize("word", ["isolated", "shared"])
def test_users_never_read_the_contract_s_words_for_groups(word):
    groups = {message: sentences for message, sentences in _catalogue().items() if ".group." in message}
    said = [sentence for sentences in groups.values() for sentence in sentences if word in sentence.lower()]
    assert said == []


def test_alike_devices_are_counted_together():
    devices = [device("02:00.0", ETHERNET), device("03:00.0", USB), device("04:00.0", USB)]
    assert kinds(devices) == text(
        "judge.list.last", first=text("judge.kind.network", 1), last=text("judge.kind.usb", 2)
    )


def test_three_things_make_one_phrase():
    one, two, three = plain("a"), plain("b"), plain("c")
    assert listed([one, two, three]) == text(
        "judge.list.more", first=one, rest=text("judge.list.last", first=two, last=three)
    )
