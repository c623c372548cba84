# SPDX-License-Identifier: GPL-3.0-or-later
"""Saves this machine as a recording, scrubbed. First a draft, whose contents can be shown; then exactly that draft."""

from __future__ import annotations

import json
import os
import tarfile
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from vitrail.model.boots import LastBoot
from vitrail.model.errors import Refused
from vitrail.model.reading import Known
from vitrail.model.text import text
from vitrail.source.gather import gather
from vitrail.source.nvml import NvmlCard
from vitrail.source.root import Root
from vitrail.source.scrub import Scrubber

_FIRST_PERSON = 1000
_NOBODY = 65534
_PASSWD_FIELDS = 3


@dataclass(frozen=True, slots=True)
class DomainText:
    """A domain as libvirt gives it, and what libvirt says of it besides."""

    name: str
    uuid: str
    text: str
    state: str | None = None
    managed_save: bool | None = None
    autostart: bool | None = None


@dataclass(frozen=True, slots=True)
class LibvirtTexts:
    """Documents of libvirt; those in pairs are (name, document)."""

    capabilities: str | None = None
    domain_capabilities: tuple[tuple[str, str], ...] = ()
    node_devices: tuple[tuple[str, str], ...] = ()
    domains: tuple[DomainText, ...] = ()


@dataclass(frozen=True, slots=True)
class Draft:
    """A recording that is not written yet."""

    files: Mapping[str, bytes]
    links: Mapping[str, str]
    folders: frozenset[str]

    @property
    def contents(self) -> tuple[tuple[str, int], ...]:
        """Every path that the recording will hold, with its size in bytes; links and folders have none."""
        sized = {**dict.fromkeys(self.folders, 0), **dict.fromkeys(self.links, 0)}
        sized |= {path: len(content) for path, content in self.files.items()}
        return tuple(sorted(sized.items()))


def plan_recording(
    root: Root,
    libvirt: LibvirtTexts | None = None,
    names: Mapping[str, tuple[str, str]] | None = None,
    cards: Iterable[NvmlCard] = (),
    boots: Iterable[LastBoot] = (),
) -> Draft:
    """What a recording of this machine would hold; nothing is written."""
    scrubber = Scrubber(_people(root), _hosts(root))
    gathered = gather(root, scrubber)
    files = {f"root/{path}": content for path, content in gathered.files.items()}
    files["machine.toml"] = _description(names or {})
    files |= _libvirt_files(libvirt or LibvirtTexts(), scrubber)
    known = [_card(card) for card in cards]
    if known:
        files["nvml.json"] = json.dumps({"cards": known}, indent=1).encode()
    # When a computer was used is its owner's affair; how long it takes to start is not.
    seconds = [boot.seconds_to_login for boot in boots if boot.seconds_to_login]
    if seconds:
        files["boots.json"] = json.dumps({"seconds_to_login": seconds}).encode()
    links = {f"root/{path}": target for path, target in gathered.links.items()}
    ends = files.keys() | links.keys()
    folders = {f"root/{path}" for path in gathered.folders}
    return Draft(files, links, frozenset(folders - ends))


def save_recording(draft: Draft, destination: Path) -> tuple[tuple[str, int], ...]:
    """Write the draft as .tar.xz, whole or not at all, and say what it holds. Raises Refused where a file stands."""
    if destination.exists():
        raise Refused(text("source.saving.exists", path=str(destination)), text("source.saving.other-name"))
    try:
        handle, name = tempfile.mkstemp(".tmp", ".vitrail-", destination.parent)
    except OSError as error:
        raise Refused(
            text("source.saving.failed", path=str(destination), error=error.strerror or str(error)),
            text("source.saving.other-name"),
        ) from error
    try:
        with os.fdopen(handle, "w+b") as file:
            with tarfile.open(fileobj=file, mode="w:xz", format=tarfile.PAX_FORMAT) as archive:
                for member, content in _members(draft):
                    archive.addfile(member, BytesIO(content))
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o644)
        Path(name).rename(destination)
    except OSError as error:
        Path(name).unlink(missing_ok=True)
        raise Refused(
            text("source.saving.failed", path=str(destination), error=error.strerror or str(error)),
            text("source.saving.other-name"),
        ) from error
    return draft.contents


def _members(draft: Draft) -> Iterator[tuple[tarfile.TarInfo, bytes]]:
    for path, _ in draft.contents:
        member = tarfile.TarInfo(path)
        content = draft.files.get(path, b"")
        if path in draft.links:
            member.type, member.linkname = tarfile.SYMTYPE, draft.links[path]
        elif path in draft.folders:
            member.type, member.mode = tarfile.DIRTYPE, 0o755
        else:
            member.size = len(content)
        yield member, content


def _description(names: Mapping[str, tuple[str, str]]) -> bytes:
    lines = ["format = 1", ""]
    if names:
        lines += [
            "[names]",
            *(f'"{key}" = [{_quoted(maker)}, {_quoted(device)}]' for key, (maker, device) in names.items()),
        ]
    return "\n".join([*lines, ""]).encode()


def _quoted(words: str) -> str:
    # JSON's strings are TOML's basic strings, but for the DEL character.
    return json.dumps(words, ensure_ascii=True).replace("\x7f", "\\u007f")


def _libvirt_files(libvirt: LibvirtTexts, scrubber: Scrubber) -> dict[str, bytes]:
    files = {}
    if libvirt.capabilities is not None:
        files["libvirt/capabilities.xml"] = scrubber.document(libvirt.capabilities).encode()
    pairs = [("domain-capabilities", name, words) for name, words in libvirt.domain_capabilities]
    pairs += [("node-devices", name, words) for name, words in libvirt.node_devices]
    for folder, name, words in pairs:
        files[f"libvirt/{folder}/{_file_name(scrubber.ids(name))}.xml"] = scrubber.document(words).encode()
    lines = []
    for number, domain in enumerate(libvirt.domains, start=1):
        files[f"libvirt/domains/{number:04d}.xml"] = scrubber.document(domain.text).encode()
        lines += [f"[{_quoted(scrubber.ids(domain.uuid) or domain.name)}]", *_settings(domain), ""]
    if lines:
        files["libvirt/domains.toml"] = "\n".join(lines).encode()
    return files


def _settings(domain: DomainText) -> list[str]:
    lines = [] if domain.state is None else [f"state = {_quoted(domain.state)}"]
    for key, value in (("managed_save", domain.managed_save), ("autostart", domain.autostart)):
        if value is not None:
            lines.append(f"{key} = {str(value).lower()}")
    return lines


def _file_name(name: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "._-" else "_" for letter in name).lstrip(".") or "_"


def _card(card: NvmlCard) -> dict[str, Any]:
    return {
        "address": str(card.address),
        "name": card.name.value if isinstance(card.name, Known) else None,
        "memory_mib": card.memory_mib.value if isinstance(card.memory_mib, Known) else None,
    }


def _people(root: Root) -> list[str]:
    people = []
    for line in _said(root, "etc/passwd").split("\n"):
        fields = line.split(":")
        if len(fields) > _PASSWD_FIELDS and fields[2].isdigit() and _FIRST_PERSON <= int(fields[2]) < _NOBODY:
            people += [fields[0], *fields[4:5]]
    return [name.strip(", ") for name in people if name.strip(", ")]


def _hosts(root: Root) -> list[str]:
    full = (_said(root, "proc/sys/kernel/hostname"), _said(root, "etc/hostname"))
    return sorted({part for name in full for part in (name.strip(), name.strip().partition(".")[0]) if part})


def _said(root: Root, path: str) -> str:
    try:
        return root.read(path)
    except OSError:
        return ""
