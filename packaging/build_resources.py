# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds what is shipped but not kept in the repository: the message catalogues and the packed demo machine.

A hatch build hook, and a program of its own for `./dev`. A wheel carries resources/ inside the package; an editable
install leaves it in the checkout, so there only the catalogues are written.
"""

from __future__ import annotations

import lzma
import os
import runpy
import stat
import sys
import tarfile
import tempfile
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:
    # As a program of its own it needs Babel only: an installed checkout has no build backend.
    class BuildHookInterface:
        """Stands in where nothing is being packed."""


REPOSITORY = Path(__file__).resolve().parent.parent
_INSIDE = "vitrail/resources"
_NEVER_SHIPPED = {".po", ".pot"}


class BuildHook(BuildHookInterface):
    """Adds what the targets need to what hatchling collects itself."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called before the files are collected; `version` is `standard` or `editable`."""
        repository = Path(self.root)
        build_catalogues(repository)
        if version == "editable":
            return
        packed = packed_demo(repository)
        if self.target_name == "wheel":
            build_data["force_include"].update(shipped(repository, packed) | helper_parts(repository))
        elif packed is not None:
            build_data["force_include"][str(packed)] = "resources/demo.tar.xz"


def build_catalogues(repository: Path = REPOSITORY) -> tuple[Path, ...]:
    """Write one vitrail.mo a language, merged from all of its .po files; an id in two of them stops the build."""
    folders = sorted(path for path in (repository / "resources" / "translations").iterdir() if path.is_dir())
    written = []
    for folder in folders:
        content = BytesIO()
        write_mo(content, merged_catalogue(folder))
        target = folder / "LC_MESSAGES" / "vitrail.mo"
        _write(target, content.getvalue())
        written.append(target)
    return tuple(written)


def merged_catalogue(folder: Path) -> Catalog:
    """All messages of one language's folder. The dates in its head are fixed, so equal input gives equal bytes."""
    epoch = datetime.fromtimestamp(0, UTC)
    whole = Catalog(locale=folder.name, creation_date=epoch, revision_date=epoch, fuzzy=False)
    origin: dict[object, str] = {}
    for path in sorted(folder.glob("*.po")):
        with path.open("rb") as stream:
            part = read_po(stream, locale=folder.name, abort_invalid=True)
        for message in part:
            if not message.id:
                continue
            first = message.id[0] if isinstance(message.id, (list, tuple)) else message.id
            if first in origin:
                raise SystemExit(f"{path.name}: {first} is already in {origin[first]}")
            origin[first] = path.name
            if not message.fuzzy:
                whole[message.id] = message
    return whole


def packed_demo(repository: Path) -> Path | None:
    """resources/demo as a .tar.xz whose bytes depend on its content only; None where there is no demo machine."""
    ready = repository / "resources" / "demo.tar.xz"
    folder = repository / "resources" / "demo"
    if not (folder / "machine.toml").is_file():
        return ready if ready.is_file() else None
    content = BytesIO()
    with tarfile.open(fileobj=content, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path in sorted(folder.rglob("*")):
            _add(archive, path, path.relative_to(folder).as_posix())
    target = repository / "build" / "resources" / "demo.tar.xz"
    _write(target, lzma.compress(content.getvalue(), preset=6))
    return target


def _add(archive: tarfile.TarFile, path: Path, name: str) -> None:
    member = tarfile.TarInfo(name)
    mode = path.lstat().st_mode
    if stat.S_ISLNK(mode):
        member.type, member.linkname = tarfile.SYMTYPE, os.readlink(path)  # noqa: PTH115 - as it is written
        archive.addfile(member)
    elif stat.S_ISDIR(mode):
        member.type, member.mode = tarfile.DIRTYPE, 0o755
        archive.addfile(member)
    else:
        content = path.read_bytes()
        member.size, member.mode = len(content), 0o644
        archive.addfile(member, BytesIO(content))


def shipped(repository: Path, packed: Path | None) -> dict[str, str]:
    """What a wheel carries in vitrail/resources, file by file: .gitignore hides the built ones from hatchling."""
    root = repository / "resources"
    files = {
        str(path): f"{_INSIDE}/{path.relative_to(root).as_posix()}"
        for path in sorted(root.rglob("*"))
        if path.is_file()
        and not path.is_symlink()
        and path.suffix not in _NEVER_SHIPPED
        and path.relative_to(root).parts[0] not in ("demo", "demo.tar.xz")
        and not path.name.startswith(".")
    }
    if packed is not None:
        files[str(packed)] = f"{_INSIDE}/demo.tar.xz"
    return files


def helper_parts(repository: Path) -> dict[str, str]:
    """What is installed once as root, gathered for vitrail/resources/helper."""
    folder = runpy.run_path(str(repository / "packaging" / "helper" / "parts.py"))["gather"]()
    return {str(path): f"{_INSIDE}/helper/{path.name}" for path in sorted(folder.iterdir())}


def _write(target: Path, content: bytes) -> None:
    # Renamed into place: a running Vitrail, or a second build, never sees half a file.
    if target.is_file() and target.read_bytes() == content:
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=target.parent, prefix=".vitrail-", delete=False) as stream:
        stream.write(content)
    Path(stream.name).chmod(0o644)
    Path(stream.name).replace(target)


if __name__ == "__main__":
    for built in build_catalogues():
        sys.stdout.write(f"{built.relative_to(REPOSITORY)}\n")
