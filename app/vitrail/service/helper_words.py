# SPDX-License-Identifier: GPL-3.0-or-later
"""What the root helper, the bus and polkit say, in words for the user and with what to do next.

They answer in kinds. Each becomes the error class that tells what state the machine is in now; one that is not known
leaves it open.
"""

from __future__ import annotations

from vitrail.model.binding import HoldKind
from vitrail.model.errors import ApplyFailed, Refused, Unreachable, Unsettled, VitrailError
from vitrail.model.host_wire import Kind
from vitrail.model.outcome import RunResult
from vitrail.model.text import Text, text

NO_JOB = "helper.no-job"
"""What is said of a change that nobody knows of."""
_DOOR = "org.vitrail.Helper1.Error."
_DBUS = "org.freedesktop.DBus.Error."

_NOT_UNDERSTOOD = frozenset(
    {
        Kind.LINE_TOO_LONG,
        Kind.UNFINISHED_LINE,
        Kind.NOT_JSON,
        Kind.TOO_DEEP,
        Kind.DUPLICATE_KEY,
        Kind.NOT_A_REQUEST,
        Kind.VERB,
        Kind.FIELDS,
        Kind.NOT_AVAILABLE,
        Kind.PROTOCOL,
    }
)
_SAID: dict[Kind, tuple[str, tuple[str, ...]]] = {
    Kind.RULE: ("helper.refused.rule", ("rule",)),
    Kind.OTHER_MACHINE: ("helper.refused.other-machine", ()),
    Kind.OTHER_BOOT: ("helper.refused.other-boot", ()),
    Kind.OTHER_DEVICE: ("helper.refused.other-device", ("address",)),
    Kind.UNREAD: ("helper.refused.unread", ("what",)),
    Kind.PLACE: ("helper.refused.place", ("path",)),
    Kind.SUBJECT_CHANGED: ("helper.refused.subject-changed", ("subject",)),
    Kind.RENDERING: ("helper.refused.rendering", ("subject",)),
    Kind.UNRENDERABLE: ("helper.refused.unrenderable", ("subject",)),
    Kind.TOOL_MISSING: ("helper.refused.tool-missing", ("tool",)),
    Kind.NO_SPACE: ("helper.refused.no-space", ("path",)),
    Kind.PACKAGE_LOCK: ("helper.refused.package-lock", ()),
    Kind.LOCKED: ("helper.refused.locked", ()),
    Kind.INTERRUPTED: ("helper.refused.interrupted", ("plan_id",)),
    Kind.LATER_PLAN: ("helper.refused.later-plan", ("plan_id",)),
    Kind.HELD: ("helper.refused.held", ("address", "holders")),
    Kind.NO_RUN: ("helper.refused.no-run", ("plan_id",)),
    Kind.NOT_RESTARTED: ("helper.refused.not-restarted", ("plan_id",)),
    Kind.NOT_STARTED: ("helper.refused.not-started", ("plan_id",)),
    Kind.TOO_LATE: ("helper.refused.too-late", ("plan_id",)),
    Kind.AWAITS_KEEP: ("helper.refused.awaits-keep", ("plan_id",)),
    Kind.TRIAL: ("helper.refused.trial", ("what",)),
    Kind.ONE_SHOT: ("helper.refused.one-shot", ("reason",)),
    Kind.INITRAMFS: ("helper.refused.initramfs", ("reason",)),
    Kind.OTHER_STACK: ("helper.refused.other-stack", ("stack",)),
    Kind.NO_USER: ("helper.refused.no-user", ("user",)),
    Kind.NO_GROUP: ("helper.refused.no-group", ("group",)),
    Kind.NO_ROM: ("helper.refused.no-rom", ("path",)),
    Kind.NO_CORE: ("helper.refused.no-core", ()),
    Kind.JOURNAL: ("helper.refused.journal", ("run",)),
    Kind.STATE: ("helper.refused.state", ("reason",)),
    Kind.CORE_MISSING: ("helper.damaged", ()),
    Kind.NO_JOB: (NO_JOB, ()),
}
_NEXT: dict[Kind, str] = {
    Kind.OTHER_BOOT: "helper.next.plan-again",
    Kind.OTHER_DEVICE: "helper.next.plan-again",
    Kind.SUBJECT_CHANGED: "helper.next.plan-again",
    Kind.TRIAL: "helper.next.plan-again",
    Kind.OTHER_STACK: "helper.next.plan-again",
    Kind.NO_CORE: "helper.next.install-again",
    Kind.RENDERING: "helper.next.install-fitting",
    Kind.RULE: "helper.next.install-fitting",
    Kind.PACKAGE_LOCK: "helper.next.wait",
    Kind.LOCKED: "helper.next.wait",
    Kind.CORE_MISSING: "helper.next.install-again",
    Kind.NO_JOB: "helper.next.status",
}
_RELEASES: dict[str, str] = {
    HoldKind.PROGRAM.value: "helper.release.program",
    HoldKind.SOUND.value: "helper.release.sound",
    HoldKind.VM.value: "helper.release.vm",
    HoldKind.CONSOLE.value: "helper.release.console",
    HoldKind.BOOT_SCREEN.value: "helper.release.boot-screen",
    HoldKind.USB.value: "helper.release.usb",
    HoldKind.DISK.value: "helper.release.disk",
    HoldKind.NETWORK.value: "helper.release.network",
}
"""How to make whoever holds a device let go of it."""
_FREE_ANSWERS: dict[str, tuple[str, str]] = {
    f"{_DOOR}Denied": ("helper.denied", "helper.next.ask-administrator"),
    f"{_DOOR}Dismissed": ("helper.dismissed", "helper.next.try-again"),
    f"{_DOOR}NoAgent": ("helper.no-agent", "helper.next.start-agent"),
    f"{_DBUS}InteractiveAuthorizationRequired": ("helper.no-agent", "helper.next.start-agent"),
    f"{_DOOR}NoPolkit": ("helper.no-polkit", "helper.next.install-polkit"),
    f"{_DBUS}LimitsExceeded": ("helper.busy", "helper.next.wait"),
    f"{_DBUS}AccessDenied": ("helper.bus-refuses", "helper.next.install-again"),
    f"{_DBUS}UnknownMethod": ("helper.not-understood", "helper.next.install-fitting"),
    f"{_DBUS}UnknownObject": ("helper.not-understood", "helper.next.install-fitting"),
    f"{_DBUS}UnknownInterface": ("helper.not-understood", "helper.next.install-fitting"),
    f"{_DBUS}InvalidArgs": ("helper.not-understood", "helper.next.install-fitting"),
}
"""D-Bus errors that come before anything is done."""


def not_answered(error_name: str, *, writes: bool, installed: bool) -> VitrailError:
    """What a D-Bus error in place of an answer means. `installed`: whether the helper's file for the bus is there."""
    if error_name in (f"{_DBUS}ServiceUnknown", f"{_DBUS}NameHasNoOwner"):
        if installed:
            return Unreachable(text("helper.not-known"), text("helper.next.restart-bus"))
        return Unreachable(text("helper.not-installed"), text("helper.next.install"))
    if error_name in _FREE_ANSWERS:
        what, then = _FREE_ANSWERS[error_name]
        return Refused(Text(what), Text(then))
    if error_name.startswith(f"{_DBUS}Spawn."):
        return Unreachable(text("helper.does-not-start", message=error_name), text("helper.next.install-again"))
    return broken_off(error_name, writes=writes)


def broken_off(message: str, *, writes: bool) -> VitrailError:
    """There was no answer, or one that nobody can read."""
    if writes:
        return Unsettled(text("helper.unknown", message=message), text("helper.next.status"))
    return Unreachable(text("helper.no-answer", message=message), text("helper.next.try-again"))


def late(*, writes: bool) -> VitrailError:
    """The answer did not come in time."""
    if writes:
        return Unsettled(text("helper.late-write"), text("helper.next.status"))
    return Unreachable(text("helper.late"), text("helper.next.try-again"))


def no_bus(message: str) -> VitrailError:
    """There is no system bus to ask on."""
    return Unreachable(text("helper.no-bus", message=message), text("helper.next.start-bus"))


def other_version(theirs: str, ours: str) -> VitrailError:
    """Only a plan that both sides understand alike is carried out."""
    what = text("helper.other-version", theirs=theirs, ours=ours)
    return Refused(what, text("helper.next.install-fitting"), text("helper.next.undo-still-works"))


def not_done(kind_name: str, args: dict[str, object], *, writes: bool) -> VitrailError:
    """The helper's own no."""
    try:
        kind = Kind(kind_name)
    except ValueError:
        return broken_off(kind_name, writes=writes)
    if kind in _NOT_UNDERSTOOD:
        return Refused(text("helper.not-understood"), text("helper.next.install-fitting"))
    if kind is Kind.APPLY_FAILED:
        return _apply_failed(args)
    if kind is Kind.CORE_LATE:
        return late(writes=writes)
    if kind not in _SAID:
        return broken_off(kind_name, writes=writes)
    message_id, names = _SAID[kind]
    what = Text(message_id, tuple(sorted((name, _word(args.get(name))) for name in names)))
    return Refused(what, *_next_steps(kind, args))


def _next_steps(kind: Kind, args: dict[str, object]) -> tuple[Text, ...]:
    if kind in (Kind.INTERRUPTED, Kind.LATER_PLAN):
        return (text("helper.next.undo", plan=_word(args.get("plan_id"))),)
    if kind is Kind.HELD:
        return tuple(Text(_RELEASES[name]) for name in _word(args.get("kinds")).split() if name in _RELEASES)
    return (Text(_NEXT[kind]),) if kind in _NEXT else ()


def _apply_failed(args: dict[str, object]) -> VitrailError:
    subject, reason = _word(args.get("subject")), _word(args.get("reason"))
    if args.get("result") == RunResult.TAKEN_BACK.value:
        return ApplyFailed(text("helper.apply-failed", subject=subject, reason=reason))
    plan = _word(args.get("plan_id"))
    if reason == "stuck":
        return Unsettled(text("helper.apply-stuck", subject=subject), text("helper.next.restart-stuck"))
    return Unsettled(
        text("helper.apply-unsettled", subject=subject, reason=reason), text("helper.next.undo", plan=plan)
    )


def _word(value: object) -> str:
    return str(value)[:200] if isinstance(value, str | int) and value != "" else "?"
