# SPDX-License-Identifier: GPL-3.0-or-later
"""Opening recordings, the crafted and the broken ones included."""

from __future__ import annotations

import io
import lzma
import tarfile
from pathlib import Path

import pytest

from vitrail.model.errors import Unreadable
from vitrail.model.reading import Known
from vitrail.model.text import Text
from vitrail.source import archive as bounds
from vitrail.source.documents import DocumentKind
from vitrail.source.recording import open_recording

TOML = ("machine.toml", b"format = 1\n")


def member(name: str, content: bytes = b"", **facts: object) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for key, value in facts.items():
        setattr(info, key, value)
    return info, content


def packed(path: Path, *members: tuple, layout: int = tarfile.PAX_FORMAT, compress: bool = True) -> Path:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=layout) as archive:
        for info, content in (one if isinstance(one[0], tarfile.TarInfo) else member(*one) for one in members):
            archive.addfile(info, io.BytesIO(content))
    path.write_bytes(lzma.compress(buffer.getvalue()) if compress else buffer.getvalue())
    return path


def link(name: str, target: str) -> tuple[tarfile.TarInfo, bytes]:
    return member(name, type=tarfile.SYMTYPE, linkname=target)


def refusal(path: Path) -> str:
    with pytest.raises(Unreadable) as caught:
        open_recording(path)
    assert caught.value.next_steps
    why = dict(caught.value.what.args).get("why")
    return why.id if isinstance(why, Text) else caught.value.what.id


@pytest.mark.parametrize("layout", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
@pytest.mark.parametrize("compress", [True, False])
@pytest.mark.parametrize("top", ["", "./", "demo/"])
def test_an_archive_is_opened_whatever_tar_wrote_it(tmp_path, layout, compress, top):
    deep = f"{top}root/" + "/".join(["a" * 60] * 3)
    path = packed(
        tmp_path / "m.tar.xz",
        (f"{top}machine.toml", b'format = 1\ntitle = "T"\n[names]\n"10de:2783" = ["NVIDIA", "RTX"]\n'),
        (f"{top}root/sys/a/uevent", b"X=1\n"),
        (f"{deep}/f", b"deep"),
        link(f"{top}root/sys/bus/a", "../a"),
        member(f"{top}root/sys/empty", type=tarfile.DIRTYPE),
        (f"{top}libvirt/domains/v.xml", b"<domain/>"),
        (f"{top}libvirt/domains.toml", b'[v]\nstate = "running"\n'),
        (f"{top}nvml.json", b'{"cards": [{"address": "01:00.0", "name": "RTX", "memory_mib": 8192}]}'),
        layout=layout,
        compress=compress,
    )
    recording = open_recording(path)
    assert recording.title == "T"
    assert recording.names == {"10de:2783": ("NVIDIA", "RTX")}
    assert recording.root.read("sys/bus/a/uevent") == "X=1"
    assert recording.root.read(deep.removeprefix(f"{top}root/") + "/f") == "deep"
    assert recording.root.names("sys/empty") == ()
    (file,) = recording.documents(DocumentKind.DOMAIN)
    assert recording.document(file) == "<domain/>"
    assert recording.domains == {"v": {"state": "running"}}
    assert recording.nvml is not None
    cards = recording.nvml.cards()
    assert isinstance(cards, Known)
    assert cards.value[0].memory_mib == Known(8192, "nvml.json")


def test_a_folder_needs_its_description_only(tmp_path):
    (tmp_path / "machine.toml").write_text("format = 1\n")
    recording = open_recording(tmp_path)
    assert (recording.title, recording.names, recording.tells_vms) == (None, {}, False)
    assert not recording.root.live


def test_a_folder_that_may_not_be_seen_is_told_from_one_that_is_not_there(tmp_path):
    assert refusal(tmp_path / ("x" * 300)) == "source.recording.io"
    assert refusal(tmp_path / "nul\0") == "source.recording.missing"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"format = 2\n", "source.recording.format"),
        (b"title = 'x'\n", "source.recording.format"),
        (b"format = true\n", "source.recording.format"),
        (b"format = \n", "source.recording.document"),
        (b"\xff\xfe", "source.recording.document"),
        (b"format = 1\nnames = 3\n", "source.recording.bad-name"),
        (b'format = 1\n[names]\n"10de" = ["a", "b"]\n', "source.recording.bad-name"),
        (b'format = 1\n[names]\n"10de:2783" = "a"\n', "source.recording.bad-name"),
    ],
)
def test_a_description_that_does_not_fit_is_refused(tmp_path, content, why):
    (tmp_path / "machine.toml").write_bytes(content)
    assert refusal(tmp_path) == why


def test_a_folder_without_description_is_no_recording(tmp_path):
    assert refusal(tmp_path) == "source.recording.no-description"


def test_nothing_there_is_said(tmp_path):
    assert refusal(tmp_path / "none") == "source.recording.missing"


def test_a_folder_whose_root_leads_away_is_refused(tmp_path):
    (tmp_path / "machine.toml").write_text("format = 1\n")
    (tmp_path / "root").symlink_to("/")
    assert refusal(tmp_path) == "source.recording.link-leaves"


def test_a_document_that_leads_away_is_not_read(tmp_path):
    (tmp_path / "machine.toml").symlink_to("../../../../../../etc/hostname")
    assert refusal(tmp_path) == "source.recording.document"


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (member("root/x", type=tarfile.LNKTYPE, linkname="machine.toml"), "kind"),
        (member("root/x", type=tarfile.CHRTYPE), "kind"),
        (member("root/x", type=tarfile.BLKTYPE), "kind"),
        (member("root/x", type=tarfile.FIFOTYPE), "kind"),
        (member("root/../../x", b"1"), "leaves"),
        (member("../x", b"1"), "leaves"),
        (member("/etc/x", b"1"), "absolute"),
        (link("root/x", "../etc/passwd"), "link-leaves"),
        (link("root/a/b", "../../../x"), "link-leaves"),
        (link("root/x", ""), "link-leaves"),
        (link("libvirt/domains", "/etc"), "link-leaves"),
        (link("root", "/"), "link-leaves"),
        (member("machine.toml", b"format = 1\n"), "duplicate"),
        (member("machine.toml/x", b"1"), "duplicate"),
        (member("root/big", b"x" * (bounds.MAX_MEMBER_BYTES + 1)), "too-large"),
        (member("root/x", pax_headers={"GNU.sparse.map": "0,1"}), "kind"),
    ],
)
def test_what_a_recording_may_not_hold_is_refused(tmp_path, bad, why):
    assert refusal(packed(tmp_path / "m.tar.xz", TOML, bad)) == f"source.recording.{why}"


def test_a_file_behind_a_link_is_refused(tmp_path):
    path = packed(tmp_path / "m.tar.xz", TOML, link("root/a", "b"), ("root/a/c", b"1"))
    assert refusal(path) == "source.recording.duplicate"


def test_too_many_members_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(bounds, "MAX_MEMBERS", 10)
    path = packed(tmp_path / "m.tar.xz", TOML, *((f"root/{number}", b"") for number in range(10)))
    assert refusal(path) == "source.recording.too-many"


def test_too_much_in_all_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(bounds, "MAX_TOTAL_BYTES", 3000)
    path = packed(tmp_path / "m.tar.xz", TOML, *((f"root/{number}", b"x" * 1000) for number in range(4)))
    assert refusal(path) == "source.recording.too-large"


def test_a_bomb_is_stopped_while_it_is_decompressed(tmp_path):
    header = tarfile.TarInfo("root/x")
    header.type = tarfile.DIRTYPE
    packer = lzma.LZMACompressor(preset=0)
    path = tmp_path / "bomb.tar.xz"
    with path.open("wb") as file:
        for number in range(bounds.MAX_MEMBERS + 10):
            header.name = f"root/{'d' * 60}{number % 7}/{number}"
            file.write(packer.compress(header.tobuf()))
        file.write(packer.flush())
    assert path.stat().st_size < 40_000_000
    assert refusal(path) == "source.recording.too-many"


@pytest.mark.parametrize(("size", "why"), [(1 << 20, "long-name"), (5000, "damaged")])
def test_a_header_of_headers_is_stopped(tmp_path, size, why):
    info = tarfile.TarInfo("././@LongLink")
    info.type = b"L"
    info.size = size
    block = info.tobuf(tarfile.GNU_FORMAT) + b"n" * (size + -size % 512)
    path = tmp_path / "bomb.tar.xz"
    path.write_bytes(lzma.compress(block * 3, preset=0))
    assert refusal(path) == f"source.recording.{why}"


@pytest.mark.parametrize("layout", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_a_path_longer_than_any_computers_is_refused(tmp_path, layout):
    path = packed(tmp_path / "m.tar.xz", TOML, ("root/" + "a/" * 2100 + "x", b"1"), layout=layout)
    assert refusal(path) == "source.recording.long-name"


def test_folders_that_only_paths_name_count_too(tmp_path, monkeypatch):
    monkeypatch.setattr(bounds, "MAX_MEMBERS", 100)
    path = packed(tmp_path / "m.tar.xz", TOML, *((f"root/{n}/" + "a/" * 20 + "x", b"") for n in range(6)))
    assert refusal(path) == "source.recording.too-many"


def test_a_header_of_many_records_is_stopped(tmp_path):
    info = tarfile.TarInfo("x")
    info.type = b"x"
    info.size = 60_000
    path = tmp_path / "m.tar.xz"
    path.write_bytes(lzma.compress(info.tobuf() + b"5 a=\n" * 12_000 + bytes(416)))
    assert refusal(path) == "source.recording.damaged"


def test_a_bomb_behind_the_end_is_stopped(tmp_path):
    path = packed(tmp_path / "m.tar", TOML, compress=False)
    content = path.read_bytes()
    path.write_bytes(lzma.compress(content + bytes(1 << 19)))
    assert open_recording(path).title is None
    path.write_bytes(lzma.compress(content + bytes(1 << 21)))
    assert refusal(path) == "source.recording.bomb"


@pytest.mark.parametrize("keep", [0.0, 0.3, 0.9, 0.999])
def test_a_truncated_archive_says_so(tmp_path, keep):
    path = packed(tmp_path / "m.tar.xz", TOML, *((f"root/{number}", bytes(range(256)) * 9) for number in range(40)))
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * keep)])
    assert refusal(path) == "source.recording.damaged"


@pytest.mark.parametrize("keep", [700, 1500])
def test_a_truncated_tar_says_so(tmp_path, keep):
    path = packed(tmp_path / "m.tar", TOML, ("root/x", b"1" * 900), compress=False)
    path.write_bytes(path.read_bytes()[:keep])
    assert refusal(path) == "source.recording.damaged"


def test_flipped_bits_are_damage_and_never_more(tmp_path):
    path = packed(tmp_path / "m.tar.xz", TOML, *((f"root/{number}", b"x" * 500) for number in range(20)))
    content = path.read_bytes()
    for at in range(0, len(content), 7):
        path.write_bytes(content[:at] + bytes((content[at] ^ 0x55,)) + content[at + 1 :])
        try:
            open_recording(path)
        except Unreadable as error:
            assert error.next_steps  # noqa: PT017 - some flips fall where nothing is checked


def test_another_kind_of_file_is_no_archive(tmp_path):
    path = tmp_path / "photo.jpg"
    for size in (50, 5000):
        path.write_bytes(b"\xff\xd8\xff" + b"\0" * size)
        assert refusal(path) == "source.recording.no-archive"
