# SPDX-License-Identifier: GPL-3.0-or-later
"""Gather in build/helper everything that is installed once: the core, the bus door, and what the bus and polkit read.

The door is an archive of its own, so that it needs nothing of the core's file but to start it.
"""

from __future__ import annotations

import runpy
import shutil
import sys
import zipfile
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]
TARGET = REPOSITORY / "build" / "helper"
_CORE: dict[str, Any] = runpy.run_path(str(Path(__file__).with_name("build.py")))
_DOOR = "vitrail.helper.bus_door"
_MAIN = b"import sys\nfrom vitrail.helper.bus_door import main\nsys.exit(main())\n"
_DATE = (1980, 1, 1, 0, 0, 0)
_COPIED = (
    REPOSITORY / "packaging" / "helper" / "org.vitrail.Helper1.conf",
    REPOSITORY / "packaging" / "helper" / "org.vitrail.Helper1.service",
    REPOSITORY / "resources" / "polkit" / "org.vitrail.Helper1.policy",
)


def door_sources() -> dict[str, Path]:
    """Every file of the door's archive by its name in there."""
    todo, found = {_DOOR}, dict[str, Path]()
    while todo:
        module = todo.pop()
        path = _CORE["file_of"](module)
        if path is None or path in found.values():
            continue
        found[path.relative_to(_CORE["APP"]).as_posix()] = path
        todo |= _CORE["imported"](path)
    return found


def build_door(target: Path) -> None:
    """Write the archive: sorted, stored, one date."""
    contents = {name: path.read_bytes() for name, path in door_sources().items()} | {"__main__.py": _MAIN}
    with target.open("wb") as file:
        file.write(b"#!/usr/bin/python3 -I\n")
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
            for name in sorted(contents):
                info = zipfile.ZipInfo(name, _DATE)
                info.create_system, info.external_attr = 3, 0o100644 << 16
                archive.writestr(info, contents[name])
    target.chmod(0o755)


def gather(target: Path = TARGET) -> Path:
    """Make the folder anew."""
    target.mkdir(parents=True, exist_ok=True)
    _CORE["build"](target / "vitrail-helper.pyz")
    build_door(target / "vitrail-helper-bus")
    for path in _COPIED:
        shutil.copyfile(path, target / path.name)
    return target


if __name__ == "__main__":
    sys.stdout.write(f"{gather().relative_to(REPOSITORY)}\n")
