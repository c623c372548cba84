# SPDX-License-Identifier: GPL-3.0-or-later
"""The domains of a recording, one for each VM, however the files were collected.

Separate from the store because a recording is no libvirt: two files may tell of one VM (as it ran and as it is
defined), a definition made by hand has no UUID, and a damaged file stands among good ones. What is not read is still
told, by its file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from uuid import NAMESPACE_URL, uuid5

from vitrail.model.errors import Unreadable
from vitrail.model.reading import Known, Reading, Unknown
from vitrail.model.text import Text, text
from vitrail.source.documents import DocumentKind
from vitrail.source.recording import Recording

_UUID = re.compile(r"[0-9a-f]{8}(?:-?[0-9a-f]{4}){3}-?[0-9a-f]{12}")
_OWN_NAMES = "https://libvirt.org/formatdomain.html#"
"""What the UUIDs of VMs without one are made from, with the VM's name behind it."""


@dataclass(frozen=True, slots=True)
class RecordedDomain:
    """One VM, or one file that is none; then `uuid` is empty and `name` is the file."""

    file: str
    uuid: str
    name: str
    text: Reading[str]
    seen_running: bool = False
    """Whether the text is what a running VM had: only that has an id."""
    was_running: bool = False
    """Whether any file tells that it ran."""


def recorded_domains(recording: Recording) -> tuple[RecordedDomain, ...]:
    """Every VM of the recording, and every file that tells of none though it should."""
    found: dict[str, RecordedDomain] = {}
    for file in recording.documents(DocumentKind.DOMAIN):
        domain = _read(recording, file)
        key = domain.uuid.replace("-", "") or domain.file
        if key in found:
            found[key], left = _one_of(found[key], domain)
            if left is not None:
                found[left.file] = left
        else:
            found[key] = domain
    return tuple(found.values())


def _read(recording: Recording, file: str) -> RecordedDomain:
    from vitrail.xmldoc.document import parse_domain  # noqa: PLC0415 - lxml, only where there is a VM

    try:
        words = recording.document(file)
        root = parse_domain(words)
    except Unreadable as error:
        return _unreadable(file, error.what)
    name, uuid = root.value("name"), root.value("uuid").lower()
    if not name:
        return _unreadable(file, text("service.recording.no-name"))
    if not uuid:
        uuid = str(uuid5(NAMESPACE_URL, _OWN_NAMES + name))
        words = _with_uuid(words, uuid)
    elif _UUID.fullmatch(uuid) is None:
        return _unreadable(file, text("service.recording.bad-uuid", uuid=uuid))
    runs = root.get("id") not in (None, "", "-1")
    source = f"{recording.path} {file}"
    return RecordedDomain(file, uuid, name, Known(words, source), seen_running=runs, was_running=runs)


def _with_uuid(words: str, uuid: str) -> str:
    """The definition with a UUID behind its name, as libvirt gives one when it defines a VM."""
    from vitrail.xmldoc.document import parse_domain  # noqa: PLC0415 - as above
    from vitrail.xmldoc.edits import Element, Insert, Remove  # noqa: PLC0415 - as above
    from vitrail.xmldoc.splice import edit  # noqa: PLC0415 - as above

    root = parse_domain(words)
    empty = tuple(Remove(node.path) for node in root.all("uuid"))
    name = root.find("name")
    after = None if name is None else name.path[-1]
    return edit(words, (*empty, Insert(root.path, after, Element("uuid", text=uuid))))


def _one_of(first: RecordedDomain, second: RecordedDomain) -> tuple[RecordedDomain, RecordedDomain | None]:
    """Two files with one UUID as one VM, and the file that fits nowhere.

    The definition is taken before what was seen of it while it ran: only that is ever changed.
    """
    if first.name == second.name and isinstance(first.text, Known) and isinstance(second.text, Known):
        if first.text.value == second.text.value:
            return first, None
        if first.seen_running != second.seen_running:
            return replace(second if first.seen_running else first, was_running=True), None
    return first, _unreadable(second.file, text("service.recording.same-uuid", file=first.file, uuid=first.uuid))


def _unreadable(file: str, why: Text) -> RecordedDomain:
    return RecordedDomain(file, "", file, Unknown(why))
