# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes to a recorded computer: the same files from the same templates, in a copy; programs are noted, never run.

It answers as the root helper does, refusals included, so that everything above it can be tried without a risk. What a
copy cannot show is a restart: nothing that is applied here can ever be kept.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vitrail.model.edited_lines import Unrenderable
from vitrail.model.errors import Refused, Unreachable, Unsettled
from vitrail.model.host_journal import HostRunEnded, HostStepDone, HostStepTakenBack
from vitrail.model.host_place import kind_of_change, subject_of_change, subject_path
from vitrail.model.host_step import HostChange, HostPlan, WriteFile, arguments_of
from vitrail.model.host_wire import HostRunOutcome, HostRunState, HostStepOutcome
from vitrail.model.kernel_argument import words_of
from vitrail.model.outcome import RunResult, StepResult
from vitrail.model.reading import Known, Reading, Unknown
from vitrail.model.render import digest_of, render, take_back
from vitrail.model.text import text
from vitrail.service.host_port import Begun, HostStatus, StepTold
from vitrail.service.simulated_runs import SimulatedRun, SimulatedRuns

if TYPE_CHECKING:
    from vitrail.model.host_story import KeptPlan
    from vitrail.model.resume import TrialStory
    from vitrail.service.simulated_files import SimulatedFiles
    from vitrail.service.state import StateFolder

_SETTLED = (StepResult.TAKEN_BACK, StepResult.SAME, StepResult.MERGED)
_BOOT_ID = "proc/sys/kernel/random/boot_id"


@dataclass(frozen=True, slots=True)
class _End:
    result: StepResult
    detail: str | None = None


class HostSimulated:
    """One recording's computer."""

    simulated = True

    def __init__(self, files: SimulatedFiles, state: StateFolder) -> None:
        self._files = files
        self._state = state
        self._runs = SimulatedRuns(state, files.simulation)

    def require(self) -> None:
        """A copy can always be changed."""

    def boot_id(self) -> Reading[str]:
        try:
            return Known(self._files.root.read(_BOOT_ID), f"/{_BOOT_ID}")
        except OSError as error:
            return Unknown(text("service.host.unread", path=f"/{_BOOT_ID}", message=error.strerror or ""))

    def status(self) -> HostStatus:
        return HostStatus(tuple(run.told for run in self._runs.read()))

    def until(self, plan_id: str) -> Reading[float]:
        del plan_id
        return Unknown(text("service.host.simulated-no-restart"))

    def story(self, plan_id: str) -> TrialStory | None:
        del plan_id
        return None

    def kept(self, plan_id: str) -> KeptPlan | None:
        del plan_id
        return None

    def keep(self, plan_id: str, *, without_screen: bool, begun: Begun | None = None) -> HostRunState:
        del plan_id, without_screen, begun
        raise Refused(text("service.host.simulated-no-keep"), text("service.host.simulated-undo"))

    def extend(self, plan_id: str) -> None:
        self.keep(plan_id, without_screen=False)

    def file(self, path: str) -> Reading[bytes | None]:
        try:
            return Known(self._files.read(path), f"/{path}")
        except OSError as error:
            return Unknown(text("service.host.unread", path=f"/{path}", message=error.strerror or ""))

    def apply(self, plan: HostPlan, told: StepTold | None = None, begun: Begun | None = None) -> HostRunOutcome:
        del begun
        waiting = next((run for run in self._runs.read() if run.in_effect and not run.ended), None)
        if waiting is not None:
            first = text("helper.next.undo", plan=waiting.plan.plan_id)
            raise Refused(text("helper.refused.interrupted", plan_id=waiting.plan.plan_id), first)
        contents = self._rendered(plan)
        try:
            for change in plan.steps:
                if isinstance(change, WriteFile) and change.before is not None:
                    self._keep_original(change)
            run = self._runs.begin(plan)
        except OSError as error:
            raise self._state.unusable(error) from error
        try:
            done = tuple(self._step(run, index, contents.get(index), told) for index in range(len(plan.steps)))
            self._runs.append(run, HostRunEnded(RunResult.APPLIED.value, time.time()))
        except OSError as error:
            unusable = self._state.unusable(error)
            raise Unsettled(unusable.what, text("helper.next.undo", plan=plan.plan_id)) from error
        return HostRunOutcome(plan.plan_id, run, RunResult.APPLIED.value, done)

    def _keep_original(self, change: WriteFile) -> None:
        current = self._files.read(subject_path(change) or "") or b""
        self._state.put(current.decode("utf-8", "surrogateescape"))

    def _rendered(self, plan: HostPlan) -> dict[int, bytes]:
        """What each file becomes, all of it before any of it is written. Raises Refused as the helper would."""
        contents: dict[int, bytes] = {}
        now: dict[str, bytes | None] = {}
        for index, change in enumerate(plan.steps):
            if not isinstance(change, WriteFile):
                continue
            path, subject = subject_path(change) or "", subject_of_change(change)
            try:
                current = now[path] if path in now else self._files.read(path)
                content = render(change.template, current)
            except (Unrenderable, OSError) as error:
                raise Refused(text("helper.refused.unrenderable", subject=subject)) from error
            if (None if current is None else digest_of(current)) != change.before:
                again = text("helper.next.plan-again")
                raise Refused(text("helper.refused.subject-changed", subject=subject), again)
            if digest_of(content) != change.after:
                raise Refused(text("helper.refused.rendering", subject=subject))
            contents[index] = now[path] = content
        return contents

    def _step(self, run: str, index: int, content: bytes | None, told: StepTold | None) -> HostStepOutcome:
        change = self._runs.plan(run).steps[index]
        result = StepResult.DONE
        self._runs.started(run, index, change)
        if isinstance(change, WriteFile):
            if change.before == change.after:
                result = StepResult.SAME
            else:
                self._files.put(subject_path(change) or "", content)
        else:
            self._note(run, index, change, back=False)
        self._runs.append(run, HostStepDone(index))
        outcome = HostStepOutcome(index, kind_of_change(change), subject_of_change(change), result.value)
        if told is not None:
            told(outcome)
        return outcome

    def _note(self, run: str, index: int, change: HostChange, *, back: bool) -> None:
        """A program that would have been run, with the words that it would have been given."""
        call = {
            "run": run,
            "step": index,
            "kind": kind_of_change(change),
            "subject": subject_of_change(change),
            "words": list(words_of(arguments_of(change))),
            "back": back,
        }
        self._runs.note(json.dumps(call))

    def undo(self, plan_id: str, *, force: bool, begun: Begun | None = None) -> tuple[HostRunOutcome, ...]:
        del begun
        runs = [run for run in self._runs.read() if run.in_effect]
        wanted = [run for run in runs if run.plan.plan_id == plan_id]
        if not wanted:
            return ()
        later = next((run for run in runs[: runs.index(wanted[0])] if run.paths & wanted[0].paths), None)
        if later is not None:
            first = text("helper.next.undo", plan=later.plan.plan_id)
            raise Refused(text("helper.refused.later-plan", plan_id=later.plan.plan_id), first)
        try:
            return tuple(self._undo_run(run, force=force) for run in wanted)
        except OSError as error:
            raise self._state.unusable(error) from error

    def _undo_run(self, run: SimulatedRun, *, force: bool) -> HostRunOutcome:
        outcomes: list[HostStepOutcome] = []
        for index in reversed(range(len(run.plan.steps))):
            if index not in run.begun:
                continue
            change = run.plan.steps[index]
            end = self._undo_step(run.name, index, change, force=force)
            self._runs.append(run.name, HostStepTakenBack(index, end.result.value, None))
            outcomes.append(
                HostStepOutcome(index, kind_of_change(change), subject_of_change(change), end.result.value, end.detail)
            )
        settled = all(outcome.result in [result.value for result in _SETTLED] for outcome in outcomes)
        result = RunResult.TAKEN_BACK if settled else RunResult.INCOMPLETE
        self._runs.append(run.name, HostRunEnded(result.value, time.time()))
        return HostRunOutcome(run.plan.plan_id, run.name, result.value, tuple(outcomes))

    def _undo_step(self, run: str, index: int, change: HostChange, *, force: bool) -> _End:
        if not isinstance(change, WriteFile):
            self._note(run, index, change, back=True)
            return _End(StepResult.TAKEN_BACK)
        path = subject_path(change) or ""
        current = self._files.read(path)
        digest = None if current is None else digest_of(current)
        if digest == change.before:
            return _End(StepResult.SAME)
        former = None if change.before is None else self._original(change.before)
        if digest == change.after or force:
            self._files.put(path, former)
            return _End(StepResult.TAKEN_BACK)
        if current is None:
            return _End(StepResult.LEFT, "gone")
        try:
            taken = take_back(change.template, former, current)
        except Unrenderable:
            taken = None
        if taken is None:
            return _End(StepResult.LEFT, "edited")
        self._files.put(path, taken or None if former is None else taken)
        return _End(StepResult.MERGED)

    def _original(self, digest: str) -> bytes:
        words = self._state.get(digest)
        if words is None:
            raise Unreachable(text("service.journal.original-gone", path=str(self._state.object_path(digest))))
        return words.encode("utf-8", "surrogateescape")
