# SPDX-License-Identifier: GPL-3.0-or-later
"""What the user who asks may do here, as far as it is worth a word in general; what a VM lacks is its plan's."""

from __future__ import annotations

from vitrail.model.access import Access
from vitrail.model.finding import Evidence, Finding, Severity, Status
from vitrail.model.permission import HostGroup
from vitrail.model.reading import Known, known_or
from vitrail.model.text import text


def judge_access(access: Access) -> tuple[Finding, ...]:
    """That the system's libvirt asks for a password each time, and what would change it. It stops nothing."""
    if access.session or not isinstance(access.person, Known) or not known_or(access.asked, otherwise=False):
        return ()
    user, group = access.person.value.name, HostGroup.LIBVIRT.value
    title = text("judge.access.asked", user=user)
    remedy = text("judge.access.asked.remedy", user=user, group=group)
    evidence = (Evidence(access.asked.source if isinstance(access.asked, Known) else "", group),)
    return (Finding("access.libvirt", Status.FAIL, Severity.INFO, title, evidence, remedy),)
