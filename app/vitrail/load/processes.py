# SPDX-License-Identifier: GPL-3.0-or-later
"""Which processes belong to which VM: QEMU itself, and whatever draws for it.

QEMU names the VM by its UUID on its command line, which everyone may read. Its children, and the servers that libvirt
starts beside it, share its control group. A process is looked at once, when it is new; after that a refresh costs one
listing of /proc.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from vitrail.source.root import Root

_SCOPE = re.compile(rb"/(machine-qemu[^/\n]*\.scope|machine/qemu-[^/\n]+)")
_UUID = re.compile(rb"\0-uuid\0([0-9a-fA-F-]{36})\0")
_KERNEL_THREAD = 0x00200000
_PARENT, _FLAGS = 1, 6
"""Where they stand in /proc/PID/stat, counted after the name's closing bracket."""
_EMULATORS = (b"qemu", b"kvm")


@dataclass(slots=True)
class _Seen:
    """One process as it was when it was new: the VM that it is, its scope, the process that started it."""

    uuid: str | None = None
    scope: bytes | None = None
    parent: int = 0


@dataclass(slots=True)
class VmProcesses:
    """The processes of every VM of this machine, as far as /proc shows them."""

    root: Root
    _seen: dict[int, _Seen] = field(default_factory=dict)
    _of: dict[str, tuple[int, ...]] = field(default_factory=dict)
    visible: bool = False
    """Whether /proc could be listed at all."""

    def refresh(self) -> None:
        """Look at what is new and forget what is gone."""
        try:
            pids = {int(name) for name in self.root.names("proc") if name.isascii() and name.isdigit()}
        except OSError:
            self.visible = False
            self._seen, self._of = {}, {}
            return
        self.visible = bool(pids)
        known = self._seen.keys()
        if pids == known:
            return
        for pid in known - pids:
            del self._seen[pid]
        for pid in sorted(pids - known):
            self._seen[pid] = self._look(pid)
        self._of = self._sorted()

    def of(self, uuid: str) -> tuple[int, ...]:
        """The processes of this VM, QEMU first; () where none was found."""
        return self._of.get(uuid, ())

    def forget(self, pid: int) -> None:
        """This process is gone, or another has its number: the next refresh looks anew."""
        self._seen.pop(pid, None)

    def _look(self, pid: int) -> _Seen:
        seen = _Seen()
        try:
            name, _, rest = self.root.read_bytes(f"proc/{pid}/stat").rpartition(b")")
            fields = rest.split()
            seen.parent = int(fields[_PARENT])
            if int(fields[_FLAGS]) & _KERNEL_THREAD:
                return seen
            scope = _SCOPE.search(self.root.read_bytes(f"proc/{pid}/cgroup"))
            seen.scope = scope[1] if scope else None
            if seen.scope or any(word in name for word in _EMULATORS):
                words = _UUID.search(self.root.read_bytes(f"proc/{pid}/cmdline"))
                seen.uuid = words[1].decode("ascii").lower() if words else None
        except (OSError, ValueError, IndexError):
            # It ended while it was looked at, or is one of a kind that has no such files.
            return seen
        return seen

    def _sorted(self) -> dict[str, tuple[int, ...]]:
        scopes = {seen.scope: seen.uuid for seen in self._seen.values() if seen.scope and seen.uuid}
        found: dict[str, list[int]] = {}
        for pid, seen in self._seen.items():
            uuid = seen.uuid or (scopes.get(seen.scope) if seen.scope else None) or self._of_parent(seen)
            if uuid:
                found.setdefault(uuid, []).append(pid)
        for pids in found.values():
            pids.sort(key=lambda pid: (self._seen[pid].uuid is None, pid))
        return {uuid: tuple(pids) for uuid, pids in found.items()}

    def _of_parent(self, seen: _Seen) -> str | None:
        """The VM of the process that started this one, where no control group tells."""
        for _ in range(4):
            parent = self._seen.get(seen.parent)
            if parent is None:
                return None
            if parent.uuid:
                return parent.uuid
            seen = parent
        return None
