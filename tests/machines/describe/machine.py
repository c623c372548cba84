# SPDX-License-Identifier: GPL-3.0-or-later
"""What a description of a recorded machine is made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from machines.describe.board import Board
from machines.describe.daemon import Daemon
from machines.describe.domains import Domain


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine to record: `fill` puts its devices on a board and its files into the board's tree."""

    title: str
    fill: Callable[[Board], None]
    domains: tuple[Domain, ...]
    grouped: bool = True
    daemon: Daemon = field(default_factory=Daemon)
    boots: tuple[int, ...] = ()
    """How long its last starts took, in seconds, the newest first."""
    nvml: tuple[tuple[str, str, int], ...] = ()
    """What NVIDIA's library says of each card: address, name, memory in MiB."""
