# SPDX-License-Identifier: GPL-3.0-or-later
"""Where everything in the picture stands: plain geometry, so that it can be tested without a window."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from vitrail.qt.picture.state import MonitorNode, Pane, Picture, Wire

RIM = 12.0
"""Glass around the cards of a pane."""
CHIP = 32.0
DOT = 3.6
"""The radius of a line's end; it stands beside the node, not under it."""
Point = tuple[float, float]
_BETWEEN = 8.0
MIN_WIDTH = 690.0
"""What the smallest window leaves beside the rail."""
_NARROW = 800.0
"""Below it the cards, whose names are the longest, get more of the width."""
_CAPTION = 34.0


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle: left, top, width, height."""

    x: float
    y: float
    width: float
    height: float

    @property
    def bottom(self) -> float:
        """Its lower edge."""
        return self.y + self.height

    @property
    def right(self) -> float:
        """Its right edge."""
        return self.x + self.width

    @property
    def middle(self) -> float:
        """Half way down."""
        return self.y + self.height / 2


@dataclass(frozen=True, slots=True)
class Columns:
    """The three columns' left edges and widths, for their captions."""

    monitors: Box
    cards: Box
    vms: Box


@dataclass(frozen=True, slots=True)
class Places:
    """Every node's box by its key, every pane's and chip's in the picture's order, and the size of all."""

    columns: Columns
    nodes: dict[str, Box]
    panes: tuple[Box, ...]
    chips: tuple[tuple[Box, ...], ...]
    ends: dict[Wire, tuple[Point, Point]]
    height: float


def place(picture: Picture, width: float, heights: Mapping[str, float], room: float) -> Places:
    """Lay the picture out in this width; `heights` are the nodes' own, `room` the height that is there to fill."""
    columns = _columns(picture, max(width, MIN_WIDTH))
    nodes: dict[str, Box] = {}
    screens: dict[str, list[MonitorNode]] = defaultdict(list)
    for monitor in picture.monitors:
        screens[f"card:{monitor.key.split('/', 1)[0].removeprefix('monitor:')}"].append(monitor)
    beside = [tuple(one for card in pane.cards for one in screens.get(card.key, ())) for pane in picture.panes]
    stacked = [
        _pane(pane, monitors, columns, heights, nodes) for pane, monitors in zip(picture.panes, beside, strict=True)
    ]
    gap = _gap([whole for whole, _, _ in stacked], room, 10.0 if picture.folded else 22.0, 52.0)
    vm_gap = _gap([heights[vm.key] for vm in picture.vms], room, 8.0 if picture.folded else 14.0, 28.0)
    left = _total([whole for whole, _, _ in stacked], gap)
    right = _total([heights[vm.key] for vm in picture.vms], vm_gap)
    tallest = max(left, right)
    # What fits is centred, the shorter column on the taller one; what has to be scrolled begins at the top.
    fits = _CAPTION + tallest <= room
    top = _CAPTION + (min(90.0, (room - _CAPTION - tallest) * 0.35) if fits else 0.0)
    y = top + ((tallest - left) / 2 if fits else 0.0)
    panes: list[Box] = []
    chips: list[tuple[Box, ...]] = []
    for pane, monitors, (whole, box, row) in zip(picture.panes, beside, stacked, strict=True):
        keys = [*(card.key for card in pane.cards), *(monitor.key for monitor in monitors)]
        nodes.update({key: _down(nodes[key], y) for key in keys})
        panes.append(_down(box, y))
        chips.append(tuple(_down(chip, y) for chip in row))
        y += whole + gap
    y = top + ((tallest - right) / 2 if fits else 0.0)
    for vm in picture.vms:
        nodes[vm.key] = Box(columns.vms.x, y, columns.vms.width, heights[vm.key])
        y += heights[vm.key] + vm_gap
    lift = top - _CAPTION
    columns = Columns(_down(columns.monitors, lift), _down(columns.cards, lift), _down(columns.vms, lift))
    return Places(columns, nodes, tuple(panes), tuple(chips), _ends(picture, nodes), top + tallest + 6)


def _ends(picture: Picture, nodes: dict[str, Box]) -> dict[Wire, tuple[Point, Point]]:
    """Where lines begin and end: side by side, in the order of their other ends, so that none lies on another."""
    leaving: dict[str, list[Wire]] = defaultdict(list)
    arriving: dict[str, list[Wire]] = defaultdict(list)
    for wire in picture.wires:
        leaving[wire.source].append(wire)
        arriving[wire.target].append(wire)
    starts: dict[Wire, Point] = {}
    for source, wires in leaving.items():
        box = nodes[source]
        for index, wire in enumerate(sorted(wires, key=lambda one: nodes[one.target].middle)):
            starts[wire] = (box.right + DOT, box.middle + _offset(index, len(wires), box.height))
    ends: dict[Wire, Point] = {}
    for target, wires in arriving.items():
        box = nodes[target]
        for index, wire in enumerate(sorted(wires, key=lambda one: nodes[one.source].middle)):
            ends[wire] = (box.x - DOT, box.middle + _offset(index, len(wires), box.height))
    return {wire: (starts[wire], ends[wire]) for wire in picture.wires}


def _offset(index: int, count: int, height: float) -> float:
    return (index - (count - 1) / 2) * min(14.0, height * 0.6 / max(1, count))


def _pane(
    pane: Pane,
    monitors: tuple[MonitorNode, ...],
    columns: Columns,
    heights: Mapping[str, float],
    nodes: dict[str, Box],
) -> tuple[float, Box, tuple[Box, ...]]:
    """Lay one pane out from 0 down, with its monitors beside it: the whole height, the pane's box, its chips'."""
    column = columns.cards
    inner = RIM
    for card in pane.cards:
        nodes[card.key] = Box(column.x + RIM, inner, column.width - 2 * RIM, heights[card.key])
        inner += heights[card.key] + _BETWEEN
    chips = _chips(len(pane.tied), column, inner)
    glass = (chips[-1].bottom if chips else inner - _BETWEEN) + RIM
    stack = _total([heights[monitor.key] for monitor in monitors], _BETWEEN)
    whole = max(glass, stack)
    y = (whole - stack) / 2
    for monitor in monitors:
        nodes[monitor.key] = Box(columns.monitors.x, y, columns.monitors.width, heights[monitor.key])
        y += heights[monitor.key] + _BETWEEN
    shift = (whole - glass) / 2
    for card in pane.cards:
        nodes[card.key] = _down(nodes[card.key], shift)
    return whole, Box(column.x, shift, column.width, glass), tuple(_down(chip, shift) for chip in chips)


def _down(box: Box, by: float) -> Box:
    return Box(box.x, box.y + by, box.width, box.height)


def _total(heights: list[float], gap: float) -> float:
    return sum(heights) + gap * max(0, len(heights) - 1)


def _gap(heights: list[float], room: float, least: float, most: float) -> float:
    """As much air as there is room for, within bounds."""
    spare = room - _CAPTION - sum(heights)
    return min(most, max(least, spare / max(1, len(heights))))


def _columns(picture: Picture, width: float) -> Columns:
    narrow = width < _NARROW
    screens = (124.0 if narrow else 140.0) if picture.monitors else 0.0
    first = min(60.0, width * 0.065) if picture.monitors else 0.0
    second = max(56.0, width * 0.075)
    rest = width - screens - first - second
    cards = rest * (0.57 if narrow else 0.52)
    left = screens + first
    return Columns(
        Box(0, 0, screens, _CAPTION),
        Box(left, 0, cards, _CAPTION),
        Box(left + cards + second, 0, rest - cards, _CAPTION),
    )


def _chips(count: int, column: Box, top: float) -> tuple[Box, ...]:
    """Two in a row; a last one alone takes the whole row."""
    space = column.width - 2 * RIM
    half = (space - 6) / 2
    boxes = []
    for number in range(count):
        row, side = divmod(number, 2)
        alone = side == 0 and number == count - 1
        x = column.x + RIM + side * (half + 6)
        boxes.append(Box(x, top + row * (CHIP + 6), space if alone else half, CHIP))
    return tuple(boxes)
