# SPDX-License-Identifier: GPL-3.0-or-later
"""What is left out of the files of a start before anybody but root, or any recording, sees them.

Separate because both the recording and the root helper hand such files on: GRUB's password hashes are root's alone, and
of a generated grub.cfg only what it can do is of interest.
"""

from __future__ import annotations

import re

MASK = "masked"
_GRUB_PASSWORD = re.compile(r"(?im)^([ \t]*password(?:_pbkdf2)?[ \t]+)\S+([ \t]+)[^\s#]+")
_GRUB_HASH = re.compile(r"\bgrub\.pbkdf2\.\S+")
_GRUB_USERS = re.compile(r"(?im)^([ \t]*(?:set[ \t]+superusers=|GRUB_SUPERUSERS=))(\"[^\"\n]*\"|'[^'\n]*'|[^\s;]+)")
_ENTRY_USERS = re.compile(r"(?m)(--users[ \t]+)(\"[^\"\n]*\"|'[^'\n]*'|[^\s{]+)")
_LOADED = frozenset({"linux", "linux16", "linuxefi", "initrd", "initrd16", "initrdefi"})
_SIGNS = ("next_entry", "load_env", "custom.cfg", "blscfg", "superusers")


def without_passwords(words: str) -> str:
    """A loader's configuration without passwords, their hashes, and the names that they belong to."""
    words = _GRUB_PASSWORD.sub(rf"\1{MASK}\2{MASK}", words)
    words = _GRUB_USERS.sub(rf'\1"{MASK}"', words)
    words = _ENTRY_USERS.sub(rf"\1{MASK}", words)
    return _GRUB_HASH.sub(MASK, words)


def signs_of(words: str) -> str:
    """The lines of a generated grub.cfg that tell what it loads, and whether it reads one-shots and further entries."""
    lines = [line for line in words.split("\n") if line.split()[:1] and _is_sign(line)]
    return without_passwords("".join(f"{line}\n" for line in lines))


def _is_sign(line: str) -> bool:
    return line.split(maxsplit=1)[0] in _LOADED or any(sign in line for sign in _SIGNS)
