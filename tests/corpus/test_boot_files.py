# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of loaders as people have them: read as they are meant, named by what uses them, given away without ids."""

from __future__ import annotations

import csv
import os
import re
import tomllib
from pathlib import Path

import pytest

from fakes.desktop import read, value
from fakes.sysfs import GRUB_SIGNS, Tree
from vitrail.model.boot import BootStack
from vitrail.probe.efi_variables import loader_variable
from vitrail.source.scrub import Scrubber

pytestmark = pytest.mark.corpus

SHARED = Path(__file__).parents[3] / "shared"
FILES = SHARED / "corpus" / "bootconfig"
INDEX = FILES / "index.csv"
ROWS = list(csv.DictReader(INDEX.read_text().splitlines())) if INDEX.is_file() else []
EXPECTED: dict[str, dict[str, int]] = tomllib.loads((Path(__file__).parent / "expected_boot_files.toml").read_text())
IDS = re.compile(r"\b[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\b")
STAND_IN = "00000000-0000-4000-8000-"


@pytest.fixture(autouse=True)
def _corpus() -> None:
    if FILES.is_dir():
        return
    if os.environ.get("CI") and SHARED.exists():
        pytest.fail(f"{SHARED} is there without its corpus")
    pytest.skip("the shared corpus of real inputs is not beside this checkout")


def of_kind(*kinds: str) -> list[str]:
    return [row["file"] for row in ROWS if row["kind"] in kinds]


def content(name: str) -> bytes:
    return (FILES / name).read_bytes()


def said_by_loader(folder: Path, line: str, loader: str) -> Tree:
    tree = Tree(folder).kernel("6.12", cmdline=line).uefi()
    return tree.file(loader_variable("LoaderInfo"), b"\x06\0\0\0" + f"{loader}\0".encode("utf-16-le"))


def test_every_file_of_settings_is_expected() -> None:
    assert sorted(of_kind("default-grub")) == sorted(EXPECTED["grub"])


@pytest.mark.parametrize(("name", "seconds"), EXPECTED["grub"].items())
def test_grubs_settings(name: str, seconds: int, tmp_path: Path) -> None:
    tree = Tree(tmp_path).kernel("6.12", cmdline="BOOT_IMAGE=/boot/vmlinuz-6.12 root=x ro")
    boot = read(tree.file("etc/default/grub", content(name)).file("boot/grub/grub.cfg", GRUB_SIGNS)).boot
    assert (value(boot.stack), value(boot.setup.menu_seconds)) == (BootStack.GRUB, seconds)
    assert value(boot.setup.content("etc/default/grub")) == content(name).decode("utf-8", "surrogateescape")


@pytest.mark.parametrize("name", of_kind("systemd-boot-entry"))
def test_entries_by_hand(name: str, tmp_path: Path) -> None:
    file = name.rpartition("__")[2]
    tree = said_by_loader(tmp_path, "root=x rw", "systemd-boot 257").file("boot/loader/loader.conf", "timeout 3")
    tree.file(f"boot/loader/entries/{file}", content(name))
    said = b"\x06\0\0\0" + f"{file}\0".encode("utf-16-le")
    boot = read(tree.file(loader_variable("LoaderEntrySelected"), said)).boot
    assert value(boot.stack) is BootStack.SYSTEMD_BOOT
    assert value(boot.setup.content(f"boot/loader/entries/{file}")) == content(name).decode()


@pytest.mark.parametrize("name", of_kind("refind"))
def test_refinds_own_file(name: str, tmp_path: Path) -> None:
    tree = said_by_loader(tmp_path, "root=x rw", "rEFInd 0.14.2").file("boot/refind_linux.conf", content(name))
    assert value(read(tree).boot.stack) is BootStack.REFIND


@pytest.mark.parametrize("name", [row["file"] for row in ROWS])
def test_no_id_of_a_disk_leaves_with_a_recording(name: str) -> None:
    words = content(name).decode("utf-8", "surrogateescape")
    kept = Scrubber().configuration(words)
    assert [found for found in IDS.findall(kept) if not found.startswith(STAND_IN)] == []
    assert kept.count("\n") == words.count("\n")
