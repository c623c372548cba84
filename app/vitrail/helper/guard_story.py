# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of trials that nobody kept, and what this boot shows of kept plans.

The guard's snapshot lies beside the run. A trial that never came as far as the guard left none: it is noticed in the
next normal start, and told from the journal of the boots before.
"""

from __future__ import annotations

import contextlib
import json
import time

from vitrail.helper.foundation import foundation, is_off, is_on_line
from vitrail.helper.guard_clock import read_clock
from vitrail.helper.guard_lines import earlier_kernel_lines, kernel_lines
from vitrail.helper.journal import Run, read_runs
from vitrail.helper.machine import boot_id, driver_of, read_identity
from vitrail.helper.put import new_state, put
from vitrail.helper.state import RUNS, State
from vitrail.helper.tree import Tree
from vitrail.model.host_step import cards_of, tokens_of
from vitrail.model.host_story import (
    HostStory,
    HostTrial,
    KeptDevice,
    KeptPlan,
    SeenDriver,
    SeenOutput,
    TrialSeen,
    TrialState,
    WhyBack,
)
from vitrail.model.host_wire import Refusal
from vitrail.model.outcome import RunState
from vitrail.model.pci import DeviceIdentity
from vitrail.model.wire import canonical, from_wire

_FILE = "seen.json"
_TEMPORARY = ".vitrail-seen.tmp"
_PRIVATE = 0o600
_DRM = "sys/class/drm"
_MOST = 20
_LIMIT = 1024 * 1024


def seen_now(tree: Tree, run: Run, why: WhyBack) -> TrialSeen:
    """This boot as it is, for whoever wants to know tomorrow."""
    addresses = sorted({identity.address for identity in run.plan.identities})
    return TrialSeen(
        boot_id(tree),
        time.time(),
        why,
        kernel_lines(tree),
        tuple(SeenDriver(address, driver_of(tree, address)) for address in addresses),
        _outputs(tree),
    )


def _outputs(tree: Tree) -> tuple[SeenOutput, ...]:
    found = ((name, tree.words(f"{_DRM}/{name}/status")) for name in tree.names(_DRM))
    return tuple(SeenOutput(name, words) for name, words in found if words)


def note_seen(state: State, run: str, seen: TrialSeen) -> None:
    """Put it beside the run. Raises OSError and Refusal."""
    content = canonical(seen).encode() + b"\n"
    put(state.tree, f"{RUNS}/{run}/{_FILE}", content, new_state(state.tree, content, _PRIVATE), _TEMPORARY)


def read_seen(tree: Tree, run: str) -> TrialSeen | None:
    """What was put beside this run, None where nothing was that can be read."""
    try:
        seen: TrialSeen = from_wire(TrialSeen, json.loads(tree.fact(f"{RUNS}/{run}/{_FILE}", _LIMIT)))
    except (OSError, ValueError, RecursionError, Refusal):
        return None
    return seen


def story(state: State) -> HostStory:
    """Trials that nobody kept, newest first, and every kept plan. Raises Refusal where this boot has no id."""
    runs, _ = read_runs(state.tree)
    trials, kept, plans = list[HostTrial](), list[KeptPlan](), set[str]()
    for run in runs:
        if run.kept is not None and run.in_effect and run.plan.plan_id not in plans:
            kept.append(_kept(state.tree, run))
        elif run.plan.guarded and run.kept is None and run.plan.plan_id not in plans and len(trials) < _MOST:
            trial = _trial(state, run)
            trials += [trial] if trial is not None else []
        plans.add(run.plan.plan_id)
    return HostStory(tuple(trials), tuple(kept))


def trial_state(tree: Tree, run: Run) -> TrialState | None:
    """Where a guarded run that nobody kept stands, None where there is nothing to tell."""
    if run.state in (RunState.TAKEN_BACK, RunState.FAILED):
        return TrialState.TAKEN_BACK if read_seen(tree, run.name) is not None else None
    if run.plan.boot_id == boot_id(tree):
        return TrialState.RESTART_DUE if run.state is RunState.APPLIED else None
    if read_seen(tree, run.name) is not None and run.state is not RunState.APPLIED:
        return TrialState.NOT_ALL_BACK
    if not is_on_line(tree, run.plan.plan_id):
        return TrialState.FELL_BACK
    return TrialState.OFF if is_off(tree) else TrialState.RUNNING


def _trial(state: State, run: Run) -> HostTrial | None:
    now = trial_state(state.tree, run)
    if now is None:
        return None
    clock = read_clock(state.tree)
    if clock is not None and clock.plan_id != run.plan.plan_id:
        clock = None
    seen = read_seen(state.tree, run.name)
    if seen is None and now is TrialState.FELL_BACK:
        seen = _noticed(state, run)
    return HostTrial(run.plan.plan_id, run.name, now, clock, seen)


def _noticed(state: State, run: Run) -> TrialSeen:
    """A trial that came to nothing, told from the boots before this one while the journal still has them."""
    found = earlier_kernel_lines(state.tree, run.plan.plan_id)
    boot, lines = found if found is not None else (None, None)
    seen = TrialSeen(boot, time.time(), WhyBack.FELL_BACK, lines, None, None)
    # Who cannot write it down tells it all the same, and looks again the next time.
    with contextlib.suppress(OSError, Refusal):
        note_seen(state, run.name, seen)
    return seen


def _kept(tree: Tree, run: Run) -> KeptPlan:
    plan, kept = run.plan, run.kept
    if kept is None:
        raise ValueError(run.name)
    return KeptPlan(
        plan.plan_id,
        kept.kept_at,
        kept.foundation,
        foundation(tree),
        is_on_line(tree, plan.plan_id) if plan.plan_id in tokens_of(plan) else None,
        tuple(_device(tree, card.identity) for card in cards_of(plan) if card.plan_id == plan.plan_id),
    )


def _device(tree: Tree, identity: DeviceIdentity) -> KeptDevice:
    now = read_identity(tree, identity.address)
    same = None if now.vendor_id is None else now == identity
    return KeptDevice(identity, same, driver_of(tree, identity.address))
