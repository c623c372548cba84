# SPDX-License-Identifier: GPL-3.0-or-later
"""The last door: every failure leaves through here as a sentence, the next thing to do and an exit code.

A context manager, so that a fault of our own is caught too without any code that swallows exceptions on the way.
"""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Self

from vitrail.cli.outlet import STDERR, STDOUT
from vitrail.model.errors import ApplyFailed, Refused, Unreachable, Unreadable, Unsettled, VitrailError

DONE = 0
REFUSED = 1
NOT_MEASURED = 2
USAGE = 3
TAKEN_BACK = 4
UNSETTLED = 5
_INTERRUPTED = 130

_CODES: dict[type[VitrailError], int] = {
    Refused: REFUSED,
    Unreachable: NOT_MEASURED,
    Unreadable: USAGE,
    ApplyFailed: TAKEN_BACK,
    Unsettled: UNSETTLED,
}


def exit_code(error: VitrailError) -> int:
    """The contract's number for this kind of failure."""
    return next((code for kind, code in _CODES.items() if isinstance(error, kind)), NOT_MEASURED)


class LastDoor:
    """`with LastDoor(...) as door: door.code = ...`; afterwards `code` is what the process exits with."""

    def __init__(self, command: str, *, as_json: bool, language: str | None) -> None:
        self.code = DONE
        self.command = command
        self.as_json = as_json
        self.language = language

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> bool:
        handled = error is None or self._end(error)
        if not STDOUT.reaches() and STDOUT.unheard:
            self.code = self.code or NOT_MEASURED
            self._tell_lost()
        STDERR.reaches()
        return handled

    def _end(self, error: BaseException) -> bool:
        match error:
            case SystemExit():
                return False
            case KeyboardInterrupt():
                self.code = _INTERRUPTED
            case VitrailError():
                self.code = exit_code(error)
                self._tell(error)
            case _:
                self.code = NOT_MEASURED
                self._tell(error)
        return True

    def _tell(self, error: BaseException) -> None:
        # Only a failure pays for the modules that tell of it.
        from vitrail.cli.failure import fault_of, tell_failure  # noqa: PLC0415

        told = error if isinstance(error, VitrailError) else fault_of(error)
        tell_failure(told, self.command, as_json=self.as_json, language=self.language)

    def _tell_lost(self) -> None:
        from vitrail.cli.failure import tell_lost_output  # noqa: PLC0415 - likewise

        if STDOUT.lost is not None:
            tell_lost_output(STDOUT.lost, self.language)


def leave(run: Callable[[], int], command: str, *, as_json: bool, language: str | None) -> int:
    """Run a command and turn whatever happens into an exit code."""
    STDOUT.begin()
    STDERR.begin()
    with LastDoor(command, as_json=as_json, language=language) as door:
        door.code = run()
    return door.code
