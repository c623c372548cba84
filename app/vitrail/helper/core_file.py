# SPDX-License-Identifier: GPL-3.0-or-later
"""The core's own file: what it runs from, or, in a checkout, what packaging makes of the same sources.

zipapp writes the time of building into its archive, so the archive is made here: sorted, stored, one date. Only the
modules that the helper imports are in it.
"""

from __future__ import annotations

import ast
import io
import zipfile
from functools import cache
from pathlib import Path

from vitrail.model.host_wire import Kind, Refusal

_SHEBANG = b"#!/usr/bin/python3 -IS\n"
_MAIN = b"import sys\nfrom vitrail.helper.main import main\nsys.exit(main())\n"
_FIRST = "vitrail.helper.main"
_DATE = (1980, 1, 1, 0, 0, 0)


def running_core() -> bytes:
    """The file that this helper is. Raises Refusal where it cannot be read."""
    try:
        archive = getattr(__spec__.loader, "archive", None) if __spec__ is not None else None
        if archive is not None:
            return Path(archive).read_bytes()
        return packed(Path(__file__).resolve().parents[2])
    except (OSError, SyntaxError, UnicodeDecodeError) as error:
        raise Refusal(Kind.NO_CORE) from error


@cache
def packed(app: Path) -> bytes:
    """The core of the sources in this folder, as they were when it was first asked for: the same give the same."""
    contents = {name: path.read_bytes() for name, path in sources(app, _FIRST).items()} | {"__main__.py": _MAIN}
    return archive_of(contents, _SHEBANG)


def archive_of(contents: dict[str, bytes], shebang: bytes) -> bytes:
    """A Python archive of these files that says itself what runs it."""
    stream = io.BytesIO()
    stream.write(shebang)
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(contents):
            info = zipfile.ZipInfo(name, _DATE)
            info.create_system, info.external_attr = 3, 0o100644 << 16
            archive.writestr(info, contents[name])
    return stream.getvalue()


def sources(app: Path, first: str) -> dict[str, Path]:
    """Every file that a module needs of ours, by its name in the archive."""
    todo = {first}
    found: dict[str, Path] = {}
    while todo:
        module = todo.pop()
        path = _file_of(app, module)
        if path is None or path in found.values():
            continue
        found[path.relative_to(app).as_posix()] = path
        todo |= _imported(path)
    return found


def _file_of(app: Path, module: str) -> Path | None:
    """The source of a module of ours, None where it is none."""
    base = app.joinpath(*module.split("."))
    return next((path for path in (base / "__init__.py", base.with_suffix(".py")) if path.is_file()), None)


def _imported(path: Path) -> set[str]:
    """Every module of ours that a source imports, and the packages they are in."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    ours = {name for name in names if name.split(".")[0] == "vitrail"}
    return {".".join(name.split(".")[: depth + 1]) for name in ours for depth in range(name.count(".") + 1)}
