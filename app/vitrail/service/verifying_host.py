# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether this computer is as a plan promised: its start, its cards' drivers and its files, each by a new read.

What acts at a start can only be seen after one. Until then such a promise is neither kept nor broken, and says so.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from vitrail.model.binding import BindLive
from vitrail.model.edited_lines import Unrenderable
from vitrail.model.errors import Refused, Unreachable
from vitrail.model.finding import Evidence
from vitrail.model.host_place import place_of, subject_of_change, subject_path
from vitrail.model.host_step import HostChange, WriteFile, arguments_of, cards_of, tokens_of
from vitrail.model.kernel_argument import PlanToken, word_of, words_of
from vitrail.model.outcome import Outcome, PromiseResult
from vitrail.model.permission import (
    GROUPS,
    SELINUX_CONFIG,
    SELINUX_TYPE,
    USERS,
    JoinGroup,
    LabelRom,
    is_labelled,
    is_member,
    local_labels,
)
from vitrail.model.reading import Known, Reading, Unknown
from vitrail.model.render import digest_of, render
from vitrail.model.text import Text, text
from vitrail.model.wire import text_digest
from vitrail.service.user_step import RESUME_FILE

if TYPE_CHECKING:
    from vitrail.model.host_step import HostPlan
    from vitrail.model.machine import Host
    from vitrail.service.changing import Bench
    from vitrail.service.journal import Run

_NOTHING = "-"
_VFIO = "vfio-pci"
_SHOWN_DIGITS = 16


def verify_host(bench: Bench, run: Run, host: Host) -> tuple[Outcome, ...]:
    """Every promise of this run about the computer and the user's files."""
    if run.host is None:
        return ()
    plan = run.host.handed_over.plan
    start = _in_effect(bench, run, host) if run.in_effect else _gone(plan, host)
    files = tuple(
        _file(bench, change, there=run.in_effect) for change in _changes(run) if isinstance(change, WriteFile)
    )
    live = tuple(one for change in _changes(run) for one in _live(bench, change, host, there=run.in_effect))
    outcomes = (*start, *live, *files, *_user_files(bench, run))
    if run.host.kept is None or all(one.result is not PromiseResult.BROKEN for one in outcomes):
        return outcomes
    return _dated(bench, run.started.plan_id, outcomes)


def _dated(bench: Bench, plan_id: str, outcomes: tuple[Outcome, ...]) -> tuple[Outcome, ...]:
    """With what was updated since the promise was last seen to hold: that is where a broken one comes from mostly."""
    try:
        kept = bench.host.kept(plan_id)
    except (Refused, Unreachable):
        return outcomes
    if kept is None:
        return outcomes
    then, now = kept.then, kept.now
    pairs = (("kernel", then.kernel, now.kernel), ("firmware", then.firmware, now.firmware))
    day = datetime.fromtimestamp(kept.kept_at, UTC).strftime("%Y-%m-%d")
    since = tuple(
        Evidence(f"{what} {day}", f"{before or '?'} → {after or '?'}")
        for what, before, after in pairs
        if before != after
    )
    return tuple(
        replace(one, evidence=one.evidence + since) if one.result is PromiseResult.BROKEN else one for one in outcomes
    )


def _changes(run: Run) -> tuple[HostChange, ...]:
    """What is meant to be there now: the trial, or what Keep made lasting; once taken back, nothing of either."""
    if run.host is None:
        return ()
    plan = run.host.handed_over.plan
    if not run.in_effect:
        return (*plan.steps, *plan.keep)
    return plan.keep if run.host.kept is not None and plan.keep else plan.steps


def _restart_due(bench: Bench, plan: HostPlan) -> bool:
    """Whether this is still the boot in which it was applied; a recording never gets another."""
    now = bench.host.boot_id()
    return bench.host.simulated or (isinstance(now, Known) and now.value == plan.boot_id)


def _in_effect(bench: Bench, run: Run, host: Host) -> tuple[Outcome, ...]:
    plan = run.host.handed_over.plan if run.host is not None else None
    if plan is None:
        return ()
    early = _restart_due(bench, plan)
    words = dict.fromkeys(word for change in _changes(run) for word in words_of(arguments_of(change)))
    promises: list[tuple[Text, str, Reading[str]]] = [
        (text("service.verify.word", word=word), word, _word(host, word)) for word in words
    ]
    cards = dict.fromkeys(card.identity.address for card in cards_of(plan) if card.plan_id == plan.plan_id)
    for address in cards:
        device = host.device_at(address)
        driver = Unknown(text("service.verify.no-device")) if device is None else _told(device.driver)
        promises.append((text("service.verify.driver", address=str(address)), _VFIO, driver))
    if cards:
        promises.append((text("service.verify.iommu"), "on", _on(host.iommu.active)))
    if early:
        why = Unknown(text("service.verify.restart-first"))
        return tuple(_outcome(step, expected, why) for step, expected, _seen in promises)
    return tuple(_outcome(step, expected, seen) for step, expected, seen in promises)


def _live(bench: Bench, change: HostChange, host: Host, *, there: bool) -> tuple[Outcome, ...]:
    """What acts at once, where it is of that kind. In a copy nothing acts."""
    seen: Reading[str]
    match change:
        case BindLive():
            address = change.identity.address
            step = text("service.verify.driver-now", address=str(address))
            device = host.device_at(address)
            expected = (change.after if there else change.before) or _NOTHING
            seen = Unknown(text("service.verify.no-device")) if device is None else _told(device.driver)
        case JoinGroup() | LabelRom() if there:
            # Who had it before keeps it, so nothing is promised once it is taken back.
            step = text("service.verify.given", subject=subject_of_change(change))
            expected = change.group.value if isinstance(change, JoinGroup) else SELINUX_TYPE
            seen = _given(bench, change, expected)
        case _:
            return ()
    return (_outcome(step, expected, Unknown(text("service.verify.copy")) if bench.host.simulated else seen),)


def _given(bench: Bench, change: JoinGroup | LabelRom, expected: str) -> Reading[str]:
    """What the system's program wrote, where the system reads it."""
    if isinstance(change, JoinGroup):
        users, groups = _content(bench, USERS), _content(bench, GROUPS)
        if isinstance(users, Unknown):
            return users
        if isinstance(groups, Unknown):
            return groups
        return Known(expected if is_member(users.value, groups.value, change) else _NOTHING, groups.source)
    config = _content(bench, SELINUX_CONFIG)
    if isinstance(config, Unknown):
        return config
    labels = _content(bench, local_labels(config.value) or SELINUX_CONFIG)
    if isinstance(labels, Unknown):
        return labels
    return Known(expected if is_labelled(labels.value, change.path) else _NOTHING, labels.source)


def _content(bench: Bench, path: str) -> Reading[str]:
    content = bench.host.file(path)
    if isinstance(content, Unknown):
        return content
    return Known((content.value or b"").decode("utf-8", "replace"), content.source)


def _gone(plan: HostPlan, host: Host) -> tuple[Outcome, ...]:
    """Taken back: nothing of it may act from the next start on."""
    if plan.plan_id not in tokens_of(plan):
        return ()
    token = word_of(PlanToken(plan.plan_id))
    seen = _word(host, token)
    step = text("service.verify.word-gone", word=token)
    if isinstance(seen, Known) and seen.value == token:
        # It acts until the computer starts again, which nobody can do for the user.
        return (_outcome(step, _NOTHING, Unknown(text("service.verify.restart-first"))),)
    return (_outcome(step, _NOTHING, seen),)


def _word(host: Host, word: str) -> Reading[str]:
    if isinstance(host.cmdline, Unknown):
        return host.cmdline
    return Known(word if word in host.cmdline.value.split() else _NOTHING, host.cmdline.source)


def _told(reading: Reading[str | None]) -> Reading[str]:
    return reading if isinstance(reading, Unknown) else Known(reading.value or _NOTHING, reading.source)


def _on(reading: Reading[bool]) -> Reading[str]:
    return reading if isinstance(reading, Unknown) else Known("on" if reading.value else "off", reading.source)


def _outcome(step: Text, expected: str, seen: Reading[str]) -> Outcome:
    if isinstance(seen, Unknown):
        return Outcome(step, PromiseResult.UNKNOWN, expected, "", (), seen.reason)
    result = PromiseResult.KEPT if seen.value == expected else PromiseResult.BROKEN
    return Outcome(step, result, expected, seen.value, (Evidence(seen.source, seen.value),))


def _file(bench: Bench, change: WriteFile, *, there: bool) -> Outcome:
    subject = subject_of_change(change)
    step = text("service.verify.file" if there else "service.verify.file-gone", path=subject)
    expected = change.after if there else change.before
    now = bench.host.file(subject_path(change) or "")
    if isinstance(now, Unknown):
        return _outcome(step, _shown(expected), now)
    content, source = now.value, now.source
    digest = None if content is None else digest_of(content)
    held = digest == expected or (
        content is not None and not place_of(change.template).ours and _has(change, content) is there
    )
    seen = _shown(expected if held else digest)
    return _outcome(step, _shown(expected), Known(seen, source))


def _has(change: WriteFile, content: bytes) -> bool:
    """Whether a file that is the user's holds our part, whatever else was edited in it."""
    try:
        return render(change.template, content) == content
    except Unrenderable:
        return False


def _shown(digest: str | None) -> str:
    return _NOTHING if digest is None else f"sha256:{digest[:_SHOWN_DIGITS]}"


def _user_files(bench: Bench, run: Run) -> tuple[Outcome, ...]:
    outcomes: list[Outcome] = []
    for record in run.user_steps:
        path = str(bench.user.path(RESUME_FILE))
        there = run.in_effect and record.taken_back is None
        expected = record.started.after_digest if there else record.started.before_digest
        step = text("service.verify.file" if there else "service.verify.file-gone", path=path)
        try:
            words = bench.user.read(RESUME_FILE)
        except OSError as error:
            unread = text("service.host.unread", path=path, message=error.strerror or "")
            outcomes.append(_outcome(step, _shown(expected or None), Unknown(unread)))
            continue
        seen = None if words is None else text_digest(words)
        outcomes.append(_outcome(step, _shown(expected or None), Known(_shown(seen), path)))
    return tuple(outcomes)
