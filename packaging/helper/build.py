# SPDX-License-Identifier: GPL-3.0-or-later
"""Make build/vitrail-helper.pyz: the helper and the modules it imports, the same bytes from the same sources.

zipapp itself writes the time of building into the archive, so the archive is written here: sorted, stored, one date.
"""

from __future__ import annotations

import ast
import sys
import zipfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
APP = REPOSITORY / "app"
TARGET = REPOSITORY / "build" / "vitrail-helper.pyz"
SHEBANG = b"#!/usr/bin/python3 -IS\n"
MAIN = b"import sys\nfrom vitrail.helper.main import main\nsys.exit(main())\n"
_DATE = (1980, 1, 1, 0, 0, 0)


def file_of(module: str) -> Path | None:
    """The source of a module of ours, None where it is none."""
    base = APP.joinpath(*module.split("."))
    return next((path for path in (base / "__init__.py", base.with_suffix(".py")) if path.is_file()), None)


def imported(path: Path) -> set[str]:
    """Every module of ours that a source imports, and the packages they are in."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    ours = {name for name in names if name.split(".")[0] == "vitrail"}
    return {".".join(name.split(".")[: depth + 1]) for name in ours for depth in range(name.count(".") + 1)}


def sources() -> dict[str, Path]:
    """Every file of the archive by its name in there."""
    todo = {"vitrail.helper.main"}
    found: dict[str, Path] = {}
    while todo:
        module = todo.pop()
        path = file_of(module)
        if path is None or path in found.values():
            continue
        found[path.relative_to(APP).as_posix()] = path
        todo |= imported(path)
    return found


def build(target: Path = TARGET) -> Path:
    """Write the archive."""
    target.parent.mkdir(parents=True, exist_ok=True)
    contents = {name: path.read_bytes() for name, path in sources().items()} | {"__main__.py": MAIN}
    temporary = target.with_suffix(".tmp")
    with temporary.open("wb") as file:
        file.write(SHEBANG)
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
            for name in sorted(contents):
                info = zipfile.ZipInfo(name, _DATE)
                info.create_system, info.external_attr = 3, 0o100644 << 16
                archive.writestr(info, contents[name])
    temporary.chmod(0o755)
    return temporary.replace(target)


if __name__ == "__main__":
    sys.stdout.write(f"{build().relative_to(REPOSITORY)}\n")
