# SPDX-License-Identifier: GPL-3.0-or-later
"""This machine's files with those of the start that only root may read: the root helper lends them from its fixed list.

Many systems keep /boot to root, and a plan that could not see it would be a guess or none. Whatever this user may read
is read as ever; what was lent fills in, and nothing outside the start is asked for.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from errno import EFBIG, EINVAL, ENOENT
from functools import cached_property
from typing import NoReturn

from vitrail.source.root import MAX_FILE_BYTES, Root

_OF_THE_START = ("boot", "efi", "etc")


@dataclass(frozen=True, slots=True)
class Loan:
    """One path as root sees it: `kind` is link, folder, exists, text or base64."""

    kind: str
    value: str


Lend = Callable[[], Mapping[str, Loan]]
"""Asks for everything at once; empty where nothing is lent."""


class LentRoot(Root):
    """Reads `below` first; asks to be lent something at the first file of the start that is forbidden."""

    def __init__(self, below: Root, lend: Lend) -> None:
        self._below = below
        self._lend = lend

    @property
    def live(self) -> bool:
        return self._below.live

    @cached_property
    def _lent(self) -> Mapping[str, Loan]:
        return self._lend()

    @cached_property
    def _folders(self) -> dict[str, set[str]]:
        folders: dict[str, set[str]] = {}
        for path in self._lent:
            parent, _, name = path.rpartition("/")
            while name:
                folders.setdefault(parent, set()).add(name)
                parent, _, name = parent.rpartition("/")
        return folders

    def open(self, path: str) -> int | None:
        return self._below.open(path)

    def read_bytes(self, path: str, limit: int = MAX_FILE_BYTES) -> bytes:
        try:
            return self._below.read_bytes(path, limit)
        except PermissionError as error:
            loan = self._of(path, error)
        if loan is None:
            _fail(ENOENT, path)
        content = base64.b64decode(loan.value) if loan.kind == "base64" else loan.value.encode()
        if len(content) > limit:
            _fail(EFBIG, path)
        return content

    def names(self, path: str) -> tuple[str, ...]:
        try:
            return self._below.names(path)
        except PermissionError as error:
            self._of(path, error)
        if path not in self._folders:
            _fail(ENOENT, path)
        return tuple(sorted(self._folders[path]))

    def link(self, path: str) -> str:
        try:
            return self._below.link(path)
        except PermissionError as error:
            loan = self._of(path, error)
        if loan is None:
            _fail(ENOENT, path)
        if loan.kind != "link":
            _fail(EINVAL, path)
        return loan.value

    def resolve(self, path: str) -> str:
        try:
            return self._below.resolve(path)
        except PermissionError as error:
            loan = self._of(path, error)
        if loan is None and path not in self._folders:
            _fail(ENOENT, path)
        return path

    def _of(self, path: str, forbidden: PermissionError) -> Loan | None:
        """What was lent of this path; None: root sees that there is none. Raises the refusal where nothing is lent."""
        if path.partition("/")[0] not in _OF_THE_START or not self._lent:
            raise forbidden
        return self._lent.get(path)


def _fail(number: int, path: str) -> NoReturn:
    raise OSError(number, os.strerror(number), path)
