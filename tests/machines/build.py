# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the recorded machines: `python tests/machines/build.py` renews every folder beside it, and the demo machine.

The folders are kept in the repository so that anybody can open and read them; a test builds them anew and compares.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from importlib import import_module
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
if __name__ == "__main__":
    sys.path.insert(0, str(TESTS))

from fakes.sysfs import Tree  # noqa: E402 - the path above comes first when this runs as a program
from machines.describe.board import Board  # noqa: E402
from machines.describe.machine import Machine  # noqa: E402
from machines.describe.names import DEVICES, VENDORS  # noqa: E402
from machines.describe.restarting import MACHINES  # noqa: E402

DEMO = TESTS.parent / "resources" / "demo"
DESCRIBED = (
    "amd-desktop",
    "intel-desktop",
    "two-identical",
    "bad-group",
    "single-gpu",
    "optimus-laptop",
    "vgpu-server",
    "no-iommu",
    "demo",
    *MACHINES,
)


def place_of(name: str) -> Path:
    """Where a recording is kept."""
    return DEMO if name == "demo" else TESTS / "machines" / name


def describe(name: str) -> Machine:
    """The description of a machine, from the module of its name or from those that differ in their start."""
    if name in MACHINES:
        return MACHINES[name]
    machine = import_module(f"machines.describe.{name.replace('-', '_')}").MACHINE
    assert isinstance(machine, Machine)
    return machine


def write(name: str, folder: Path) -> None:
    """Write the recording into a folder that is not there yet."""
    machine = describe(name)
    tree = Tree(folder / "root")
    board = Board(tree, grouped=machine.grouped)
    machine.fill(board)
    tree.file("etc/machine-id", hashlib.md5(name.encode(), usedforsecurity=False).hexdigest())
    tree.file("dev/kvm")
    for unused in (*tree.folder.glob("proc/*/maps"), *tree.folder.glob("sys/module")):
        shutil.rmtree(unused) if unused.is_dir() else unused.unlink()
    _keep_empty_folders(tree.folder)
    (folder / "machine.toml").write_text(_settings(machine, board), encoding="utf-8")
    if machine.nvml:
        cards = [{"address": address, "name": title, "memory_mib": size} for address, title, size in machine.nvml]
        (folder / "nvml.json").write_text(json.dumps({"cards": cards}, indent=2) + "\n", encoding="utf-8")
    if machine.boots:
        (folder / "boots.json").write_text(json.dumps({"seconds_to_login": machine.boots}) + "\n", encoding="utf-8")
    _write_libvirt(machine, folder / "libvirt")


def _settings(machine: Machine, board: Board) -> str:
    lines = ["format = 1", f"title = {json.dumps(machine.title)}", "", "[names]"]
    lines += [
        f'"{vendor:04x}:{device:04x}" = {json.dumps([VENDORS[vendor], DEVICES[vendor, device]])}'
        for vendor, device in sorted(set(board.ids))
    ]
    return "\n".join(lines) + "\n"


def _write_libvirt(machine: Machine, folder: Path) -> None:
    (folder / "domains").mkdir(parents=True)
    (folder / "domain-capabilities").mkdir()
    (folder / "capabilities.xml").write_text(machine.daemon.capabilities(), encoding="utf-8")
    for name, words in machine.daemon.domain_capabilities().items():
        (folder / "domain-capabilities" / f"{name}.xml").write_text(words, encoding="utf-8")
    states = []
    for domain in machine.domains:
        (folder / "domains" / f"{domain.name}.xml").write_text(domain.text, encoding="utf-8")
        pids = f"pids = [{', '.join(str(pid) for pid in domain.pids)}]\n" if domain.pids else ""
        states.append(
            f'[{domain.uuid}]\nstate = "{domain.state}"\nmanaged_save = {str(domain.managed_save).lower()}\n'
            f"autostart = {str(domain.autostart).lower()}\n{pids}"
        )
    (folder / "domains.toml").write_text("\n".join(states), encoding="utf-8")


def _keep_empty_folders(root: Path) -> None:
    """Git keeps no empty folders; a hidden file inside does no harm to any reader."""
    for folder in sorted(path for path in root.rglob("*") if path.is_dir() and not path.is_symlink()):
        if not any(folder.iterdir()):
            (folder / ".keep").write_bytes(b"")


def main() -> None:
    """Renew every recording in its place."""
    for name in DESCRIBED:
        place = place_of(name)
        if place.exists():
            shutil.rmtree(place)
        place.mkdir(parents=True)
        write(name, place)
        sys.stdout.write(f"{place}\n")


if __name__ == "__main__":
    main()
