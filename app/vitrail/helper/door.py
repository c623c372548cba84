# SPDX-License-Identifier: GPL-3.0-or-later
"""One JSON line in, one out. Whatever comes in, every line that is not empty gets exactly one answer.

A line is read whole before any of it acts; what its type does not know is refused as a whole.
"""

from __future__ import annotations

import json
import re
from typing import IO, Any

from vitrail import __version__
from vitrail.helper.apply import apply
from vitrail.helper.check import check
from vitrail.helper.facts import facts
from vitrail.helper.guard_clock import extend
from vitrail.helper.guard_story import story
from vitrail.helper.keep import check_keep, keep
from vitrail.helper.state import State
from vitrail.helper.status import status
from vitrail.helper.undo import check_undo, undo
from vitrail.helper.watch import watch
from vitrail.model.host_journal import FORMAT
from vitrail.model.host_wire import (
    MAX_DEPTH,
    MAX_ID_LENGTH,
    MAX_LINE_BYTES,
    PROTOCOL,
    VERBS,
    Apply,
    Extend,
    Facts,
    Hello,
    Job,
    Keep,
    Kind,
    Refusal,
    Request,
    Status,
    Story,
    Undo,
    Watch,
)
from vitrail.model.wire import WireError, from_wire, to_wire

_ID = re.compile(rf"[A-Za-z0-9._-]{{1,{MAX_ID_LENGTH}}}", re.ASCII)
_OUTSIDE_STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*"?', re.DOTALL)
_ENVELOPE = ("protocol", "id", "verb")


def serve(state: State, lines: IO[bytes], answers: IO[bytes], *, check_only: bool = False) -> None:
    """Answer until the input ends. `check_only`: a change is looked at as it would be, and not begun."""
    while line := lines.readline(MAX_LINE_BYTES + 1):
        if len(line) > MAX_LINE_BYTES and not line.endswith(b"\n"):
            _skip(lines)
            answer = _refused(None, Refusal(Kind.LINE_TOO_LONG))
        elif line == b"\n":
            continue
        else:
            answer = answer_to(state, line, check_only=check_only)
        answers.write(json.dumps(answer, ensure_ascii=True, separators=(",", ":")).encode() + b"\n")
        answers.flush()


def _skip(lines: IO[bytes]) -> None:
    while (piece := lines.readline(MAX_LINE_BYTES)) and not piece.endswith(b"\n"):
        pass


def answer_to(state: State, line: bytes, *, check_only: bool = False) -> dict[str, Any]:
    """The answer to one line."""
    request_id: str | None = None
    try:
        data = _parsed(line)
        request_id = _id_of(data)
        request = _request(data)
        result = None
        if check_only:
            _check(state, request)
        else:
            result = _carry_out(state, request)
    except Refusal as refusal:
        return _refused(request_id, refusal)
    except OSError as error:
        return _refused(request_id, Refusal(Kind.INTERNAL, reason=error.strerror or type(error).__name__))
    return {"id": request_id, "ok": True, "result": result}


def _id_of(data: dict[str, Any]) -> str:
    given = data.get("id")
    if not isinstance(given, str) or not _ID.fullmatch(given):
        raise Refusal(Kind.NOT_A_REQUEST, field="id")
    return given


def _refused(request_id: str | None, refusal: Refusal) -> dict[str, Any]:
    return {"id": request_id, "ok": False, "error": {"kind": refusal.kind.value, "args": refusal.args_of}}


def _parsed(line: bytes) -> dict[str, Any]:
    if not line.endswith(b"\n"):
        raise Refusal(Kind.UNFINISHED_LINE)
    if _depth(line) > MAX_DEPTH:
        raise Refusal(Kind.TOO_DEEP)
    try:
        data = json.loads(line.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise Refusal(Kind.NOT_JSON) from error
    if not isinstance(data, dict):
        raise Refusal(Kind.NOT_A_REQUEST, field="")
    return data


def _depth(line: bytes) -> int:
    depth = deepest = 0
    for byte in _OUTSIDE_STRINGS.sub(b"", line):
        if byte in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif byte in b"]}":
            depth -= 1
    return deepest


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise Refusal(Kind.DUPLICATE_KEY)
    return members


def _no_constant(name: str) -> float:
    raise ValueError(name)


def _request(data: dict[str, Any]) -> Request:
    protocol = data.get("protocol")
    if type(protocol) is not int or protocol != PROTOCOL:
        raise Refusal(Kind.PROTOCOL, newest=PROTOCOL)
    verb = data.get("verb")
    if not isinstance(verb, str) or verb not in VERBS:
        raise Refusal(Kind.VERB)
    kind = VERBS[verb]
    if "class" in data:
        raise Refusal(Kind.FIELDS, field="class")
    members = {name: value for name, value in data.items() if name not in _ENVELOPE}
    try:
        request = from_wire(kind, members)
        spelled = to_wire(request)
    except WireError as error:
        raise Refusal(Kind.FIELDS) from error
    except (ValueError, TypeError) as error:
        raise Refusal(Kind.FIELDS, field=str(error)[:80]) from error
    # Whatever a reader let pass in another spelling is refused: there is one form of every value.
    if spelled != {"class": kind.__name__, **members}:
        raise Refusal(Kind.FIELDS)
    return request  # type: ignore[no-any-return]


def _hello() -> dict[str, Any]:
    return {"version": __version__, "protocol": PROTOCOL, "journal_format": FORMAT, "verbs": list(VERBS)}


def _status(state: State) -> dict[str, Any]:
    runs, broken = status(state)
    return {"runs": to_wire(runs), "unreadable": list(broken)}


def _check(state: State, request: Request) -> None:
    """Nothing, where this could be carried out now. Raises Refusal."""
    match request:
        case Apply():
            check(state, request.plan)
        case Undo():
            check_undo(state, request)
        case Keep():
            check_keep(state, request)


def _carry_out(state: State, request: Request) -> Any:
    match request:
        case Apply():
            return to_wire(apply(state, request.plan))
        case Undo():
            return to_wire(undo(state, request))
        case Keep():
            return to_wire(keep(state, request))
        case Extend():
            return to_wire(extend(state.tree, request))
        case _:
            return _read(state, request)


def _read(state: State, request: Hello | Status | Facts | Watch | Job | Story) -> Any:
    """What changes nothing."""
    match request:
        case Hello():
            return _hello()
        case Status():
            return _status(state)
        case Facts():
            return facts(state.tree, request.after)
        case Watch():
            return watch(state.tree, request.after)
        case Story():
            return to_wire(story(state))
        case Job():
            # Whoever speaks to the core itself has its answer when the work is done.
            raise Refusal(Kind.NO_JOB)
