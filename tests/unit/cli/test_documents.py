# SPDX-License-Identifier: GPL-3.0-or-later
"""`plan --xml FILE --out FILE`: the document in its own encoding, byte for byte where nothing changed."""

from __future__ import annotations

import codecs
from pathlib import Path

import pytest

from fakes.domains import PLAIN_UUID, domain

TITLE = "<name>grün</name>"
PLAIN = domain("plain", PLAIN_UUID).replace("<name>plain</name>", TITLE)
CHANGED = PLAIN.replace("type='qxl'", "type='virtio'")
ENCODINGS = [
    (b"", "utf-8", ""),
    (codecs.BOM_UTF8, "utf-8", ""),
    (codecs.BOM_UTF8, "utf-8", "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16-be", ""),
    (b"", "utf-16-le", "UTF-16"),
    (b"", "utf-16-be", "UTF-16"),
    (codecs.BOM_UTF32_LE, "utf-32-le", "UTF-32"),
    (b"", "iso-8859-1", "ISO-8859-1"),
    (b"", "cp1252", "windows-1252"),
    (b"", "utf-8", "UTF-16"),
]


def _spelled(words: str, mark: bytes, encoding: str, declared: str) -> bytes:
    head = f'<?xml version="1.0" encoding="{declared}"?>\r\n' if declared else ""
    return mark + (head + words).encode(encoding)


def _plan(vitrail, machine: Path, folder: Path, content: bytes, mode: str):
    (folder / "in.xml").write_bytes(content)
    words = ("--xml", str(folder / "in.xml"), "--out", str(folder / "out.xml"), "--mode", mode, "--json")
    return vitrail("plan", *words, "--machine", str(machine))


@pytest.mark.parametrize("form", ENCODINGS)
def test_a_document_comes_back_in_its_own_encoding(vitrail, machine, tmp_path, form):
    content = _spelled(PLAIN, *form)
    assert _plan(vitrail, machine, tmp_path, content, "virtio").code == 0
    changed = _spelled(CHANGED, *form)
    assert (tmp_path / "out.xml").read_bytes() == changed
    assert _plan(vitrail, machine, tmp_path, changed, "virtio").code == 0
    assert (tmp_path / "out.xml").read_bytes() == changed


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (_spelled(PLAIN, b"", "iso-8859-1", ""), "file.not-utf8"),
        (_spelled(PLAIN, b"", "iso-8859-1", "ascii"), "file.not-as-told"),
        (_spelled(PLAIN, b"", "utf-8", "klingon"), "file.unknown-encoding"),
        (_spelled(PLAIN, b"", "utf-8", "hex"), "file.unknown-encoding"),
        (_spelled(PLAIN, b"", "utf-8", "unicode_escape"), "file.unknown-encoding"),
        (codecs.BOM_UTF16_LE + b"<\x00d", "file.not-as-told"),
    ],
)
def test_an_encoding_that_is_not_what_it_says_is_unreadable(vitrail, machine, tmp_path, content, said):
    done = _plan(vitrail, machine, tmp_path, content, "virtio")
    assert (done.code, done.json["error"]["id"]) == (3, said)
    assert not (tmp_path / "out.xml").exists()


def test_a_plans_file_may_have_a_byte_order_mark(vitrail, machine, tmp_path):
    words = ("--vm", "plain", "--mode", "virtio", "--machine", str(machine), "--json")
    file = tmp_path / "plan.json"
    file.write_text("\ufeff" + vitrail("plan", *words).out, "utf-8")
    assert vitrail("apply", str(file), "--machine", str(machine), "--yes").code == 0
