# SPDX-License-Identifier: GPL-3.0-or-later
"""What is inside an initramfs: every form that kernels take, and nothing but a refusal for anything else."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import lzma
import shutil
import struct
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from helper.bench import STACKS, apply_line, ask, make_machine, plan_of, program, snapshot, undo_line
from helper.trial_bench import command_line
from vitrail.helper.cpio import Member, archive, folder, link, plain, script
from vitrail.helper.entries import images_beside_entries
from vitrail.helper.image import read_image
from vitrail.helper.tree import Tree
from vitrail.model.host_step import ArgumentFile, ArgumentsFile, RunTool, Tool
from vitrail.model.host_wire import Kind, Refusal

pytestmark = pytest.mark.real

MEMBERS = (folder("etc"), plain("etc/a", b"text"), script("init", b"#!/bin/sh\n"), link("lib", "usr/lib"))
EARLY = archive((folder("kernel"), plain("kernel/code", b"\x01" * 1001)))
MAIN = archive(MEMBERS)
few = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def zstd(content: bytes) -> bytes:
    return subprocess.run(["zstd", "-qc"], input=content, stdout=subprocess.PIPE, check=True).stdout


def unified(content: bytes) -> bytes:
    """A program for the firmware with sections, of which one is the initramfs."""
    sections = {b".linux": b"kernel", b".initrd": content, b".cmdline": b"root=/dev/vda1"}
    head = bytearray(b"MZ".ljust(0x3C, b"\0") + struct.pack("<I", 0x40))
    head += struct.pack("<4sHHIIIHH", b"PE\0\0", 0x8664, len(sections), 0, 0, 0, 16, 0) + bytes(16)
    body, offset = bytearray(), len(head) + 40 * len(sections)
    for name, words in sections.items():
        padded = words + bytes(-len(words) % 512)
        head += struct.pack("<8sIIIIIIHHI", name, len(words), 0, len(padded), offset + len(body), 0, 0, 0, 0, 0)
        body += padded
    return bytes(head + body)


FORMS = {
    "as it is": MAIN,
    "gzip": gzip.compress(MAIN),
    "xz": lzma.compress(MAIN),
    "lzma": lzma.compress(MAIN, format=lzma.FORMAT_ALONE),
    "bzip2": bz2.compress(MAIN),
    "microcode first": EARLY + bytes(-len(EARLY) % 512) + gzip.compress(MAIN),
    "microcode first, all as it is": EARLY + bytes(-len(EARLY) % 512) + MAIN,
    "ours behind the system's": gzip.compress(archive((plain("etc/a", b"other"),))) + gzip.compress(MAIN),
    "blanks at the end": MAIN + bytes(2000),
    "two archives in one": gzip.compress(archive((plain("b", b""),)) + bytes(300) + MAIN),
    "in a unified image": unified(gzip.compress(MAIN)),
    "in a unified image, with microcode": unified(EARLY + bytes(-len(EARLY) % 4) + gzip.compress(MAIN)),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_read(tmp_path, form):
    (tmp_path / "image").write_bytes(FORMS[form])
    image = read_image(Tree(str(tmp_path)), "image", lambda _: True)
    assert [image.members[member.name] for member in MEMBERS] == list(MEMBERS)
    assert image.content("etc/a") == b"text"


@pytest.mark.skipif(shutil.which("zstd") is None, reason="zstd is not installed")
def test_zstd_is_read_by_its_program(tmp_path):
    (tmp_path / "image").write_bytes(EARLY + bytes(-len(EARLY) % 512) + zstd(MAIN))
    path = str(tmp_path / "image").lstrip("/")
    image = read_image(Tree("/"), path, lambda _: True)
    assert image.content("etc/a") == b"text"
    assert "kernel/code" in image.members


@pytest.mark.skipif(shutil.which("cpio") is None, reason="cpio is not installed")
def test_what_is_written_is_what_cpio_unpacks(tmp_path):
    subprocess.run(["cpio", "-id", "--quiet"], input=MAIN, cwd=tmp_path, check=True, stderr=subprocess.PIPE)
    assert (tmp_path / "etc/a").read_bytes() == b"text"
    assert (tmp_path / "init").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "lib").readlink() == Path("usr/lib")


def refused(root: Path) -> Kind:
    with pytest.raises(Refusal) as caught:
        read_image(Tree(str(root)), "image", lambda _: True)
    return caught.value.kind


@few
@given(some.sampled_from(sorted(FORMS)), some.integers(0, 3000), some.binary(max_size=8))
def test_a_damaged_image_is_read_or_refused(tmp_path, form, place, noise):
    content = FORMS[form]
    place %= len(content)
    (tmp_path / "image").write_bytes(content[:place] + noise + content[place + len(noise) :])
    # Any other error than a refusal fails the test.
    with contextlib.suppress(Refusal):
        read_image(Tree(str(tmp_path)), "image", lambda _: True)


@pytest.mark.parametrize("form", FORMS)
def test_a_torn_image_is_refused(tmp_path, form):
    content = FORMS[form]
    whole = content.rstrip(b"\0")
    for size in range(1, len(whole) - 130, 97):
        (tmp_path / "image").write_bytes(whole[:size])
        try:
            image = read_image(Tree(str(tmp_path)), "image", lambda _: True)
        except Refusal:
            continue
        # What ends between two archives is whole as far as it goes.
        assert "init" not in image.members or "lib" in image.members


@pytest.mark.parametrize("content", [b"", b"\0" * 4096, b"text", b"MZ", b"MZ" + b"\xff" * 200, unified(b"")[:100]])
def test_what_is_no_image_is_refused(tmp_path, content):
    (tmp_path / "image").write_bytes(content)
    assert refused(tmp_path) is Kind.UNREAD


def test_a_file_that_claims_to_be_huge_is_refused(tmp_path):
    head = archive((Member("a", 0o100644, b"x"),)).replace(b"00000001", b"7FFFFFFF", 10)
    (tmp_path / "image").write_bytes(head)
    assert refused(tmp_path) is Kind.UNREAD


@pytest.fixture
def machine(tmp_path):
    return make_machine(tmp_path / "root")


def test_entries_of_this_system_tell_its_images(machine):
    command_line(machine, "root=/dev/vda1 rootflags=subvol=@ quiet")
    entries = machine / "boot/efi/loader/entries"
    rows = {
        "mine": "initrd /m/ucode.img\ninitrd /m/initrd\noptions root=/dev/vda1 rootflags=subvol=@\n",
        "plain": "initrd /p/initrd\noptions root=/dev/vda1\n",
        "other": "initrd /o/initrd\noptions root=/dev/vdb1\n",
        "snapshot": "initrd /s/initrd\noptions root=/dev/vda1 rootflags=subvol=@old\n",
        "gone": "initrd /g/initrd\noptions root=/dev/vda1\n",
        "vitrail-0123456789abcdef": "initrd /v/initrd\noptions root=/dev/vda1\n",
    }
    for name, words in rows.items():
        (entries / f"{name}.conf").write_text(words)
        if name != "gone":
            (machine / f"boot/efi/{name[0]}").mkdir()
            (machine / f"boot/efi/{name[0]}/initrd").write_text("")
    assert images_beside_entries(Tree(str(machine))) == ("boot/efi/m/initrd", "boot/efi/p/initrd")


def test_an_image_in_which_the_script_comes_late_is_no_success(machine):
    path = machine / "usr/sbin/update-initramfs"
    path.write_text(
        path.read_text().replace('order="/scripts/init-top/00-vitrail \\"\\$@\\"$line_end$order"', "order=$order")
    )
    before = snapshot(machine)
    (answer,) = ask(machine, apply_line(plan_of(machine, *STACKS["grub"])))
    error = answer["error"]
    assert (error["kind"], error["args"]["reason"], error["args"]["result"]) == (
        "apply-failed",
        "no-effect",
        "taken_back",
    )
    assert snapshot(machine) == before


def test_mkinitcpio_with_systemd_in_the_image_is_refused(machine):
    program(
        machine,
        "usr/bin/mkinitcpio",
        (machine / "usr/bin/mkinitcpio").read_text().replace("plain init_functions script\n", ""),
    )
    request = apply_line(plan_of(machine, *STACKS["systemd-boot"]))
    subprocess.run(["chroot", machine, "/usr/bin/mkinitcpio"], check=True)
    (answer,) = ask(machine, request)
    assert answer["error"] == {"kind": "initramfs", "args": {"reason": "systemd-hook"}}


def test_what_kernel_install_builds_is_looked_into_and_built_again_when_taken_back(machine):
    build = (
        (machine / "usr/bin/dracut")
        .read_text()
        .replace("/boot/initramfs-6.1.0.img /boot/initramfs-6.2.0.img", "/boot/m/initrd")
    )
    lines = '{ echo "initrd /m/initrd"; echo "options $line"; }'
    entry = f"read -r line < /etc/kernel/cmdline\n{lines} > /boot/loader/entries/m.conf\n"
    program(machine, "usr/bin/kernel-install", build + entry)
    command_line(machine, "root=/dev/vda1")
    (machine / "boot/m").mkdir()
    (machine / "boot/loader/entries/machine-6.1.0.conf").unlink()
    subprocess.run(["chroot", machine, "/usr/bin/kernel-install"], check=True)
    before = snapshot(machine)
    cards, *files, _, line, tool = STACKS["kernel-install"]
    assert line == ArgumentsFile(ArgumentFile.KERNEL_CMDLINE, line.arguments)
    assert tool == RunTool(Tool.KERNEL_INSTALL)
    (answer,) = ask(machine, apply_line(plan_of(machine, cards, *files, line, tool)))
    assert answer["ok"], answer
    image = read_image(Tree(str(machine)), "boot/m/initrd", lambda _: True)
    assert "etc/vitrail/reserved-cards" in image.members
    (answer,) = ask(machine, undo_line())
    assert [run["result"] for run in answer["result"]] == ["taken_back"]
    assert snapshot(machine) == before
