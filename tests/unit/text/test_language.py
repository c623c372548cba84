# SPDX-License-Identifier: GPL-3.0-or-later
"""Which language is meant."""

from __future__ import annotations

import pytest

from vitrail.text.language import wanted_languages


def test_what_was_asked_for_wins():
    assert wanted_languages("fr", {"LANG": "de_DE.UTF-8"}) == ("fr",)


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, ()),
        ({"LANG": "C.UTF-8"}, ()),
        ({"LANG": "en_GB.UTF-8"}, ("en_GB",)),
        ({"LANG": "de_AT.UTF-8@euro"}, ("de_AT", "de")),
        ({"LANGUAGE": "fr:de", "LC_ALL": "it_IT"}, ("fr", "de")),
        ({"LANGUAGE": "fr:en:de"}, ("fr",)),
        ({"LC_ALL": "", "LC_MESSAGES": "pt_BR.UTF-8", "LANG": "de"}, ("pt_BR", "pt")),
    ],
)
def test_the_environment_is_asked_in_gettexts_order(environment, expected):
    assert wanted_languages(None, environment) == expected


@pytest.mark.parametrize("name", ["../../etc", "a/b", "..", "a\x00b", "de_../x"])
def test_a_name_that_is_no_language_never_becomes_a_path(name):
    assert wanted_languages(name, {}) in ((), ("a",), ("de",))


def test_a_name_that_no_folder_can_have_is_no_language():
    assert wanted_languages("a" * 5000, {}) == ()
    assert wanted_languages("", {}) == ()
