# SPDX-License-Identifier: GPL-3.0-or-later
"""Before the restart, as facts for the page: what to have ready, what happens when, what to do if it stays dark."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from math import ceil

from vitrail.model.choice import gpu_of
from vitrail.model.machine import Gpu, Host, MachineKind, Output
from vitrail.model.plan import Guard, GuardStrength, Plan
from vitrail.model.reading import Known, Reading
from vitrail.model.text import Text, text
from vitrail.plan.rescue import rescue_lines
from vitrail.plan.timeline import Moment, Timeline, timeline
from vitrail.qt.theme import Tone
from vitrail.qt.wizard.state.cards import card_name, connected_outputs, output_name

Say = Callable[[Text], str]
_TONES = {
    GuardStrength.AUTOMATIC: Tone.GOOD,
    GuardStrength.BY_MENU: Tone.WARN,
    GuardStrength.GUARD_UNIT: Tone.WARN,
}


@dataclass(frozen=True, slots=True)
class Check:
    """One thing to have ready; `must`: the button waits for it."""

    words: Text
    must: bool = True


@dataclass(frozen=True, slots=True)
class TimeMark:
    """One point of the timeline; `share` is where it stands between the first (0) and the last (1)."""

    moment: Moment
    clock: str
    words: Text
    share: float


@dataclass(frozen=True, slots=True)
class BeforePage:
    """`rescue` is also what the QR code holds: the text itself, no address of a page."""

    question: Text
    lead: Text
    strength: Text
    tone: Tone
    reasons: tuple[Text, ...]
    checks: tuple[Check, ...]
    marks: tuple[TimeMark, ...]
    dark: Text
    start: Text
    rescue_title: Text
    rescue: tuple[Text, ...]
    restarts: bool
    """Whether the button restarts this computer; a recording is not restarted."""


def before_page(host: Host, plan: Plan, guard: Guard, now: float, start_seconds: Reading[int]) -> BeforePage:
    """The page for a plan that was just applied. `now` is seconds since the epoch."""
    line = timeline(guard.strength, now, start_seconds)
    # The hour alone would be past for who reads for long, or restarts later with the sheet in hand.
    minutes, until = ceil((line.wait_until - now) / 60), clock(line.wait_until)
    return BeforePage(
        question=text("qt.before.question"),
        lead=text("qt.before.lead", vm=plan.vm_name),
        strength=text(f"qt.before.strength.{guard.strength.value}"),
        tone=_TONES[guard.strength],
        reasons=guard.reasons,
        checks=_checks(host, plan, guard),
        marks=_marks(line),
        dark=text("qt.before.dark", minutes=minutes, until=until),
        start=text("qt.before.start-assumed" if line.assumed else "qt.before.start-read", seconds=line.start_seconds),
        rescue_title=text("qt.before.rescue-title", plan=plan.plan_id, minutes=minutes, until=until),
        rescue=rescue_lines(plan, host),
        restarts=host.kind is MachineKind.REAL,
    )


def clock(seconds: float) -> str:
    """The hour on this computer's own clock."""
    return datetime.fromtimestamp(seconds).astimezone().strftime("%H:%M")


def rescue_text(say: Say, page: BeforePage) -> str:
    """The rescue sheet as it is printed, copied and put into the code."""
    lines = (f"{number}. {say(line)}" for number, line in enumerate(page.rescue, 1))
    return "\n".join((say(page.rescue_title), *lines))


def _marks(line: Timeline) -> tuple[TimeMark, ...]:
    first, last = line.marks[0].at, line.marks[-1].at
    return tuple(
        TimeMark(mark.moment, clock(mark.at), mark.words, (mark.at - first) / (last - first)) for mark in line.marks
    )


def _checks(host: Host, plan: Plan, guard: Guard) -> tuple[Check, ...]:
    setup = host.boot.setup
    found = [Check(text("qt.before.check.saved")), Check(text("qt.before.check.sheet"))]
    stays = _staying(host, plan)
    if stays is not None:
        found.append(
            Check(text("qt.before.check.screen", output=output_name(stays[1]), card=card_name(host, stays[0])))
        )
    if isinstance(setup.sealed_unlock, Known) and setup.sealed_unlock.value:
        found.append(Check(text("qt.before.check.recovery-key")))
    if isinstance(setup.asks_passphrase, Known) and setup.asks_passphrase.value:
        found.append(Check(text("qt.before.check.passphrase")))
    if guard.strength is not GuardStrength.AUTOMATIC:
        found.append(Check(text("qt.before.check.other-way"), must=False))
    return tuple(found)


def _staying(host: Host, plan: Plan) -> tuple[Gpu, Output] | None:
    gpus = host.gpus.value if isinstance(host.gpus, Known) else ()
    staying = [
        (gpu, output) for gpu in gpus if gpu.address != gpu_of(plan.choice) for output in connected_outputs(gpu) or ()
    ]
    return next(iter(staying), None)
