# SPDX-License-Identifier: GPL-3.0-or-later
"""Changing a VM: announced on the disk before it is written, read back after, and all of it or nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from vitrail.model.errors import ApplyFailed, Refused, Unreachable, Unsettled
from vitrail.model.journal import StepDone, StepStarted, StepTakenBack
from vitrail.model.outcome import RunResult, StepOutcome, StepResult
from vitrail.model.reading import known_or
from vitrail.model.step import EditVm
from vitrail.model.text import Text, text
from vitrail.model.vm import VmState
from vitrail.plan.describe import kind_of, subject_of
from vitrail.service.defining import Moved, Unsure, Vanished, Written, read_text, write
from vitrail.service.host_port import HostPort, no_host
from vitrail.service.journal import Journal
from vitrail.service.state import StateFolder
from vitrail.service.stores import DomainStore, StoredDomain
from vitrail.service.user_files import UserFiles
from vitrail.xmldoc.compare import differences

Progress = Callable[[StepOutcome], None]


@dataclass(frozen=True, slots=True)
class Bench:
    """Where changes are made: the store, the state folder, what the store is called in the journal, the computer."""

    store: DomainStore
    state: StateFolder
    connection: str
    host: HostPort = field(default_factory=no_host)
    user: UserFiles = field(default_factory=UserFiles)


def change_vm(
    bench: Bench, journal: Journal, index: int, step: EditVm, failed: RunResult = RunResult.TAKEN_BACK
) -> StepOutcome:
    """Carry out one VM step; `failed` is how its run ends where the step was taken back again.

    Raises Refused or Unreachable with nothing written, ApplyFailed with the VM as before, Unsettled.
    """
    return _Changing(bench, journal, index, step, failed).carry_out()


class _Changing:
    """One VM step of one run. It is the last of its plan: what came before it is kept, so nothing else goes back."""

    def __init__(self, bench: Bench, journal: Journal, index: int, step: EditVm, failed: RunResult) -> None:
        self._bench = bench
        self._journal = journal
        self._index = index
        self._step = step
        self._failed = failed

    def carry_out(self) -> StepOutcome:
        step = self._step
        self._journal.append(
            StepStarted(self._index, kind_of(step), subject_of(step), step.before_digest, step.after_digest)
        )
        written = self._write()
        lost = differences(step.after, written.seen, step.before) if written.refused is None else ()
        if written.refused is not None or lost:
            what = ", ".join(difference.path for difference in lost)
            raise self._take_back(written, what)
        self._record(written.seen)
        return StepOutcome(kind_of(step), subject_of(step), StepResult.DONE, self._detail())

    def _record(self, seen: str) -> None:
        try:
            self._journal.append(StepDone(self._index, self._bench.state.put(seen)))
        except Unreachable as error:
            raise Unsettled(
                text("service.apply.not-recorded", vm=self._step.name),
                *error.next_steps,
                text("service.apply.settle", plan=self._journal.plan_id),
            ) from error

    def _write(self) -> Written:
        step = self._step
        try:
            return write(self._bench.store, step.uuid, step.after, instead_of=step.before, strict=True)
        except Vanished:
            self._nothing_written(step.before_digest)
            raise Refused(text("service.vm.vanished", vm=step.name), text("service.vm.look-again")) from None
        except Moved:
            self._nothing_written(step.before_digest)
            raise Refused(text("service.apply.vm-changed", vm=step.name), text("service.apply.plan-again")) from None
        except Unreachable:
            self._nothing_written(step.before_digest)
            raise
        except Unsure as error:
            self._journal.end(RunResult.UNKNOWN)
            raise self._unsettled() from error

    def _unsettled(self) -> Unsettled:
        return Unsettled(
            text("service.apply.unknown", vm=self._step.name), text("service.apply.settle", plan=self._journal.plan_id)
        )

    def _nothing_written(self, digest: str) -> None:
        self._journal.append(StepTakenBack(self._index, StepResult.FAILED.value, digest))
        self._journal.end(self._failed)

    def _take_back(self, written: Written, lost: str) -> ApplyFailed:
        """What failed, once the VM is as before. Raises Unsettled where that cannot be reached."""
        step = self._step
        seen = written.seen
        if seen != step.before:
            try:
                seen = write(self._bench.store, step.uuid, step.before, instead_of=seen, strict=False).seen
            except (Vanished, Moved, Unsure, Unreachable) as error:
                self._journal.end(RunResult.UNKNOWN)
                raise self._unsettled() from error
            if seen != step.before and differences(step.before, seen, None):
                self._journal.end(RunResult.UNKNOWN)
                raise self._unsettled()
        self._nothing_written(self._bench.state.put(seen))
        if written.refused is not None:
            return ApplyFailed(
                text("service.apply.define-refused", vm=step.name, message=written.refused),
                text("service.apply.other-mode"),
            )
        return ApplyFailed(text("service.apply.dropped", vm=step.name, what=lost), text("service.apply.other-mode"))

    def _detail(self) -> Text | None:
        try:
            domain, _words = read_text(self._bench.store, self._step.uuid)
        except (Vanished, Unreachable):
            return None
        return when_it_acts(domain)


def when_it_acts(domain: StoredDomain) -> Text | None:
    """What to say of a VM whose definition was just written: when it will be what the VM runs with."""
    if known_or(domain.has_managed_save, otherwise=False):
        return text("service.vm.saved-image-keeps-old", vm=domain.name)
    if known_or(domain.state, VmState.OFF) in (VmState.RUNNING, VmState.PAUSED, VmState.SUSPENDED):
        return text("service.vm.at-next-start", vm=domain.name)
    return None
