# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes a machine's words fit to be given away: whatever names a person, a place or one single device is replaced.

Each value gets one stand-in, the same wherever it occurs, so what hangs together still does. Separate from the saving,
so that a canary test can hunt values through it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from vitrail.model.masking import MASK, without_passwords

_UUID = re.compile(r"\b[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\b")
_LONG_ID = re.compile(r"\b[0-9a-fA-F]{32}\b")
_MAC = re.compile(r"\b(?:[0-9a-fA-F]{2}[:-]){5}[0-9a-fA-F]{2}\b")
_MAC_IN_NAME = re.compile(r"\b((?:en|wl|ww|sl|ib)x)([0-9a-f]{12})\b")
_VOLUME_ID = re.compile(r"(?<=UUID=)[^\s\"'>:,;/]+|(?<=by-uuid/)[^\s\"'>,]+")
_DISK_ID = re.compile(r"(?<=/dev/disk/by-id/)[^\s\"'<>,]+")
_HOME = re.compile(r"(?<=/home/)[^/\s\"'<>,]+")
_SECRET_PARAMETER = re.compile(
    r"(?i)\b([\w.-]*(?:passw|passphrase|secret|token|apikey|\bkey|osk|credential|iscsi|netroot|nfsroot|authkey)[\w.-]*=)"
    r"(\"[^\"]*\"|[^\s,\"'<>&]+)"
)
_NAMED_PARAMETER = re.compile(r"(?i)\b((?:hostname|host|ip|nameserver|user|username)=)([^\s,\"'<>&]+)")
_SECRET_ATTRIBUTE = re.compile(r"(?i)(\b(?:passwd|password|secret|key|tls-creds)\s*=\s*)(\"[^\"]*\"|'[^']*')")
_NAMED_ATTRIBUTE = re.compile(r"(?i)(\b(?:username|wwn|wwpn|wwnn|serial)\s*=\s*)(\"[^\"]*\"|'[^']*')")
_SERIAL_ELEMENT = re.compile(r"(<(serial|wwn|sysinfo-serial|title|description)\b[^>]*>)([^<]+)(</\2>)")
_SERIAL_ENTRY = re.compile(r"(<entry\s+name\s*=\s*[\"'](?:serial|uuid|asset|sku|family)[\"']\s*>)([^<]+)(</entry>)")
_MIN_NAME = 2


class Scrubber:
    """Replaces what is personal. `people` and `hosts` are names to look for as whole words."""

    def __init__(self, people: Iterable[str] = (), hosts: Iterable[str] = ()) -> None:
        self._stand_ins: dict[tuple[str, str], str] = {}
        self._words = {name: "user" for name in people if len(name) >= _MIN_NAME}
        self._words |= {name: "host" for name in hosts if len(name) >= _MIN_NAME and name != "localhost"}
        choices = "|".join(re.escape(name) for name in sorted(self._words, key=len, reverse=True))
        self._names = re.compile(rf"(?<![A-Za-z0-9])(?:{choices})(?![A-Za-z0-9])") if choices else None

    def ids(self, words: str) -> str:
        """Without UUIDs, MAC addresses and long ids; for texts whose other words are the kernel's own."""
        words = _UUID.sub(lambda found: self._uuid(found[0]), words)
        words = _LONG_ID.sub(lambda found: self._number("id", found[0], "{:032x}"), words)
        words = _MAC_IN_NAME.sub(lambda found: found[1] + self._mac(found[2]).replace(":", ""), words)
        return _MAC.sub(lambda found: self._mac(found[0]), words)

    def text(self, words: str) -> str:
        """Without those, secrets, disks' ids, and the names of people and hosts."""
        words = _SECRET_PARAMETER.sub(rf"\1{MASK}", words)
        words = _VOLUME_ID.sub(self._volume, words)
        words = _DISK_ID.sub(lambda found: self._number("disk", found[0], "disk-{}"), words)
        words = _HOME.sub(lambda found: self._person(found[0]), words)
        words = _NAMED_PARAMETER.sub(lambda found: found[1] + self._number("name", found[2], "name-{}"), words)
        if self._names:
            words = self._names.sub(lambda found: self._person(found[0]), words)
        return self.ids(words)

    def configuration(self, words: str) -> str:
        """A file of the start without them, without passwords, and without the short ids of volumes that are known."""
        words = self.text(without_passwords(words))
        for (kind, value), stand_in in self._stand_ins.items():
            if kind == "volume":
                words = re.sub(rf"(?<![\w-]){re.escape(value)}(?![\w-])", stand_in, words)
        return words

    def document(self, words: str) -> str:
        """A libvirt document without them, and without what its elements hold of passwords and serial numbers."""
        words = _SECRET_ATTRIBUTE.sub(rf"\1'{MASK}'", words)
        words = _NAMED_ATTRIBUTE.sub(lambda found: f"{found[1]}'{self._serial(found[2][1:-1])}'", words)
        words = _SERIAL_ELEMENT.sub(lambda found: found[1] + self._serial(found[3]) + found[4], words)
        words = _SERIAL_ENTRY.sub(lambda found: found[1] + self._entry(found[2]) + found[3], words)
        return self.text(words)

    def _entry(self, value: str) -> str:
        return value if _UUID.fullmatch(value.strip()) else self._serial(value)

    def _serial(self, value: str) -> str:
        return self._number("serial", value.strip(), "serial-{}")

    def _person(self, name: str) -> str:
        kind = self._words.get(name, "user")
        return self._number(kind, name, f"{kind}-{{}}")

    def _uuid(self, value: str) -> str:
        return self._number("uuid", value.lower(), "00000000-0000-4000-8000-{:012x}")

    def _volume(self, found: re.Match[str]) -> str:
        # A file system's UUID in the usual form is replaced like every other.
        return found[0] if _UUID.fullmatch(found[0]) else self._number("volume", found[0], "0000-{:04X}")

    def _mac(self, value: str) -> str:
        plain = value.lower().replace(":", "").replace("-", "")
        number = self._number("mac", plain, "{:06x}")
        return f"52:54:00:{number[0:2]}:{number[2:4]}:{number[4:6]}"

    def _number(self, kind: str, value: str, form: str) -> str:
        # What already is a stand-in stays one: scrubbing twice changes nothing.
        key = (kind, value)
        if value in self._stand_ins.values():
            return value
        known = self._stand_ins.get(key)
        if known is None:
            count = sum(1 for other, _ in self._stand_ins if other == kind) + 1
            known = self._stand_ins[key] = form.format(count)
        return known
