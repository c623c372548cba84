# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts the helper's files in their places, once, as root: `python3 -I -S -c THIS SHA256 [ROOT] < PAYLOAD`.

Never imported: its text is what an administrator allows, so it stands alone and knows every place itself. The payload
is held in memory and compared with the digest before anything is written. A file that this program has not put there
is never replaced.
"""

import base64
import contextlib
import hashlib
import json
import os
import stat
import sys
from pathlib import Path

HOME = "usr/local/lib/vitrail"
PLACES = {
    HOME + "/vitrail-helper.pyz": 0o755,
    HOME + "/vitrail-helper-bus": 0o755,
    "etc/dbus-1/system.d/org.vitrail.Helper1.conf": 0o644,
    "usr/share/polkit-1/actions/org.vitrail.Helper1.policy": 0o644,
    "usr/local/share/dbus-1/system-services/org.vitrail.Helper1.service": 0o644,
}
RECORD = "var/lib/vitrail/installed.json"
LIMIT = 16 * 1024 * 1024
Files = dict[str, bytes | None]
Record = dict[str, list[str]]


class No(Exception):
    """Nothing was written: a kind, and what it is about."""


def digest_of(content: bytes) -> str:
    """SHA-256, hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def status_of(program: str, *arguments: str) -> int | None:
    """A program's exit status, None where it is missing; what it says is not heard."""
    if not os.access(program, os.X_OK):
        return None
    quiet = [(os.POSIX_SPAWN_OPEN, number, "/dev/null", os.O_RDWR, 0) for number in (0, 1, 2)]
    child = os.posix_spawn(program, (program, *arguments), {"PATH": "/usr/bin:/bin"}, file_actions=quiet)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def is_owned(root: Path, path: str) -> bool:
    """Whether a package manager of this system says that a package has this path."""
    asked = (
        ("/usr/bin/dpkg-query", f"--admindir={root / 'var/lib/dpkg'}", "-S", f"/{path}"),
        ("/usr/bin/rpm", "--root", str(root), "-qf", f"/{path}"),
        ("/usr/bin/pacman", "--root", str(root), "-Qoq", str(root / path)),
    )
    return any(status_of(*question) == 0 for question in asked)


def make_folder(root: Path, folder: str, mode: int = 0o755) -> None:
    """Make it; only root may be able to change what is in there, or above it."""
    places = (folder, *(str(above) for above in Path(folder).parents))
    for place in reversed(places):
        here = root / place
        here.mkdir(mode if place == folder else 0o755, exist_ok=True)
        status = here.stat()
        if status.st_uid != os.geteuid() or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise No("unsafe-folder", str(here))


def content_of(root: Path, path: str) -> bytes | None:
    """What is there, None where nothing is."""
    try:
        descriptor = os.open(root / path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise No("not-plain", path) from error
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_size > LIMIT:
            raise No("not-plain", path)
        return file.read()


def put(root: Path, path: str, content: bytes | None, mode: int) -> None:
    """The whole content or none of it; None removes."""
    target = root / path
    if content is None:
        target.unlink(missing_ok=True)
    else:
        make_folder(root, str(Path(path).parent))
        aside = target.with_name(f".vitrail-{target.name}.tmp")
        aside.unlink(missing_ok=True)
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            os.fchmod(descriptor, mode)
            file.flush()
            os.fsync(descriptor)
        aside.replace(target)
    with contextlib.suppress(FileNotFoundError):
        folder = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY)
        os.fsync(folder)
        os.close(folder)


def read_payload(expected: str) -> Files:
    """What is to be where."""
    payload = sys.stdin.buffer.read(LIMIT + 1)
    if len(payload) > LIMIT or digest_of(payload) != expected:
        raise No("digest", "")
    try:
        files = json.loads(payload)["files"]
        wanted = {path: None if body is None else base64.b64decode(body, validate=True) for path, body in files.items()}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise No("payload", "") from error
    if not wanted or not wanted.keys() <= PLACES.keys():
        raise No("place", "")
    return wanted


def check(root: Path, wanted: Files) -> tuple[Record, Files]:
    """What was there before. Whatever is neither ours nor absent is a reason to write nothing."""
    record = json.loads(content_of(root, RECORD) or b"{}")
    before = {path: content_of(root, path) for path in wanted}
    for path, content in before.items():
        if is_owned(root, path):
            raise No("package-owned", path)
        if content is not None and digest_of(content) not in record.get(path, ()):
            raise No("not-ours", path)
    return record, before


def install(root: Path, wanted: Files) -> list[str]:
    """All of it, or what was there before."""
    record, before = check(root, wanted)
    changing = [path for path in PLACES if path in wanted and wanted[path] != before[path]]
    if not any(wanted.values()):
        changing.reverse()
    # Either digest is ours from now on: whoever comes after a power cut knows both.
    note(root, record | {path: digests(before[path], wanted[path]) for path in wanted})
    done: list[str] = []
    try:
        for path in changing:
            done.append(path)
            put(root, path, wanted[path], PLACES[path])
    except (OSError, No):
        for path in reversed(done):
            put(root, path, before[path], PLACES[path])
        raise
    note(root, record | {path: digests(wanted[path]) for path in wanted})
    with contextlib.suppress(OSError):
        (root / HOME).rmdir()
    return changing


def digests(*contents: bytes | None) -> list[str]:
    """Of what is there."""
    return [digest_of(content) for content in contents if content is not None]


def note(root: Path, record: Record) -> None:
    """Remember what is ours."""
    make_folder(root, str(Path(RECORD).parent), 0o700)
    put(root, RECORD, json.dumps({path: known for path, known in record.items() if known}).encode(), 0o600)


def main(expected: str, root: str = "/") -> dict[str, object]:
    """The one line that is said."""
    os.umask(0o022)
    try:
        changed = install(Path(root), read_payload(expected))
    except No as no:
        return {"ok": False, "error": {"kind": no.args[0], "path": no.args[1]}}
    except (OSError, ValueError) as error:
        return {"ok": False, "error": {"kind": "write", "path": str(getattr(error, "filename", None) or "")}}
    if root == "/":
        bus = ("--system", "--print-reply", "--dest=org.freedesktop.DBus", "/", "org.freedesktop.DBus.ReloadConfig")
        status_of("/usr/bin/dbus-send", *bus)
    return {"ok": True, "changed": changed}


sys.stdout.write(json.dumps(main(*sys.argv[1:])) + "\n")
