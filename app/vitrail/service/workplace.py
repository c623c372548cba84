# SPDX-License-Identifier: GPL-3.0-or-later
"""The verbs on one place: thin joins of reading, judging, planning, changing and taking back.

What plans, writes and takes back is imported by the verb that needs it: a window is up long before anybody asks.
"""
# ruff: noqa: PLC0415

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import cached_property
from typing import TYPE_CHECKING

from vitrail.judge.passthrough import apply_gates
from vitrail.judge.readiness import judge_host
from vitrail.model.boots import LastBoot, slowest_seconds
from vitrail.model.errors import Refused, Unreachable, Unreadable, Unsettled
from vitrail.model.finding import Finding
from vitrail.model.machine import Host, MachineKind
from vitrail.model.reading import Known, Reading, Unknown
from vitrail.model.text import Text, text
from vitrail.model.vm import Vm
from vitrail.service.view import View

if TYPE_CHECKING:
    from vitrail.model.capabilities import DomainCapabilities
    from vitrail.model.choice import Choice
    from vitrail.model.knowledge import Knowledge
    from vitrail.model.outcome import HistoryEntry, Outcome, RunOutcome
    from vitrail.model.plan import Plan
    from vitrail.model.resume import ResumeState
    from vitrail.model.verdict import ModeVerdict
    from vitrail.service.awaiting import Awaiting
    from vitrail.service.changing import Bench, Progress
    from vitrail.service.helper_install import InstallPreview
    from vitrail.service.host_port import Begun
    from vitrail.service.journal import Run
    from vitrail.service.live_load import LiveLoad
    from vitrail.service.stutters import Stutters
    from vitrail.service.undoing import UndoPreview


class Workplace(View):
    """Everything that the terminal and the desktop can ask of one place. Calls may come from any thread."""

    beside: Callable[[], AbstractContextManager[object]] = nullcontext
    """What is held while something changes: whoever measures the cards lets go of them meanwhile."""

    @cached_property
    def _bench(self) -> Bench:
        from vitrail.service.changing import Bench

        place = self._place
        return Bench(
            place.store, place.state, place.connection, place.open_host(self._root_to_plan_on), place.open_user_files()
        )

    @cached_property
    def knowledge(self) -> Knowledge:
        """What Vitrail was told about modes and devices."""
        from vitrail.service.knowledge import load_knowledge

        return load_knowledge()

    def live_load(self) -> LiveLoad:
        """What measures this place's load; for the one thread that ticks it, which closes it too."""
        from vitrail.service.live_load import LiveLoad

        return LiveLoad(self._place, self)

    def stutters(self) -> Stutters:
        """The moments that the user marked and kept."""
        from vitrail.service.stutters import Stutters

        return Stutters(self._place.state)

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
        from vitrail.judge.access import judge_access
        from vitrail.service.access import access_at

        access = access_at(self._place)
        asked = () if access is None else judge_access(access)
        return (*judge_host(host, self.knowledge), *asked, *self._not_read)

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
        from vitrail.service.access import access_at
        from vitrail.service.resume import resume_at_login

        autostart = resume_at_login(self.connection)
        can, access = self.capabilities(vm), access_at(self._place)
        return make_plan(host, vm, choice, can, self.knowledge, autostart=autostart, access=access)

    def needs_first(self, plan: Plan) -> InstallPreview | None:
        """The root helper that this plan needs and this computer lacks, as it would be installed; None: nothing."""
        from vitrail.service.helper_first import helper_for

        return helper_for(self._place, plan)

    def helper_to_look(self, plan: Plan) -> InstallPreview | None:
        """The root helper where this plan lacks what only root reads; installed, it lends that to the next plan."""
        from vitrail.service.helper_first import helper_to_look

        return helper_to_look(self._place, plan)

    def install_helper(self, preview: InstallPreview) -> tuple[str, ...]:
        """Install exactly what was shown; the paths that changed. Raises Refused, Unreachable or Unsettled."""
        from vitrail.service.helper_install import carry_out

        return carry_out(preview)

    def apply(self, plan: Plan, progress: Progress | None = None, begun: Begun | None = None) -> RunOutcome:
        """Carry the plan out, if everything is still as it was planned on.

        `progress` hears of each step that is over, `begun` of each of root's as it begins: some take minutes.
        Raises Refused or Unreachable with nothing written, ApplyFailed with everything taken back, Unsettled.
        """
        from vitrail.service.applying import apply_plan

        with self._place.state.lock("apply"), self.beside():
            self._forget_lent()
            host = self.read()
            vm = self.find_vm(host, plan.vm_uuid)
            self._require_writable(host, vm, plan)
            self._require_fresh(host, vm, plan)
            try:
                return apply_plan(self._bench, plan, progress, begun)
            finally:
                self._forget_lent()

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
            why = gates or tuple(finding for finding in plan.findings if finding.stops)
            raise Refused(text("service.apply.not-writable"), text("service.apply.by-later-version"), findings=why)

    def preview_undo(
        self, plan_id: str | None = None, everything: bool = False, *, force: bool = False
    ) -> tuple[UndoPreview, ...]:
        """What `undo` would write now; nothing is written."""
        from vitrail.service.undoing import choose_runs, preview

        return preview(self._bench, choose_runs(self._bench, plan_id, everything=everything), force=force)

    def stays_after_undo(self) -> tuple[Text, ...]:
        """What is left of Vitrail on this computer once everything is taken back."""
        stays = [text("service.undo.stays-state", path=str(self._place.state.path))]
        if self._place.may_have_host_runs:
            stays.append(text("service.undo.stays-helper", path="/usr/local/lib/vitrail"))
            stays.append(text("service.undo.stays-root-state"))
        return tuple(stays)

    def undo(
        self,
        plan_id: str | None = None,
        *,
        everything: bool = False,
        force: bool = False,
        begun: Begun | None = None,
    ) -> tuple[RunOutcome, ...]:
        """Take back the newest plan, the named one, or everything, newest first; () where there is nothing.

        Raises Refused or Unreachable with nothing written, Unsettled where only a part was reached.
        """
        from vitrail.service.undoing import choose_runs, undo_run

        outcomes: list[RunOutcome] = []
        with self._place.state.lock("undo"), self.beside():
            for run in choose_runs(self._bench, plan_id, everything=everything):
                try:
                    outcomes.append(undo_run(self._bench, run, force=force, begun=begun))
                except Unreachable as error:
                    if not outcomes:
                        raise
                    raise Unsettled(error.what, *error.next_steps, text("service.undo.again")) from error
                finally:
                    self._forget_lent()
        return tuple(outcomes)

    def history(self) -> tuple[HistoryEntry, ...]:
        """Every run on this place, newest first."""
        if self._place.state.unwritten and not self._place.may_have_host_runs:
            return ()
        from vitrail.service.awaiting import status_or_none
        from vitrail.service.history import read_history

        return read_history(self._place.state, self.connection, status_or_none(self._bench))

    def verify(self, plan_id: str | None = None) -> tuple[Outcome, ...]:
        """Every promise of the named plan, or of the newest plan on each VM, against a new read."""
        from vitrail.service.verifying import runs_to_verify, verify_runs

        runs = runs_to_verify(self._bench, plan_id)
        outcomes = verify_runs(self._bench, runs)
        if not any(run.host is not None for run in runs):
            return outcomes
        from vitrail.service.verifying_host import verify_host

        host = self.read(setup=False)
        return tuple(one for run in runs for one in verify_host(self._bench, run, host)) + outcomes

    def awaiting(self) -> tuple[Awaiting, ...]:
        """What waits for the user's word. Raises Unreachable where root's side does not tell."""
        from vitrail.service.awaiting import what_awaits

        return what_awaits(self._bench, self._place.root_now)

    def resume_state(self) -> ResumeState:
        """Which page is due after a login: the proof, the story of what did not last, or none."""
        from vitrail.service.awaiting import resume_state

        return resume_state(self._bench, self._place.root_now)

    def keep(
        self,
        plan_id: str | None = None,
        *,
        without_screen: bool = False,
        progress: Progress | None = None,
        begun: Begun | None = None,
    ) -> tuple[RunOutcome, ...]:
        """Make what is on trial lasting, and do what waited for that where it still is what was shown.

        Raises Refused, Unreachable or ApplyFailed with the trial as it was, Unsettled.
        """
        from vitrail.service.keeping import keep_plan

        with self._place.state.lock("keep"), self.beside():
            kept = keep_plan(
                self._bench,
                plan_id,
                self._plan_anew,
                without_screen=without_screen,
                progress=progress,
                begun=begun,
            )
        return (kept,)

    def _plan_anew(self, run: Run) -> Plan:
        """The choice of a run on the computer as it is now. Raises Refused where it may not be carried out."""
        self._forget_lent()
        self._forget_lent()
        host = self.read()
        vm = self.find_vm(host, run.started.vm_uuid)
        plan = self.plan(host, vm, run.started.choice)
        self._require_writable(host, vm, plan)
        return plan

    def more_time(self, plan_id: str) -> None:
        """Fifteen more minutes until the guard takes the trial back. Raises Refused, Unreachable or Unsettled."""
        self._bench.host.extend(plan_id)

    def restart_now(self) -> None:
        """Restart this computer. Raises Refused for a place that is not this computer, Unreachable."""
        from vitrail.service.starting import restart

        if self.kind is not MachineKind.REAL:
            raise Refused(text("service.start.not-here"), text("service.start.nothing-happens"))
        restart()

    def start_seconds(self) -> Reading[int]:
        """How long this computer takes from power on to the login."""
        from vitrail.service.starting import start_seconds

        if self.kind is MachineKind.REAL:
            return start_seconds()
        recorded = slowest_seconds(self._place.boots)
        return Unknown(text("service.start.not-recorded")) if recorded is None else Known(recorded, "boots.json")

    def last_boots(self) -> Reading[tuple[LastBoot, ...]]:
        """The last starts of this computer, newest first."""
        from vitrail.service.last_boots import last_boots

        if self.kind is MachineKind.REAL:
            return last_boots()
        known = self._place.boots
        return Known(known, "boots.json") if known else Unknown(text("service.start.not-recorded"))

    def settle(self, plan_id: str) -> None:
        """The user knows that this plan was taken back by itself: nothing asks about it at a login any more.

        Raises Refused or Unreachable where something of it is still in effect; then `undo` is due.
        """
        from vitrail.service.awaiting import require_taken_back

        require_taken_back(self._bench, plan_id)
        self.undo(plan_id)

    def still_acting(self) -> tuple[str, ...]:
        """Plans that are taken back and still act until this computer starts again."""
        from vitrail.service.awaiting import still_acting

        return still_acting(self._bench, self._place.root_now)

    def kept_half_way(self) -> tuple[str, ...]:
        """Plans that are kept and whose VM's part is still to come: `keep` goes on there."""
        from vitrail.service.awaiting import kept_half_way

        return kept_half_way(self._bench)

    def last_taken_back(self) -> ResumeState | None:
        """The newest change that the guard took back, None where the newest is another's or was taken back by hand."""
        from vitrail.service.awaiting import last_taken_back

        return last_taken_back(self._bench)

    def drop_stale_resume(self) -> None:
        """Nothing awaits: the entry that opens the proof page at login goes, if it is there and is ours."""
        from vitrail.service.user_step import drop_resume

        drop_resume(self._bench.user)


def _gates(host: Host, choice: Choice) -> tuple[Finding, ...]:
    """What forbids applying a choice that takes a card from this computer; drawing on one takes nothing."""
    from vitrail.model.choice import Passthrough

    gpu = host.gpu_at(choice.gpu) if isinstance(choice, Passthrough) else None
    return () if gpu is None else apply_gates(host, gpu)
