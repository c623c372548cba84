# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans made by hand, for tests of what carries plans out."""

from __future__ import annotations

from vitrail.model.choice import Virtio
from vitrail.model.plan import Phase, Plan, Writer
from vitrail.model.step import EditVm
from vitrail.model.wire import digest, text_digest


def make_plan_for(before: str, after: str, *, uuid: str = "11111111-2222-3333-4444-555555555555") -> Plan:
    """A plan with one VM step from one text to another."""
    step = EditVm(uuid, "guest", before, after, text_digest(before), text_digest(after))
    phase = Phase("vm", Writer.VM, (step,), writable=True)
    return Plan(
        plan_id=digest(step)[:16],
        choice=Virtio(),
        vm_uuid=uuid,
        vm_name="guest",
        host_digest="",
        vm_digest=text_digest(before),
        machine_id_hash=None,
        boot_id=None,
        identities=(),
        phases=(phase,),
        losses=(),
        findings=(),
    )
