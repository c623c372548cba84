# SPDX-License-Identifier: GPL-3.0-or-later
"""What the page Live load says besides the curves: its headline, why there is nothing, and the table's rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from vitrail.model.machine import MachineKind
from vitrail.model.reading import Unknown
from vitrail.model.sample import Sample
from vitrail.model.text import Text, text
from vitrail.qt.facts import Facts
from vitrail.qt.load.lines import LoadLine, LoadLines, Told
from vitrail.qt.load.traces import Dot
from vitrail.qt.rows import Cell, Row
from vitrail.qt.theme import Tone
from vitrail.qt.widgets.labels import Say
from vitrail.qt.words import tell
from vitrail.service.load_csv import CsvCurve

COLUMNS = ("name", "on", "load", "memory", "details")


@dataclass(frozen=True, slots=True)
class Empty:
    """Nothing can be measured here: what, why, and where to go from here."""

    title: Text
    why: tuple[Text, ...]
    demo: bool


def empty_state(facts: Facts) -> Empty | None:
    """Why there will be no curves; None where there will be some."""
    match facts.kind:
        case MachineKind.REAL:
            pass
        case MachineKind.REMOTE:
            return Empty(text("qt.load.remote"), (text("load.unsupported.remote"),), demo=False)
        case _:
            return Empty(text("qt.load.recorded"), (text("load.unsupported.recorded"),), demo=False)
    if isinstance(facts.host.gpus, Unknown):
        return Empty(text("qt.load.cards-unread"), (facts.host.gpus.reason,), demo=True)
    if not facts.cards and not facts.vms:
        return Empty(text("qt.load.nothing-here"), (text("qt.load.nothing-here.why"),), demo=True)
    return None


def headline(sample: Sample | None, lines: LoadLines | None) -> Text:
    """How things are, in one sentence."""
    if sample is None or lines is None:
        return text("qt.load.measuring")
    busiest = next((line for line in lines.vms if line.load is not None and line.load.percent is not None), None)
    if busiest is None or busiest.load is None or busiest.of is None:
        return text("qt.load.headline-cards", count=len(lines.cards)) if lines.cards else text("qt.rail.load")
    return text("qt.load.headline", vm=busiest.title, percent=busiest.load.words, of=busiest.of)


def table_rows(lines: LoadLines, say: Say) -> tuple[Row, ...]:
    """The picture as a table, with every whole reason at the row's end."""
    return tuple(_row(line, say) for line in lines.every)


def _row(line: LoadLine, say: Say) -> Row:
    # The whole reasons come last, where there is room.
    told = [one for one in (line.share, *line.facts) if one is not None]
    silent = [one for one in (line.load, line.memory) if one is not None and one.why is not None]
    details = [_whole(one, say) for one in (*told, *silent)]
    if line.told_by is not None:
        details.append(say(line.told_by))
    return Row(
        line.key,
        (
            Cell(tell(say, line.title)),
            Cell(tell(say, line.on)),
            _load_cell(line, say),
            Cell("") if line.memory is None else _cell(line.memory, say),
            Cell(" · ".join(details)),
        ),
    )


def _load_cell(line: LoadLine, say: Say) -> Cell:
    """The load with what it is of; a VM without a card has none, and where it is says why."""
    if line.load is None:
        return Cell("", -2.0)
    if line.load.percent is None or line.of is None:
        return _cell(line.load, say)
    return Cell(f"{say(line.load.words)} {say(line.of)}", line.load.percent)


def _cell(told: Told, say: Say) -> Cell:
    if told.why is not None:
        return Cell(say(told.words), -1.0, Tone.UNKNOWN)
    return Cell(say(told.words), told.percent)


def _whole(told: Told, say: Say) -> str:
    words = say(told.words)
    return words if told.why is None else f"{words} ({say(told.why)})"


def export_curves(
    lines: LoadLines, dots: Callable[[str], Sequence[Dot]], edges: tuple[float, float]
) -> tuple[CsvCurve, ...]:
    """What is shown, for other programs: fixed words, no language."""
    return tuple(
        CsvCurve(
            line.thing.partition(":")[0],
            line.title if isinstance(line.title, str) else line.thing.partition(":")[2],
            line.thing.partition(":")[2],
            "" if line.of is None else line.of.id.rpartition(".")[2],
            tuple(dot for dot in dots(line.key) if edges[0] <= dot.at <= edges[1]),
        )
        for line in lines.every
    )
