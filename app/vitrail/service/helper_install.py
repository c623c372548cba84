# SPDX-License-Identifier: GPL-3.0-or-later
"""Installing the root helper once, and taking it away again: shown first, then exactly that.

What a preview holds is the very payload that root gets, and root compares its digest before anything is written.
"""

from __future__ import annotations

import base64
import difflib
import hashlib
import json
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import vitrail
from vitrail.model.errors import Refused, Unreachable, Unsettled, VitrailError
from vitrail.model.text import Text, text
from vitrail.service.process import Ended, LateError, Program, run
from vitrail.source.resources import resources

_HOME = "usr/local/lib/vitrail"
PLACES = {
    "vitrail-helper.pyz": (f"{_HOME}/vitrail-helper.pyz", 0o755),
    "vitrail-helper-bus": (f"{_HOME}/vitrail-helper-bus", 0o755),
    "org.vitrail.Helper1.conf": ("etc/dbus-1/system.d/org.vitrail.Helper1.conf", 0o644),
    "org.vitrail.Helper1.policy": ("usr/share/polkit-1/actions/org.vitrail.Helper1.policy", 0o644),
    "org.vitrail.Helper1.service": ("usr/local/share/dbus-1/system-services/org.vitrail.Helper1.service", 0o644),
}
_CORE = "vitrail-helper.pyz"
_OWNERS = (Program.OWNER_DPKG, Program.OWNER_RPM, Program.OWNER_PACMAN)
_QUICK_SECONDS = 20.0
_INSTALL_SECONDS = 900.0
_DISMISSED, _NOT_AUTHORIZED = 126, 127


class FileChange(StrEnum):
    """What becomes of a file."""

    NEW = "new"
    REPLACED = "replaced"
    SAME = "same"
    REMOVED = "removed"
    ABSENT = "absent"
    """It was to be removed and is not there."""


@dataclass(frozen=True, slots=True)
class FilePreview:
    """One file: where, how, and what of it changes. `diff` is empty where it is no text."""

    path: str
    mode: int
    change: FileChange
    before: str | None
    after: str | None
    """SHA-256 of the contents, None for no file."""
    size: int
    diff: str
    package: str | None
    """The package that has this path; then nothing is installed over it."""


@dataclass(frozen=True, slots=True)
class InstallPreview:
    """Everything that installing or removing does. `payload` is what root gets, `digest` what it compares."""

    files: tuple[FilePreview, ...]
    payload: bytes
    digest: str
    program: str
    """The text of the program that runs as root."""
    missing: tuple[Text, ...]
    """What has to be there first."""
    stays: tuple[str, ...]
    """Paths that are left, because something that was applied may have to be taken back with them."""


def find_parts() -> Path:
    """The folder with everything that is installed. Raises Unreachable where it was not built."""
    for folder in (resources() / "helper", resources().parent / "build" / "helper"):
        if all((folder / name).is_file() for name in PLACES):
            return folder
    raise Unreachable(text("helper.install.no-parts"), text("helper.next.build-parts"))


def preview_install(parts: Path | None = None, root: Path = Path("/")) -> InstallPreview:
    """What installing would write. Raises Unreachable where the parts cannot be read."""
    folder = find_parts() if parts is None else parts
    try:
        wanted: dict[str, bytes | None] = {name: (folder / name).read_bytes() for name in PLACES}
    except OSError as error:
        raise Unreachable(text("helper.install.no-parts"), text("helper.next.build-parts")) from error
    return _preview(wanted, root, _missing(), ())


def preview_removal(root: Path = Path("/"), *, in_use: bool) -> InstallPreview:
    """What removing would take away. `in_use`: something is applied, so what takes it back on a console stays."""
    wanted: dict[str, bytes | None] = {name: None for name in PLACES if not (in_use and name == _CORE)}
    return _preview(wanted, root, (), (f"/{PLACES[_CORE][0]}",) if in_use else ())


def _preview(
    wanted: dict[str, bytes | None], root: Path, missing: tuple[Text, ...], stays: tuple[str, ...]
) -> InstallPreview:
    files = {PLACES[name][0]: _encoded(content) for name, content in wanted.items()}
    payload = json.dumps({"files": files}, separators=(",", ":")).encode()
    shown = tuple(_file(root, name, content) for name, content in wanted.items())
    return InstallPreview(shown, payload, _digest(payload), _program(), missing, stays)


def _encoded(content: bytes | None) -> str | None:
    return None if content is None else base64.b64encode(content).decode()


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _program() -> str:
    return (Path(vitrail.__file__).parent / "helper" / "installer.py").read_text("utf-8")


def _file(root: Path, name: str, after: bytes | None) -> FilePreview:
    path, mode = PLACES[name]
    try:
        before = (root / path).read_bytes()
    except FileNotFoundError:
        before = None
    except OSError as error:
        raise Unreachable(text("helper.install.unread", path=f"/{path}", message=error.strerror or "")) from error
    return FilePreview(
        f"/{path}",
        mode,
        _change(before, after),
        None if before is None else _digest(before),
        None if after is None else _digest(after),
        len(after or b""),
        _diff(f"/{path}", before, after),
        _package_of(root, path),
    )


def _change(before: bytes | None, after: bytes | None) -> FileChange:
    if after is None:
        return FileChange.ABSENT if before is None else FileChange.REMOVED
    if before is None:
        return FileChange.NEW
    return FileChange.SAME if before == after else FileChange.REPLACED


def _diff(path: str, before: bytes | None, after: bytes | None) -> str:
    try:
        old, new = ((content or b"").decode().splitlines(keepends=True) for content in (before, after))
    except UnicodeDecodeError:
        return ""
    names = ("/dev/null" if before is None else path, "/dev/null" if after is None else path)
    return "".join(difflib.unified_diff(old, new, *names))


def _package_of(root: Path, path: str) -> str | None:
    """The package that has this path, as this machine's package manager says; another tree has none."""
    if root != Path("/"):
        return None
    for program in _OWNERS:
        try:
            ended = run(program, f"/{path}", seconds=_QUICK_SECONDS)
        except LateError:
            continue
        if ended is not None and ended.status == 0:
            return ended.output.decode("utf-8", "replace").strip().partition("\n")[0]
    return None


def _missing() -> tuple[Text, ...]:
    """What the helper needs on this computer and does not find."""
    try:
        bus = run(Program.HAS_DBUS_FAST, seconds=_QUICK_SECONDS)
    except LateError:
        bus = None
    if bus is None or bus.status != 0:
        return (text("helper.install.needs-dbus-fast"),)
    return ()


def carry_out(preview: InstallPreview) -> tuple[str, ...]:
    """Do exactly what the preview shows; the paths that changed. Raises Refused, Unreachable or Unsettled."""
    if preview.missing:
        raise Refused(*preview.missing)
    owned = next((file for file in preview.files if file.package is not None), None)
    if owned is not None:
        raise _said("package-owned", owned.path)
    try:
        ended = run(Program.INSTALLER, preview.program, preview.digest, stdin=preview.payload, seconds=_INSTALL_SECONDS)
    except LateError as error:
        raise Unsettled(text("helper.install.late"), text("helper.next.look-again")) from error
    if ended is None:
        raise Unreachable(text("helper.install.no-pkexec"), text("helper.next.install-pkexec"))
    return _changed(ended)


def _changed(ended: Ended) -> tuple[str, ...]:
    try:
        answer = json.loads(ended.output)
        if answer["ok"] is True:
            return tuple(f"/{path}" for path in answer["changed"])
        error = answer["error"]
        kind, path = str(error["kind"]), str(error["path"])
    except (ValueError, TypeError, KeyError) as error:
        raise _not_started(ended) from error
    raise _said(kind, path if path.startswith("/") else f"/{path}")


def _not_started(ended: Ended) -> VitrailError:
    """The no of pkexec itself: it has two numbers, and says on its error output why."""
    if ended.status == _DISMISSED:
        return Refused(text("helper.dismissed"), text("helper.next.try-again"))
    if ended.status == _NOT_AUTHORIZED and b"authentication agent" in ended.errors:
        return Refused(text("helper.no-agent"), text("helper.next.start-agent"))
    if ended.status == _NOT_AUTHORIZED:
        return Refused(text("helper.denied"), text("helper.next.ask-administrator"))
    return Unsettled(text("helper.install.late"), text("helper.next.look-again"))


def _said(kind: str, path: str) -> VitrailError:
    match kind:
        case "package-owned":
            return Refused(text("helper.install.package-owned", path=path), text("helper.next.use-package"))
        case "not-ours":
            return Refused(text("helper.install.not-ours", path=path), text("helper.next.move-away", path=path))
        case "not-plain":
            return Refused(text("helper.install.not-plain", path=path))
        case "unsafe-folder":
            return Refused(text("helper.install.unsafe-folder", path=path))
        case "write":
            return Refused(text("helper.install.not-written", path=path))
    return Refused(text("helper.install.damaged"), text("helper.next.try-again"))
