# SPDX-License-Identifier: GPL-3.0-or-later
"""A file's step, with its whole text before and after; and why there is none where the file does not take it."""

from __future__ import annotations

from fnmatch import fnmatchcase

from vitrail.model.boot import BootSetup
from vitrail.model.edited_lines import Unrenderable
from vitrail.model.finding import Evidence, Finding, Severity, Status
from vitrail.model.host_place import place_of
from vitrail.model.host_step import HostChange, Template, WriteFile
from vitrail.model.paths import START_FILES
from vitrail.model.reading import Known, Reading, Unknown
from vitrail.model.render import digest_of, render
from vitrail.model.step import HostStep
from vitrail.model.text import Text, text


class NoStep(Exception):
    """A step that the plan needs cannot be made here; the finding says why and what would change it."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.id)
        self.finding = finding


def no_step(title: Text, remedy: Text | None, *evidence: Evidence, known: bool = True) -> NoStep:
    """The one finding of all steps that cannot be made; `known` is False where it could not be told."""
    status = Status.FAIL if known else Status.UNKNOWN
    return NoStep(Finding("host.steps", status, Severity.BLOCKS, title, evidence, remedy))


def content_now(setup: BootSetup, template: Template) -> Reading[str | None]:
    """What is in the template's place now. Of folders that are listed, a name that is not among them is not there."""
    path = place_of(template).path
    content = setup.content(path)
    if isinstance(content, Known) or not setup.files or any(file.path == path for file in setup.files):
        return content
    folder = path.rpartition("/")[0]
    unlisted = next((file.content for file in setup.files if file.path == folder), None)
    if unlisted is not None:
        return unlisted
    listed = any("*" in pattern and fnmatchcase(path, pattern) for pattern in START_FILES)
    return Known(None, f"/{folder}") if listed else content


def write_file(setup: BootSetup, template: Template) -> HostStep:
    """The step that brings the template's file from what it is to what `render` makes of it. Raises NoStep."""
    return step_on(content_now(setup, template), template)


def step_on(current: Reading[str | None], template: Template) -> HostStep:
    """The same where what is there now was read elsewhere. Raises NoStep."""
    path = f"/{place_of(template).path}"
    if isinstance(current, Unknown):
        title = text("plan.host.file-unread", path=path, reason=current.reason)
        raise no_step(title, text("plan.host.file-unread.remedy"), known=False)
    before = None if current.value is None else current.value.encode("utf-8", "surrogateescape")
    try:
        after = render(template, before)
    except Unrenderable as error:
        title = text(f"plan.host.form.{error}", path=path)
        raise no_step(title, text(f"plan.host.form.{error}.remedy", path=path), Evidence(path, str(error))) from error
    change = WriteFile(template, None if before is None else digest_of(before), digest_of(after))
    return HostStep(change, current.value, after.decode("utf-8", "surrogateescape"))


def by_program(change: HostChange, before: str | None = None, after: str | None = None) -> HostStep:
    """A step in which a program does the writing, with what it will have listed where that is known."""
    return HostStep(change, before, after)
