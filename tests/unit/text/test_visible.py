# SPDX-License-Identifier: GPL-3.0-or-later
"""Untrusted words on a screen."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vitrail.text.visible import MAX_SHOWN, visible, visible_lines


def test_plain_words_stay():
    assert visible("Büro-VM 日本 🖥") == "Büro-VM 日本 🖥"


def test_bidi_and_control_characters_are_spelled():
    assert visible("a\u202eb\rc\x9bd") == "a⟨U+202E⟩b⟨U+000D⟩c⟨U+009B⟩d"


def test_bytes_that_were_no_text_are_spelled():
    assert visible("a\udcffb") == "a⟨U+DCFF⟩b"


def test_long_words_keep_both_ends():
    shown = visible("a" * 1000 + "z" * 1000)
    assert len(shown) <= MAX_SHOWN
    assert shown[0] == "a"
    assert "…" in shown
    assert shown[-1] == "z"


def test_a_diff_keeps_its_lines_and_tabs():
    assert visible_lines("-a\tb\r\n+\x1b[0m") == "-a\tb\n+⟨U+001B⟩[0m"


@given(st.text())
def test_nothing_unprintable_gets_through(words):
    assert visible(words).isprintable()
