# SPDX-License-Identifier: GPL-3.0-or-later
"""Sentences from catalogues: plurals, nesting, fallback, and arguments that cannot play tricks."""

from __future__ import annotations

import pytest

from vitrail.model.text import text
from vitrail.text import Speaker

ENGLISH = """
msgid ""
msgstr ""
"Content-Type: text/plain; charset=UTF-8\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"

msgid "a.hello"
msgstr "Hello {name}."

msgid "a.only-here"
msgstr "Only in English."

msgid "a.cards"
msgid_plural "a.cards"
msgstr[0] "one card of {owner}"
msgstr[1] "{count} cards of {owner}"
"""
POLISH = """
msgid ""
msgstr ""
"Content-Type: text/plain; charset=UTF-8\\n"
"Plural-Forms: nplurals=3; plural=(n==1 ? 0 : n%10>=2 && n%10<=4 && (n%100<12 || n%100>14) ? 1 : 2);\\n"

msgid "a.hello"
msgstr "Cześć {name}."

msgid "a.cards"
msgid_plural "a.cards"
msgstr[0] "{count} karta"
msgstr[1] "{count} karty"
msgstr[2] "{count} kart"
"""


@pytest.fixture
def folder(catalogues):
    return catalogues({"en": {"a.po": ENGLISH}, "pl": {"a.po": POLISH}})


def test_a_sentence_holds_its_arguments(folder):
    assert Speaker(folder=folder).say(text("a.hello", name="Ada")) == "Hello Ada."


def test_an_argument_that_is_a_text_is_said_too(folder):
    said = Speaker(folder=folder).say(text("a.hello", name=text("a.hello", name="Ada")))
    assert said == "Hello Hello Ada.."


@pytest.mark.parametrize(("count", "said"), [(0, "0 cards of me"), (1, "one card of me"), (5, "5 cards of me")])
def test_a_count_chooses_the_form(folder, count, said):
    assert Speaker(folder=folder).say(text("a.cards", count=count, owner="me")) == said


@pytest.mark.parametrize(("count", "said"), [(1, "1 karta"), (3, "3 karty"), (5, "5 kart"), (22, "22 karty")])
def test_a_language_with_three_forms_uses_them(folder, count, said):
    assert Speaker("pl", folder=folder).say(text("a.cards", count=count, owner="me")) == said


def test_what_a_language_lacks_is_said_in_english(folder):
    assert Speaker("pl", folder=folder).say(text("a.only-here")) == "Only in English."


def test_a_language_without_catalogue_is_english(folder):
    assert Speaker("xx", folder=folder).say(text("a.hello", name="Ada")) == "Hello Ada."


def test_an_id_without_message_is_said_as_it_is(folder):
    assert Speaker(folder=folder).say(text("a.nowhere", name="x")) == "a.nowhere"


def test_braces_in_an_argument_stay_braces(folder):
    assert Speaker(folder=folder).say(text("a.hello", name="{name} {0} %s")) == "Hello {name} {0} %s."


def test_hostile_arguments_are_made_visible(folder):
    said = Speaker(folder=folder).say(text("a.hello", name="win\n\x1b[31m\u202e\u2066\x00"))
    assert said == "Hello win⟨U+000A⟩⟨U+001B⟩[31m⟨U+202E⟩⟨U+2066⟩⟨U+0000⟩."


def test_an_id_in_two_files_stops_the_build(catalogues):
    with pytest.raises(SystemExit, match=r"b\.po: a\.hello is already in a\.po"):
        catalogues({"en": {"a.po": ENGLISH, "b.po": ENGLISH}})


def test_catalogues_have_the_same_bytes_twice(builder, catalogues):
    folder = catalogues({"en": {"a.po": ENGLISH}})
    built = folder / "en" / "LC_MESSAGES" / "vitrail.mo"
    first = built.read_bytes()
    built.unlink()
    builder.build_catalogues(folder.parent.parent)
    assert built.read_bytes() == first
