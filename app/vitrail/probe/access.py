# SPDX-License-Identifier: GPL-3.0-or-later
"""Who asks here, what that user may already do, and what confines VMs. Read for a plan, never for a look."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from vitrail.model.access import Access, Person
from vitrail.model.boot import BootFile
from vitrail.model.permission import (
    APPARMOR_RULES,
    LIMITS,
    SELINUX_CONFIG,
    VFIO_RULES,
    HostGroup,
    local_labels,
    session_limit,
)
from vitrail.model.reading import Known, Reading, Unknown
from vitrail.model.text import text
from vitrail.probe.unread import garbled, is_missing, read_words, shown_path, unread

if TYPE_CHECKING:
    from vitrail.source.root import Root

_USERS = "etc/passwd"
_GROUPS = "etc/group"
_LIMITS = "proc/self/limits"
_APPARMOR = "sys/module/apparmor/parameters/enabled"
_SELINUX = "sys/fs/selinux/enforce"
_RENDER = "dev/dri"
_LOCKED = re.compile(r"^Max locked memory +\S+ +(unlimited|[0-9]{1,20}) ", re.MULTILINE | re.ASCII)
_MIB = 1024 * 1024
_USER_FIELDS = 7
_GROUP_FIELDS = 4
_NOBODY = Unknown(text("probe.access.nobody"))


def read_access(root: Root, *, session: bool, uid: int | None) -> Access:
    """What permissions rest on. `uid`: the user's own number, None where nobody is at this machine (a recording)."""
    person: Reading[Person] = _NOBODY if uid is None else _person(root, uid)
    paths = [APPARMOR_RULES]
    if isinstance(person, Known):
        paths += [VFIO_RULES, LIMITS, session_limit(person.value.uid)]
    return Access(
        session=session,
        person=person,
        locked_mib=_NOBODY if uid is None else _locked(root),
        draws=_NOBODY if uid is None else _draws(root),
        asked=_asked(root, person),
        apparmor=_switch(root, _APPARMOR, "Y"),
        selinux=_switch(root, _SELINUX, "1"),
        labels=_labels(root),
        files=tuple(BootFile(path, _content(root, path)) for path in paths),
    )


def _person(root: Root, uid: int) -> Reading[Person]:
    users, groups = read_words(root, _USERS), read_words(root, _GROUPS)
    if isinstance(users, Unknown):
        return users
    if isinstance(groups, Unknown):
        return groups
    rows = [row for line in users.value.split("\n") if len(row := line.split(":")) == _USER_FIELDS]
    mine = next((row for row in rows if row[2] == str(uid)), None)
    if mine is None:
        return Unknown(text("probe.access.not-listed", uid=uid, path=shown_path(_USERS)))
    lists = [row for line in groups.value.split("\n") if len(row := line.split(":")) == _GROUP_FIELDS]
    names = tuple(row[0] for row in lists if mine[0] in row[3].split(",") or row[2] == mine[3])
    return Known(Person(mine[0], uid, names), users.source)


def _asked(root: Root, person: Reading[Person]) -> Reading[bool]:
    if isinstance(person, Unknown):
        return person
    groups = read_words(root, _GROUPS)
    if isinstance(groups, Unknown):
        return groups
    group = HostGroup.LIBVIRT.value
    there = any(line.startswith(f"{group}:") for line in groups.value.split("\n"))
    return Known(there and person.value.uid != 0 and group not in person.value.groups, groups.source)


def _locked(root: Root) -> Reading[int | None]:
    words = read_words(root, _LIMITS)
    if isinstance(words, Unknown):
        return words
    found = _LOCKED.search(words.value)
    if found is None:
        return garbled(_LIMITS, words.value)
    return Known(None if found[1] == "unlimited" else int(found[1]) // _MIB, words.source)


def _draws(root: Root) -> Reading[bool]:
    try:
        nodes = [name for name in root.names(_RENDER) if name.startswith("renderD")]
    except OSError as error:
        return Known(value=True, source=shown_path(_RENDER)) if is_missing(error) else unread(root, _RENDER, error)
    may = all(os.access(f"/{_RENDER}/{name}", os.R_OK | os.W_OK) for name in nodes)
    return Known(may, shown_path(_RENDER))


def _switch(root: Root, path: str, on: str) -> Reading[bool]:
    """Something of the kernel's that is on or off, and off where the kernel has none of it."""
    try:
        return Known(root.read(path).strip() == on, shown_path(path))
    except OSError as error:
        return Known(value=False, source=shown_path(path)) if is_missing(error) else unread(root, path, error)


def _labels(root: Root) -> Reading[str]:
    config = read_words(root, SELINUX_CONFIG)
    if isinstance(config, Unknown):
        return config
    path = local_labels(config.value)
    if path is None:
        return garbled(SELINUX_CONFIG, config.value)
    content = _content(root, path)
    return content if isinstance(content, Unknown) else Known(content.value or "", content.source)


def _content(root: Root, path: str) -> Reading[str | None]:
    try:
        return Known(root.read_bytes(path).decode("utf-8", "surrogateescape"), shown_path(path))
    except OSError as error:
        return Known(None, shown_path(path)) if is_missing(error) else unread(root, path, error)
