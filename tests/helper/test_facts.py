# SPDX-License-Identifier: GPL-3.0-or-later
"""What root reads for a desktop that may not: files and links of a start, and nothing in them that is root's alone."""

from __future__ import annotations

import shutil
from pathlib import Path

from helper.bench import ask, line, make_machine
from machines.build import place_of

SECRETS = 'set superusers="carol"\npassword_pbkdf2 carol grub.pbkdf2.sha512.10000.AB\n'


def told(machine: Path) -> dict[str, dict[str, str]]:
    entries: dict[str, dict[str, str]] = {}
    after = None
    while True:
        (answer,) = ask(machine, line("facts", after=after))
        entries |= {entry["path"]: entry for entry in answer["result"]["entries"]}
        after = answer["result"]["next"]
        if after is None:
            return entries


def test_the_menus_passwords_stay_with_root(tmp_path: Path) -> None:
    machine = make_machine(tmp_path / "machine")
    (machine / "boot/grub").mkdir(parents=True, exist_ok=True)
    (machine / "boot/grub/custom.cfg").write_text(f"# mine\n{SECRETS}")
    (machine / "boot/grub/grub.cfg").write_text(f"load_env\n{SECRETS}menuentry 'x' {{\n}}\n")
    entries = told(machine)
    shown = 'set superusers="masked"\n'
    assert entries["boot/grub/custom.cfg"]["value"] == f"# mine\n{shown}password_pbkdf2 masked masked\n"
    assert entries["boot/grub/grub.cfg"]["value"] == f"load_env\n{shown}"


def test_what_a_start_lies_on_is_told_by_its_links(tmp_path: Path) -> None:
    machine = tmp_path / "machine"
    shutil.copytree(place_of("fedora-sealed") / "root", machine, symlinks=True)
    entries = told(machine)
    assert entries["dev/mapper/vault"] == {"path": "dev/mapper/vault", "kind": "link", "value": "../dm-0"}
    assert entries["sys/dev/block/253:0"]["kind"] == "link"
    assert entries["sys/devices/virtual/block/dm-0/slaves/sda3"]["kind"] == "link"
    assert entries["proc/self/mountinfo"]["value"].startswith("30 1 ")
    assert entries["etc/crypttab"]["value"].startswith("vault UUID=")
