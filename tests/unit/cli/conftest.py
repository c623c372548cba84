# SPDX-License-Identifier: GPL-3.0-or-later
"""A recorded machine with two VMs, one of them hostile, and a terminal to run commands in."""

from __future__ import annotations

import json
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from fakes.domains import HOSTILE_NAME, HOSTILE_UUID, PLAIN_UUID, SECRET, domain
from fakes.sysfs import HDA, PCI_BRIDGE, VGA, Connector, Tree
from vitrail.__main__ import main

REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="session", autouse=True)
def heard():
    """Ctrl+C reaches the commands here; tests in the background of a script inherit that it is ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="session", autouse=True)
def catalogues():
    """The catalogues as they are shipped, from the .po files as they are now."""
    sys.path.insert(0, str(REPOSITORY / "packaging"))
    try:
        from build_resources import build_catalogues  # noqa: PLC0415 - not a package

        build_catalogues()
    finally:
        sys.path.pop(0)


@pytest.fixture(autouse=True)
def state(tmp_path, monkeypatch):
    """A state folder of the test's own, and English."""
    monkeypatch.setenv("VITRAIL_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("LANGUAGE", "en")
    monkeypatch.delenv("VITRAIL_TRACE", raising=False)


@pytest.fixture
def machine(tmp_path) -> Path:
    """Two cards, the second free and alone in its group; a plain VM and one with a hostile name and a password."""
    folder = tmp_path / "machine"
    tree = Tree(folder / "root")
    tree.kernel().cpu().dmi().iommu("ivhd0").grub()
    for number, bus in enumerate(("01", "02")):
        bridge = f"0000:00:0{number + 1}.0"
        tree.pci(bridge, PCI_BRIDGE, 0x1022, 0x14DB, driver="pcieport", group=number)
        tree.pci(
            f"0000:{bus}:00.0",
            VGA,
            0x10DE,
            0x2504,
            behind=bridge,
            driver="nvidia",
            group=14 + number,
            boot_vga=not number,
        )
        tree.pci(f"0000:{bus}:00.1", HDA, 0x10DE, 0x228E, behind=bridge, driver="snd_hda_intel", group=14 + number)
    tree.drm("0000:01:00.0", (Connector("DP-1", "connected", "DELL U2720Q"), Connector("HDMI-A-1")))
    tree.drm("0000:02:00.0", (Connector("DP-2"),))
    (folder / "machine.toml").write_text("format = 1\n", "utf-8")
    domains = folder / "libvirt" / "domains"
    domains.mkdir(parents=True)
    (domains / "plain.xml").write_text(domain("plain", PLAIN_UUID), "utf-8")
    (domains / "hostile.xml").write_text(domain(HOSTILE_NAME, HOSTILE_UUID, password=SECRET), "utf-8")
    (folder / "libvirt" / "domains.toml").write_text('[plain]\nstate = "off"\n', "utf-8")
    return folder


@dataclass(frozen=True)
class Said:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one object on stdout."""
        return json.loads(self.out)


@pytest.fixture
def vitrail(capsys):
    """Run a command in this process."""

    def run(*words: object) -> Said:
        capsys.readouterr()
        try:
            code = main([str(word) for word in words])
        except SystemExit as end:
            code = int(end.code or 0)
        out, err = capsys.readouterr()
        return Said(code, out, err)

    return run
