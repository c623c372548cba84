# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes that go on whether or not anybody waits for them: a folder each in /run, which every door can look into.

The core writes its answer into a file there and holds that file's lock as long as it lives. So neither a caller nor a
door that is gone loses anything: whoever comes later reads how far it is, what came of it, or that it died.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
import shutil
import stat
import time
from dataclasses import dataclass
from pathlib import Path

from vitrail.helper.core_child import Asked, refused
from vitrail.model.host_wire import HostJob, HostProgress, Kind, Refusal
from vitrail.model.wire import WireError, canonical, from_wire

FOLDER = Path("/run/vitrail/jobs")
MAX_BYTES = 1024 * 1024
_ABOUT, _ANSWER, _PROGRESS = "about", "answer", "progress"
_LATEST_SECONDS = 3 * 3600.0
_KEPT = 32
_NEW = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


@dataclass(frozen=True, slots=True)
class _About:
    """Written before the core is started. `since` is seconds since the computer started, which nobody sets."""

    request: str
    verb: str
    plan_id: str | None
    uid: int
    started_at: float
    since: float


@dataclass(frozen=True, slots=True)
class Begun:
    """A job whose core has not been started; the descriptors are for it."""

    job: str
    answer: int
    progress: int

    def close(self) -> None:
        """From now on only the core has them, and with them the lock."""
        os.close(self.answer)
        os.close(self.progress)


def begin(asked: Asked, uid: int) -> Begun:
    """Room for a new job of this user's. Raises Refusal."""
    now, since = time.time(), time.clock_gettime(time.CLOCK_BOOTTIME)
    about = _About(asked.id or "", asked.verb, asked.plan_id, uid, now, since)
    try:
        _make_folders()
        _drop_old()
        return _begun(secrets.token_hex(16), about)
    except OSError as error:
        raise Refusal(Kind.STATE, reason=error.strerror or type(error).__name__) from error


def _begun(job: str, about: _About) -> Begun:
    place = FOLDER / job
    with contextlib.ExitStack() as failed:
        failed.callback(discard, job)
        place.mkdir(0o700)
        answer = _new(place / _ANSWER)
        failed.callback(os.close, answer)
        fcntl.flock(answer, fcntl.LOCK_EX | fcntl.LOCK_NB)
        progress = _new(place / _PROGRESS)
        failed.callback(os.close, progress)
        # Last: before it, nobody takes the folder for a job.
        with os.fdopen(_new(place / _ABOUT), "wb") as file:
            file.write(canonical(about).encode() + b"\n")
        failed.pop_all()
    return Begun(job, answer, progress)


def discard(job: str) -> None:
    """It never began."""
    shutil.rmtree(FOLDER / job, ignore_errors=True)


def _new(path: Path) -> int:
    return os.open(path, _NEW, 0o600)


def _make_folders() -> None:
    for folder, mode in ((FOLDER.parent, 0o755), (FOLDER, 0o700)):
        folder.mkdir(mode, exist_ok=True)
        status = folder.lstat()
        if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid() or status.st_mode & _OTHERS_WRITE:
            raise Refusal(Kind.PLACE, path=str(folder), reason="folder")


def _drop_old() -> None:
    """Of the jobs that have ended the newest stay, for whoever comes late."""
    ended = [job for job in _all() if not _is_running(FOLDER / job / _ANSWER)]
    for job in ended[: max(0, len(ended) - _KEPT)]:
        discard(job)


def _all() -> list[str]:
    """Every job, oldest first."""
    times = []
    with contextlib.suppress(OSError):
        for folder in FOLDER.iterdir():
            with contextlib.suppress(OSError):
                times.append((folder.stat().st_mtime_ns, folder.name))
    return [name for _, name in sorted(times)]


def find(job: str | None, uid: int) -> str:
    """This job, or the newest of the user's; root may see every one that it can name. Raises Refusal."""
    for name in reversed(_all()) if job is None else (job,):
        about = _about(name)
        if about is not None and (about.uid == uid or (uid == 0 and job is not None)):
            return name
    raise Refusal(Kind.NO_JOB)


def look(job: str) -> HostJob:
    """How far it is. Raises Refusal where there is no such job."""
    about = _about(job)
    if about is None:
        raise Refusal(Kind.NO_JOB)
    # Asked first: what has ended after this says at most more than is read below.
    running = _is_running(FOLDER / job / _ANSWER)
    told = _content(FOLDER / job / _PROGRESS).split(b"\n")[:-1]
    answer = _answer(_content(FOLDER / job / _ANSWER))
    if answer is None and not running:
        answer = refused(about.request, Refusal(Kind.CORE_DIED))
    if answer is None and time.clock_gettime(time.CLOCK_BOOTTIME) - about.since > _LATEST_SECONDS:
        answer = refused(about.request, Refusal(Kind.CORE_LATE))
    seen = len(told) + (answer is not None)
    progress = _progress(told[-1]) if told else None
    return HostJob(job, about.request, about.verb, about.plan_id, about.started_at, seen, progress, answer)


def says_too_much(job: str) -> bool:
    """Whether its core writes what cannot be an answer."""
    try:
        return any((FOLDER / job / name).stat().st_size > MAX_BYTES for name in (_ANSWER, _PROGRESS))
    except OSError:
        return False


def _about(job: str) -> _About | None:
    try:
        value: _About = from_wire(_About, json.loads(_content(FOLDER / job / _ABOUT)))
    except (ValueError, RecursionError):
        return None
    return value


def _answer(content: bytes) -> str | None:
    """The line, None where it is not finished or is none."""
    line, end, rest = content.partition(b"\n")
    try:
        words = line.decode()
        data = json.loads(words)
    except (ValueError, RecursionError):
        return None
    return words if end and not rest and isinstance(data, dict) and isinstance(data.get("ok"), bool) else None


def _progress(line: bytes) -> HostProgress | None:
    try:
        value: HostProgress = from_wire(HostProgress, json.loads(line))
    except (WireError, ValueError, RecursionError):
        return None
    return value


def _content(path: Path) -> bytes:
    """What is there so far; nothing where it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES)
    except OSError:
        return b""


def _is_running(answer: Path) -> bool:
    """Whether somebody holds the lock of this file: the core, or before it the door that makes the job."""
    try:
        descriptor = os.open(answer, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
