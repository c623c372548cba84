# SPDX-License-Identifier: GPL-3.0-or-later
"""A workplace made of model values, for what a recording cannot say: a slow one, a failing one, many cards."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from vitrail.load.history import History
from vitrail.model.capabilities import Daemon
from vitrail.model.errors import Unreachable, VitrailError
from vitrail.model.finding import Finding
from vitrail.model.knowledge import Knowledge, Term
from vitrail.model.machine import Host, MachineKind
from vitrail.model.outcome import HistoryEntry, Outcome, RunOutcome, RunResult
from vitrail.model.reading import Known, Unknown
from vitrail.model.resume import ResumeStage, ResumeState
from vitrail.model.sample import Sample
from vitrail.model.text import Text, text
from vitrail.model.vm import Vm
from vitrail.qt.facts import Facts
from vitrail.qt.reading import read_facts
from vitrail.service.state import StateFolder
from vitrail.service.stutters import Stutters
from vitrail.service.undoing import UndoPreview

TERM = Term("iommu", text("tests.term"), text("tests.term.meaning"))


class StillLoad:
    """A load where nothing is: no card, no VM."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.folder: Path | None = None

    def know(self, host: Host) -> None:
        self.host = host

    def tick(self) -> Sample:
        return Sample(1_763_640_000.0, Known((), "test"), Known((), "test"))

    def step_aside(self) -> None:
        """Nothing is held."""

    def resume(self) -> None:
        """Nothing was let go of."""

    def history(self) -> History:
        return History(self.folder, 1_763_640_000.0)

    def close(self) -> None:
        """Nothing is held."""


class ModelPlace:
    """Answers as a Workplace does, with what the test put into it."""

    beside: Callable[[], AbstractContextManager[object]] = nullcontext

    def __init__(self, host: Host, **said: Any) -> None:
        self.host = host
        self.kind: MachineKind = said.get("kind", MachineKind.REAL)
        self.label: Text = said.get("label", text("service.place.here"))
        self.connection = "qemu:///system"
        self.knowledge = Knowledge("test", (), (), (), said.get("glossary", (TERM,)))
        self.found: tuple[Finding, ...] = said.get("findings", ())
        self.entries: tuple[HistoryEntry, ...] = said.get("history", ())
        self.previews: tuple[UndoPreview, ...] = said.get("previews", ())
        self.outcomes: tuple[Outcome, ...] = said.get("outcomes", ())
        self.fails: VitrailError | None = said.get("fails")
        self.undone: list[tuple[str | None, bool]] = []
        self.reads = 0
        self.gate = threading.Event()
        self.gate.set()
        """Cleared: whatever is asked does not answer until it is set."""
        self.callback: Callable[[object], None] | None = None
        self.closed = False
        unknown = Unknown(text("tests.unknown"))
        self.resume: ResumeState = said.get("resume", ResumeState(ResumeStage.NOTHING, "", "", "", unknown))
        self.asked: list[str] = []
        self.state_folder: Path | None = said.get("state_folder")
        self.load: Any = said.get("load") or StillLoad(host)

    def stutters(self) -> Stutters:
        return Stutters(StateFolder(self.state_folder or Path("/nonexistent/vitrail")))

    def live_load(self) -> Any:
        return self.load

    def read(self) -> Host:
        self.gate.wait()
        self.reads += 1
        if self.fails is not None:
            raise self.fails
        return self.host

    def find_vm(self, host: Host, name: str) -> Vm:
        raise Unreachable(text("tests.cannot", vm=name, kind=host.kind.value), text("tests.do-this"))

    def daemon(self) -> Known[Daemon]:
        uri = self.connection
        daemon = Daemon(uri, Known((11, 3, 0), uri), Known("QEMU", uri), Known((10, 0, 2), uri))
        return Known(daemon, uri)

    def findings(self, host: Host) -> tuple[Finding, ...]:
        assert host is self.host
        return self.found

    def history(self) -> tuple[HistoryEntry, ...]:
        return self.entries

    def preview_undo(self, plan_id: str | None = None, everything: bool = False) -> tuple[UndoPreview, ...]:
        self.gate.wait()
        return self.previews if everything else tuple(one for one in self.previews if one.plan_id == plan_id)

    def undo(self, plan_id: str | None = None, *, everything: bool = False) -> tuple[RunOutcome, ...]:
        self.gate.wait()
        if self.fails is not None:
            raise self.fails
        with self.beside():
            self.undone.append((plan_id, everything))
        return ()

    def verify(self, plan_id: str | None = None) -> tuple[Outcome, ...]:
        self.gate.wait()
        assert plan_id is not None
        return self.outcomes

    def resume_state(self) -> ResumeState:
        self.gate.wait()
        return self.resume

    def keep(self, plan_id: str, *, without_screen: bool = False) -> tuple[RunOutcome, ...]:
        self.asked.append(f"keep {plan_id} {without_screen}")
        if self.fails is not None:
            raise self.fails
        return (RunOutcome(plan_id, "000002", RunResult.APPLIED, ()),)

    def settle(self, plan_id: str) -> None:
        self.asked.append(f"settle {plan_id}")

    def more_time(self, plan_id: str) -> None:
        self.asked.append(f"more {plan_id}")

    def restart_now(self) -> None:
        self.asked.append("restart")

    def watch(self, callback: Callable[[object], None]) -> None:
        self.callback = callback

    def close(self) -> None:
        self.closed = True


def facts_of(host: Host, **said: Any) -> Facts:
    """The facts of this machine, judged as everywhere."""
    return read_facts(ModelPlace(host, **said))  # type: ignore[arg-type]
