# SPDX-License-Identifier: GPL-3.0-or-later
"""What belongs to a former mode: Looking Glass' shared memory goes, QEMU's own arguments stay and are named."""

from __future__ import annotations

from vitrail.model.finding import Evidence, Finding
from vitrail.model.text import text
from vitrail.plan.draft import Draft, Ground, warning
from vitrail.xmldoc.devices import command_line_cards, command_line_looking_glass, is_looking_glass, overrides
from vitrail.xmldoc.edits import Remove

_3D_PROPERTIES = frozenset({"venus", "hostmem", "drm_native_context", "blob"})


def without_leftovers(ground: Ground) -> Draft:
    """Take away what only a passed-through card used, and name what stays though it no longer fits."""
    windows = tuple(Remove(node.path) for node in ground.all("shmem") if is_looking_glass(node))
    return Draft(windows, (*_arguments(ground), *_overrides(ground)))


def _arguments(ground: Ground) -> tuple[Finding, ...]:
    remedy = text("plan.arguments-stay.remedy")
    source = "domain/qemu:commandline"
    found = [
        warning(
            "plan.arguments-card",
            text("plan.arguments-card", address=str(address)),
            remedy,
            Evidence(source, str(address)),
        )
        for address in command_line_cards(ground.root)
    ]
    if command_line_looking_glass(ground.root):
        title = text("plan.arguments-looking-glass")
        found.append(warning("plan.arguments-looking-glass", title, remedy, Evidence(source, "ivshmem")))
    return tuple(found)


def _overrides(ground: Ground) -> tuple[Finding, ...]:
    names = [alias.get("name") or "" for video in ground.all("video") for alias in video.all("alias")]
    stale = sorted({one for name in names for one in overrides(ground.root, name)} & _3D_PROPERTIES)
    if not stale:
        return ()
    title = text("plan.override-stays", properties=", ".join(stale))
    evidence = Evidence("domain/qemu:override", ", ".join(stale))
    return (warning("plan.override-stays", title, text("plan.arguments-stay.remedy"), evidence),)
