# SPDX-License-Identifier: GPL-3.0-or-later
"""Real dumps of udev's database, laid out as the sysfs that they were taken from, then read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fakes.desktop import read, value
from fakes.sysfs import Tree
from vitrail.model.pci import PciAddress

pytestmark = pytest.mark.corpus
HOSTS = Path(__file__).resolve().parents[3] / "shared" / "corpus" / "hosts"
DUMPS = sorted(HOSTS.glob("udevadm-*.txt")) if HOSTS.is_dir() else []
UEVENT = ("DRIVER", "PCI_CLASS", "PCI_ID", "PCI_SUBSYS_ID")
CLASSES = ("drm", "net", "block", "input", "nvme")


def entries(dump: Path) -> Iterator[dict[str, str]]:
    """The properties of each device of a dump."""
    for block in dump.read_text(encoding="utf-8", errors="replace").split("\n\n"):
        lines = (line[3:].partition("=") for line in block.splitlines() if line.startswith("E: "))
        facts = {key: words for key, _, words in lines}
        if "DEVPATH" in facts:
            yield facts


def sysfs_of(dump: Path, folder: Path) -> Tree:
    """The tree that this dump was taken from, as far as it tells."""
    tree = Tree(folder)
    for facts in entries(dump):
        place = f"sys{facts['DEVPATH']}"
        name = place.rpartition("/")[2]
        if facts.get("SUBSYSTEM") == "pci" and "PCI_ID" in facts:
            lines = (
                f"{key}={facts[key]}" for key in ("DRIVER", "PCI_CLASS", "PCI_ID", "PCI_SUBSYS_ID") if key in facts
            )
            tree.file(f"{place}/uevent", "\n".join(lines)).link(f"sys/bus/pci/devices/{name}", place)
        elif facts.get("SUBSYSTEM") in CLASSES:
            tree.folder_at(place).link(f"sys/class/{facts['SUBSYSTEM']}/{name}", place)
    return tree


@pytest.fixture(params=DUMPS or [None], ids=lambda dump: dump.stem if dump else "absent")
def dump(request) -> Path:
    if request.param is None:
        pytest.skip("the shared corpus of real inputs is not beside this checkout")
    return request.param


def test_every_function_and_every_card_of_a_dump_is_read(dump, tmp_path):
    listed = [facts for facts in entries(dump) if facts.get("SUBSYSTEM") == "pci" and "PCI_ID" in facts]
    cards = {facts["PCI_SLOT_NAME"] for facts in listed if int(facts["PCI_CLASS"], 16) >> 16 == 3}
    host = read(sysfs_of(dump, tmp_path))
    assert len(value(host.devices)) == len(listed)
    assert {str(gpu.address) for gpu in value(host.gpus)} == cards
    for facts in listed:
        device = host.device_at(PciAddress.parse(facts["PCI_SLOT_NAME"]))
        assert device is not None
        assert f"{device.identity.vendor_id:04X}:{device.identity.device_id:04X}" == facts["PCI_ID"]
        assert value(device.driver) == facts.get("DRIVER")


def test_every_network_card_of_a_dump_names_its_function(dump, tmp_path):
    host = read(sysfs_of(dump, tmp_path))
    wanted = {
        facts["INTERFACE"]
        for facts in entries(dump)
        if facts.get("SUBSYSTEM") == "net" and "/devices/pci" in facts["DEVPATH"]
    }
    found = {name for _, name in value(host.network_cards)} if wanted else set()
    assert found == wanted
