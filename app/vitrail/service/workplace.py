# SPDX-License-Identifier: GPL-3.0-or-later
"""The verbs on one place: thin joins of reading, judging, planning, changing and taking back.

What plans, writes and takes back is imported by the verb that needs it: a window is up long before anybody asks.
"""
# ruff: noqa: PLC0415

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from vitrail.judge.passthrough import apply_gates
from vitrail.judge.readiness import judge_host
from vitrail.model.errors import Refused, Unreachable, Unreadable, Unsettled
from vitrail.model.finding import Finding
from vitrail.model.machine import Host
from vitrail.model.reading import Known, Reading, Unknown
from vitrail.model.text import text
from vitrail.model.vm import Vm
from vitrail.service.view import View

if TYPE_CHECKING:
    from vitrail.model.capabilities import DomainCapabilities
    from vitrail.model.choice import Choice
    from vitrail.model.knowledge import Knowledge
    from vitrail.model.outcome import HistoryEntry, Outcome, RunOutcome
    from vitrail.model.plan import Plan
    from vitrail.model.verdict import ModeVerdict
    from vitrail.service.changing import Bench, Progress
    from vitrail.service.undoing import UndoPreview


class Workplace(View):
    """Everything that the terminal and the desktop can ask of one place. Calls may come from any thread."""

    @cached_property
    def _bench(self) -> Bench:
        from vitrail.service.changing import Bench

        return Bench(self._place.store, self._place.state, self._place.connection)

    @cached_property
    def knowledge(self) -> Knowledge:
        """What Vitrail was told about modes and devices."""
        from vitrail.service.knowledge import load_knowledge

        return load_knowledge()

    def vm_from_text(self, xml: str, host: Host) -> Vm:
        """The VM of a document on disk, as it would be on this host. Raises Unreadable with line and column."""
        from vitrail.probe.vm_graphics import with_host_facts
        from vitrail.xmldoc.vm import read_vm

        unknown = Unknown(text("service.vm.only-a-document"))
        return with_host_facts(read_vm(xml, state=unknown, has_managed_save=unknown, autostart=unknown), host)

    def capabilities(self, vm: Vm) -> Reading[DomainCapabilities]:
        """What this place's QEMU can do for a VM of this kind."""
        from vitrail.xmldoc.capabilities import read_domain_capabilities

        words = self._place.store.capabilities(vm.emulator, vm.arch, vm.machine, vm.virt_type)
        if isinstance(words, Unknown):
            return words
        try:
            return Known(read_domain_capabilities(words.value), words.source)
        except Unreadable as error:
            return Unknown(error.what)

    def findings(self, host: Host) -> tuple[Finding, ...]:
        """What stands in the way of giving VMs graphics here, in general."""
        return (*judge_host(host, self.knowledge), *self._not_read)

    def findings_for(self, host: Host, vm: Vm, choice: Choice) -> tuple[Finding, ...]:
        """What stands in the way of this choice for this VM here and now, what forbids applying it included."""
        from vitrail.judge.feasibility import judge_choice
        from vitrail.judge.weigh import overruled

        judged = judge_choice(host, vm, choice, self.capabilities(vm), self.knowledge)
        return overruled(judged, _gates(host, choice))

    def modes(self, host: Host, vm: Vm, purpose: str) -> tuple[ModeVerdict, ...]:
        """Every mode for this VM, the best for the purpose first."""
        from vitrail.judge.feasibility import judge_modes

        return judge_modes(host, vm, self.capabilities(vm), self.knowledge, purpose)

    def plan(self, host: Host, vm: Vm, choice: Choice) -> Plan:
        """The steps to this choice. Raises Refused with the findings that forbid it."""
        from vitrail.plan.make import make_plan

        return make_plan(host, vm, choice, self.capabilities(vm), self.knowledge)

    def apply(self, plan: Plan, progress: Progress | None = None) -> RunOutcome:
        """Carry the plan out, if everything is still as it was planned on.

        Raises Refused or Unreachable with nothing written, ApplyFailed with everything taken back, Unsettled.
        """
        from vitrail.service.changing import apply_plan

        with self._place.state.lock("apply"):
            host = self.read()
            vm = self.find_vm(host, plan.vm_uuid)
            self._require_writable(host, vm, plan)
            self._require_fresh(host, vm, plan)
            return apply_plan(self._bench, plan, progress)

    def _require_fresh(self, host: Host, vm: Vm, plan: Plan) -> None:
        """The plan made anew must be the same plan; so one that someone made up or altered is refused too."""
        if vm.digest != plan.vm_digest:
            raise Refused(text("service.apply.vm-changed", vm=vm.name), text("service.apply.plan-again"))
        if host.digest != plan.host_digest:
            raise Refused(text("service.apply.machine-changed"), text("service.apply.plan-again"))
        fresh = self.plan(host, vm, plan.choice)
        if fresh.plan_id != plan.plan_id or fresh.phases != plan.phases:
            raise Refused(text("service.apply.plan-changed"), text("service.apply.plan-again"))

    @staticmethod
    def _require_writable(host: Host, vm: Vm, plan: Plan) -> None:
        if not vm.persistent:
            raise Refused(text("service.vm.transient", vm=vm.name), text("service.vm.make-persistent"))
        gates = _gates(host, plan.choice)
        if not plan.writable or any(finding.stops for finding in gates):
            raise Refused(text("service.apply.not-writable"), text("service.apply.by-later-version"), findings=gates)

    def preview_undo(
        self, plan_id: str | None = None, everything: bool = False, *, force: bool = False
    ) -> tuple[UndoPreview, ...]:
        """What `undo` would write now; nothing is written."""
        from vitrail.service.undoing import choose_runs, preview

        return preview(self._bench, choose_runs(self._bench, plan_id, everything=everything), force=force)

    def undo(
        self, plan_id: str | None = None, *, everything: bool = False, force: bool = False
    ) -> tuple[RunOutcome, ...]:
        """Take back the newest plan, the named one, or everything, newest first; () where there is nothing.

        Raises Refused or Unreachable with nothing written, Unsettled where only a part was reached.
        """
        from vitrail.service.undoing import choose_runs, undo_run

        outcomes: list[RunOutcome] = []
        with self._place.state.lock("undo"):
            for run in choose_runs(self._bench, plan_id, everything=everything):
                try:
                    outcomes.append(undo_run(self._bench, run, force=force))
                except Unreachable as error:
                    if not outcomes:
                        raise
                    raise Unsettled(error.what, *error.next_steps, text("service.undo.again")) from error
        return tuple(outcomes)

    def history(self) -> tuple[HistoryEntry, ...]:
        """Every run on this place, newest first."""
        if self._place.state.unwritten:
            return ()
        from vitrail.service.history import read_history

        return read_history(self._place.state, self.connection)

    def verify(self, plan_id: str | None = None) -> tuple[Outcome, ...]:
        """Every promise of the named plan, or of the newest plan on each VM, against a new read."""
        from vitrail.service.verifying import runs_to_verify, verify_runs

        return verify_runs(self._bench, runs_to_verify(self._bench, plan_id))


def _gates(host: Host, choice: Choice) -> tuple[Finding, ...]:
    """What forbids applying a choice that takes a card from this computer; drawing on one takes nothing."""
    from vitrail.model.choice import Passthrough

    gpu = host.gpu_at(choice.gpu) if isinstance(choice, Passthrough) else None
    return () if gpu is None else apply_gates(host, gpu)
