# SPDX-License-Identifier: GPL-3.0-or-later
"""What this computer needs before it can give a card: the trial, what Keep makes lasting, and how safe that is."""

from __future__ import annotations

from vitrail.model.machine import Gpu, Host
from vitrail.model.plan import Guard, Phase

HOST_PHASE = "prepare-host"
KEEP_PHASE = "keep-host"


def host_phases(host: Host, card: Gpu, plan_id: str) -> tuple[tuple[Phase, ...], Guard | None]:
    """The host's phases for this card with this plan's name in their steps; () where it needs none."""
    _ = (host, card, plan_id)
    return (), None
