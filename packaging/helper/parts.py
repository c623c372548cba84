# SPDX-License-Identifier: GPL-3.0-or-later
"""Gather in build/helper everything that is installed once: the core, the bus door, and what the bus and polkit read.

The door is an archive of its own, so that it needs nothing of the core's file but to start it.
"""

from __future__ import annotations

import runpy
import shutil
import sys
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]
TARGET = REPOSITORY / "build" / "helper"
_CORE: dict[str, Any] = runpy.run_path(str(Path(__file__).with_name("build.py")))

from vitrail.helper.core_file import archive_of, sources  # noqa: E402 - the line before says where it is

_DOOR = "vitrail.helper.bus_door"
_MAIN = b"import sys\nfrom vitrail.helper.bus_door import main\nsys.exit(main())\n"
_COPIED = (
    REPOSITORY / "packaging" / "helper" / "org.vitrail.Helper1.conf",
    REPOSITORY / "packaging" / "helper" / "org.vitrail.Helper1.service",
    REPOSITORY / "resources" / "polkit" / "org.vitrail.Helper1.policy",
)


def build_door(target: Path) -> None:
    """Write the archive, as the core's is made."""
    contents = {name: path.read_bytes() for name, path in sources(_CORE["APP"], _DOOR).items()}
    target.write_bytes(archive_of(contents | {"__main__.py": _MAIN}, b"#!/usr/bin/python3 -I\n"))
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
