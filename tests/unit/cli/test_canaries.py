# SPDX-License-Identifier: GPL-3.0-or-later
"""A hostile name and a planted password through every command: the name cannot act, the password never shows."""

from __future__ import annotations

import pytest

from fakes.domains import HOSTILE_NAME, HOSTILE_UUID, SECRET

COMMANDS = [
    ("scan",),
    ("doctor",),
    ("doctor", "--vm", HOSTILE_UUID, "--mode", "virtio"),
    ("modes", "--vm", HOSTILE_UUID),
    ("modes", "--vm", HOSTILE_NAME),
    ("plan", "--vm", HOSTILE_UUID, "--mode", "virtio"),
    ("plan", "--vm", HOSTILE_UUID, "--mode", "virtio", "--diff"),
    ("plan", "--vm", HOSTILE_UUID, "--mode", "basic", "--set", "screen=spice"),
    ("plan", "--vm", HOSTILE_UUID, "--mode", "basic", "--set", "screen=spice", "--diff"),
    ("plan", "--vm", HOSTILE_UUID, "--mode", "passthrough", "--gpu", "02:00.0"),
    ("plan", "--vm", f"{HOSTILE_NAME}x", "--mode", "virtio"),
    ("plan", "--vm", HOSTILE_UUID, "--mode", HOSTILE_NAME),
    ("plan", "--vm", HOSTILE_UUID, "--mode", "virtio", "--set", f"{HOSTILE_NAME}={HOSTILE_NAME}"),
    ("apply", "--vm", HOSTILE_UUID, "--mode", "virtio", "--yes"),
    ("history",),
    ("verify",),
    ("undo",),
    ("undo", HOSTILE_NAME),
    (HOSTILE_NAME,),
]


def harmless(words: str) -> bool:
    return all(char in "\n\t" or char.isprintable() for char in words)


@pytest.mark.parametrize("as_json", [False, True], ids=["people", "json"])
@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: " ".join(words).encode("ascii", "replace").decode())
def test_no_output_acts_or_tells(vitrail, machine, words, as_json):
    if words[0] in ("history", "verify", "undo"):
        vitrail("apply", "--machine", machine, "--vm", HOSTILE_UUID, "--mode", "virtio", "--yes")
    said = vitrail(*words, "--machine", machine, *(["--json"] if as_json and "--diff" not in words else []))
    assert harmless(said.out)
    assert harmless(said.err)
    assert SECRET not in said.out
    assert SECRET not in said.err
    assert "fault of its own" not in said.err


def test_the_name_is_shown_with_what_hides_in_it(vitrail, machine):
    assert "<b>win⟨U+202E⟩⟨U+009B⟩31m" in vitrail("scan", "--machine", machine).out


def test_a_script_gets_the_name_exactly(vitrail, machine):
    names = {vm["name"] for vm in vitrail("scan", "--machine", machine, "--json").json["vms"]}
    assert HOSTILE_NAME in names


def test_a_document_keeps_its_password_and_its_diff_does_not_show_it(vitrail, machine, tmp_path):
    source, target = machine / "libvirt" / "domains" / "hostile.xml", tmp_path / "out.xml"
    said = vitrail("plan", "--machine", machine, "--xml", source, "--mode", "virtio", "--out", target, "--diff")
    assert said.code == 0
    assert SECRET in target.read_text("utf-8")
    assert SECRET not in said.out
