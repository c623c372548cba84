# SPDX-License-Identifier: GPL-3.0-or-later
"""What a mode is judged in: one VM on one machine, with what its QEMU can do and what Vitrail was told."""

from __future__ import annotations

from dataclasses import dataclass

from vitrail.judge.qemu import Capabilities
from vitrail.model.knowledge import Knowledge
from vitrail.model.machine import Host
from vitrail.model.vm import Vm


@dataclass(frozen=True, slots=True)
class Situation:
    """The four things that every judgement of a mode looks at."""

    host: Host
    vm: Vm
    capabilities: Capabilities
    knowledge: Knowledge
