# SPDX-License-Identifier: GPL-3.0-or-later
"""The kinds of failure; each carries what to say and what the user can do next.

A kind answers one question: what state is the machine in now? The command line turns kinds into exit codes, the
desktop into pages; neither looks at the words.
"""

from __future__ import annotations

from vitrail.model.finding import Finding
from vitrail.model.text import Text


class VitrailError(Exception):
    """What happened, and the next things to do. Nothing was written unless the kind says otherwise."""

    def __init__(self, what: Text, *next_steps: Text, findings: tuple[Finding, ...] = ()) -> None:
        super().__init__(what.id)
        self.what = what
        self.next_steps = next_steps
        self.findings = findings


class Refused(VitrailError):
    """Vitrail will not do this here and now; `findings` say why."""


class Unreachable(VitrailError):
    """A main source (libvirt, /sys, the state folder) did not answer, so the question stays open."""


class Unreadable(VitrailError):
    """The input (a recording, XML, an argument, a listing) is not what it should be."""


class ApplyFailed(VitrailError):
    """A step failed and everything that this run had written was taken back."""


class Unsettled(VitrailError):
    """The state is not what anyone asked for: an undo is incomplete, or the result of a write is not known."""
