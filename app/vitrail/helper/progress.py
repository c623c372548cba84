# SPDX-License-Identifier: GPL-3.0-or-later
"""Which step begins, told to whoever started the core: a line on a descriptor of its own, kinds and no sentences.

Beside the answer and never in its place, so that one line in still gets one line out. What cannot be told is no reason
to stop.
"""

from __future__ import annotations

import contextlib
import os

from vitrail.helper.state import State
from vitrail.model.host_place import kind_of_change, subject_of_change
from vitrail.model.host_step import HostPlan
from vitrail.model.host_wire import HostProgress
from vitrail.model.wire import canonical


def tell(state: State, plan: HostPlan, index: int, *, back: bool = False) -> None:
    """This step begins, or its taking back."""
    if state.progress_descriptor < 0:
        return
    change = plan.steps[index]
    told = HostProgress(
        plan.plan_id, index + 1, len(plan.steps), kind_of_change(change), subject_of_change(change), back
    )
    with contextlib.suppress(OSError):
        os.write(state.progress_descriptor, canonical(told).encode() + b"\n")
