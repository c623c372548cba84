# SPDX-License-Identifier: GPL-3.0-or-later
"""Where everything in the picture stands: plain geometry, so that it can be tested without a window."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from vitrail.qt.picture.state import Picture

RIM = 12.0
"""Glass around the cards of a pane."""
CHIP = 32.0
_MIN_WIDTH = 760.0
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
    height: float


def place(picture: Picture, width: float, heights: Mapping[str, float], room: float) -> Places:
    """Lay the picture out in this width; `heights` are the nodes' own, `room` the height that is there to fill."""
    columns = _columns(picture, max(width, _MIN_WIDTH))
    gap = 10.0 if picture.folded else 22.0
    nodes: dict[str, Box] = {}
    panes: list[Box] = []
    chips: list[tuple[Box, ...]] = []
    y = _CAPTION
    spare = max(0.0, room - _natural(picture, heights, gap))
    gap += min(30.0, spare / max(1, len(picture.panes)))
    for pane in picture.panes:
        monitors = [m for m in picture.monitors if any(_feeds(m.key, card.key) for card in pane.cards)]
        column = columns.cards
        inner = y + RIM
        for card in pane.cards:
            nodes[card.key] = Box(column.x + RIM, inner, column.width - 2 * RIM, heights[card.key])
            inner += heights[card.key] + RIM / 1.5
        pane_chips = _chips(len(pane.tied), column, inner)
        chips.append(pane_chips)
        bottom = (pane_chips[-1].bottom if pane_chips else inner - RIM / 1.5) + RIM
        stack = sum(heights[m.key] for m in monitors) + 10 * max(0, len(monitors) - 1)
        taller = max(bottom - y, stack)
        top = y + (taller - stack) / 2
        for monitor in monitors:
            nodes[monitor.key] = Box(columns.monitors.x, top, columns.monitors.width, heights[monitor.key])
            top += heights[monitor.key] + 10
        shift = (taller - (bottom - y)) / 2
        panes.append(Box(column.x, y + shift, column.width, bottom - y))
        for card in pane.cards:
            box = nodes[card.key]
            nodes[card.key] = Box(box.x, box.y + shift, box.width, box.height)
        chips[-1] = tuple(Box(chip.x, chip.y + shift, chip.width, chip.height) for chip in pane_chips)
        y += taller + gap
    below = _place_vms(picture, columns.vms, heights, nodes, max(y - gap, room))
    return Places(columns, nodes, tuple(panes), tuple(chips), max(y - gap, below) + 4)


def _columns(picture: Picture, width: float) -> Columns:
    screens = 140.0 if picture.monitors else 0.0
    first = 60.0 if picture.monitors else 0.0
    second = max(70.0, width * 0.075)
    rest = width - screens - first - second
    cards = rest * 0.52
    left = screens + first
    return Columns(
        Box(0, 0, screens, _CAPTION),
        Box(left, 0, cards, _CAPTION),
        Box(left + cards + second, 0, rest - cards, _CAPTION),
    )


def _natural(picture: Picture, heights: Mapping[str, float], gap: float) -> float:
    return _CAPTION + sum(
        sum(heights[card.key] + RIM for card in pane.cards) + RIM + gap + (CHIP if pane.tied else 0)
        for pane in picture.panes
    )


def _feeds(monitor: str, card: str) -> bool:
    return monitor.split("/", 1)[0].removeprefix("monitor:") == card.removeprefix("card:")


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


def _place_vms(
    picture: Picture, column: Box, heights: Mapping[str, float], nodes: dict[str, Box], room: float
) -> float:
    total = sum(heights[vm.key] for vm in picture.vms)
    spaces = max(1, len(picture.vms) - 1)
    gap = min(28.0, max(8.0 if picture.folded else 14.0, (room - _CAPTION - total) / spaces))
    y = _CAPTION
    for vm in picture.vms:
        nodes[vm.key] = Box(column.x, y, column.width, heights[vm.key])
        y += heights[vm.key] + gap
    return y - gap if picture.vms else y
