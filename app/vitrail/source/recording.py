# SPDX-License-Identifier: GPL-3.0-or-later
"""Opens a recorded machine: a folder, read lazily, or an archive, read into bounded memory.

Layout: `machine.toml` (`format = 1`; `title`; `[names]`), `root/` (what the readers read), `libvirt/` with libvirt's
documents, told apart by their root element, and domains.toml, `nvml.json` and `boots.json`. Only the first is required.
"""

from __future__ import annotations

import json
import re
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vitrail.model.boots import LastBoot
from vitrail.model.errors import Unreadable
from vitrail.model.text import text
from vitrail.source.documents import DocumentKind, find_documents
from vitrail.source.nvml import RecordedNvml
from vitrail.source.root import FolderRoot, MemoryRoot, Root

FORMAT = 1
DESCRIPTION = "machine.toml"
_ID = re.compile(r"[0-9a-f]{4}:[0-9a-f]{4}")
_PAIR = 2
_MOST_SECONDS = 24 * 60 * 60


@dataclass(frozen=True, slots=True)
class Recording:
    """An opened recording. `root` stands for the recorded machine's `/`."""

    path: Path
    root: Root
    title: str | None
    names: Mapping[str, tuple[str, str]]
    """Names of devices, by `vvvv:dddd`: the maker's and the device's."""
    nvml: RecordedNvml | None
    boots: tuple[LastBoot, ...]
    """The last starts, newest first; of one that was recorded only how long it took is kept."""
    domains: Mapping[str, Mapping[str, Any]]
    """What domains.toml says, by the domain's uuid or name: state, managed_save, autostart, pids."""
    _top: Root

    @property
    def tells_vms(self) -> bool:
        """Whether libvirt was asked for its VMs when this was recorded, so that none means none."""
        kinds = (DocumentKind.DOMAIN, DocumentKind.CAPABILITIES)
        found = find_documents(self._top)
        return any(found[kind] for kind in kinds) or self._top.exists("libvirt/domains")

    def documents(self, kind: DocumentKind) -> tuple[str, ...]:
        """Where the documents of a kind lie in the recording."""
        return find_documents(self._top)[kind]

    def document(self, path: str) -> str:
        """One document. Raises Unreadable where it cannot be read."""
        try:
            return self._top.read_bytes(path).decode("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise Unreadable(
                text("source.recording.document", path=str(self.path), name=path, error=_said(error)),
                text("source.recording.made-by"),
            ) from error


def open_recording(path: Path) -> Recording:
    """The recording at this path. Raises Unreadable with what is wrong and what to do."""
    mode = _mode(path)
    if stat.S_ISDIR(mode):
        top: Root = FolderRoot(path)
        root: Root = FolderRoot(path / "root")
    elif stat.S_ISREG(mode):
        top, root = _open_archive(path)
    else:
        raise Unreadable(text("source.recording.missing", path=str(path)), text("source.recording.check-path"))
    settings = _read_settings(path, top)
    if isinstance(root, FolderRoot) and (path / "root").is_symlink():
        raise Unreadable(
            text("source.recording.refused", path=str(path), why=text("source.recording.link-leaves", name="root")),
            text("source.recording.made-by"),
        )
    title = settings.get("title")
    return Recording(
        path=path,
        root=root,
        title=title if isinstance(title, str) else None,
        names=_read_names(path, settings.get("names", {})),
        nvml=_read_nvml(path, top),
        boots=_read_boots(path, top),
        domains=_read_domains(path, top),
        _top=top,
    )


def _said(error: Exception) -> str:
    return error.strerror or str(error) if isinstance(error, OSError) else str(error)


def _mode(path: Path) -> int:
    """What kind of file is there, 0 for none. Raises Unreadable where that may not be seen."""
    try:
        return path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return 0
    except OSError as error:
        why = text("source.recording.io", error=error.strerror or str(error))
        raise Unreadable(
            text("source.recording.refused", path=str(path), why=why), text("source.recording.check-path")
        ) from error


def _open_archive(path: Path) -> tuple[Root, Root]:
    from vitrail.source.archive import read_archive  # noqa: PLC0415 - the decompressor is loaded for archives only

    archive = read_archive(path)
    tops = {name.partition("/")[0] for name in archive.files}
    wrapped = DESCRIPTION not in archive.files and len(tops) == 1 and f"{next(iter(tops))}/{DESCRIPTION}"
    start = f"{next(iter(tops))}/" if wrapped and wrapped in archive.files else ""
    inside = f"{start}root/"
    top_files = {
        name.removeprefix(start): content
        for name, content in archive.files.items()
        if name.startswith(start) and not name.startswith(inside)
    }
    files = {name.removeprefix(inside): body for name, body in archive.files.items() if name.startswith(inside)}
    links = {name.removeprefix(inside): target for name, target in archive.links.items() if name.startswith(inside)}
    folders = {name.removeprefix(inside) for name in archive.folders if name.startswith(inside)}
    return MemoryRoot(top_files, {}), MemoryRoot(files, links, folders)


def _read_toml(path: Path, top: Root, name: str) -> dict[str, Any]:
    try:
        return tomllib.loads(top.read_bytes(name).decode("utf-8"))
    except FileNotFoundError as error:
        raise Unreadable(
            text("source.recording.no-description", path=str(path)), text("source.recording.made-by")
        ) from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise Unreadable(
            text("source.recording.document", path=str(path), name=name, error=_said(error)),
            text("source.recording.made-by"),
        ) from error


def _read_settings(path: Path, top: Root) -> dict[str, Any]:
    settings = _read_toml(path, top, DESCRIPTION)
    number = settings.get("format")
    if type(number) is not int or number != FORMAT:
        shown = "-" if number is None else str(number)
        raise Unreadable(
            text("source.recording.format", path=str(path), found=shown, known=FORMAT),
            text("source.recording.update"),
        )
    return settings


def _read_names(path: Path, table: object) -> dict[str, tuple[str, str]]:
    names: dict[str, tuple[str, str]] = {}
    for key, value in table.items() if isinstance(table, dict) else [("names", table)]:
        pair = [part for part in value if isinstance(part, str)] if isinstance(value, list) else []
        if not _ID.fullmatch(key) or len(pair) != _PAIR:
            raise Unreadable(
                text("source.recording.bad-name", path=str(path), key=key), text("source.recording.name-form")
            )
        names[key] = (pair[0], pair[1])
    return names


def _read_nvml(path: Path, top: Root) -> RecordedNvml | None:
    if not top.exists("nvml.json"):
        return None
    try:
        return RecordedNvml(json.loads(top.read_bytes("nvml.json")))
    except (OSError, ValueError, RecursionError) as error:
        raise Unreadable(
            text("source.recording.document", path=str(path), name="nvml.json", error=_said(error)),
            text("source.recording.made-by"),
        ) from error


def _read_boots(path: Path, top: Root) -> tuple[LastBoot, ...]:
    if not top.exists("boots.json"):
        return ()
    try:
        seconds = json.loads(top.read_bytes("boots.json"))["seconds_to_login"]
        return tuple(LastBoot(None, None, int(one)) for one in seconds if 0 < int(one) < _MOST_SECONDS)
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise Unreadable(
            text("source.recording.document", path=str(path), name="boots.json", error=_said(error)),
            text("source.recording.made-by"),
        ) from error


def _read_domains(path: Path, top: Root) -> dict[str, dict[str, Any]]:
    if not top.exists("libvirt/domains.toml"):
        return {}
    table = _read_toml(path, top, "libvirt/domains.toml")
    return {key: value for key, value in table.items() if isinstance(value, dict)}
