# SPDX-License-Identifier: GPL-3.0-or-later
"""Once on each computer: the small program that changes the computer itself, shown before it is installed."""

from __future__ import annotations

from dataclasses import dataclass

from vitrail.model.text import Text, text
from vitrail.service.helper_install import FileChange, FilePreview, InstallPreview


@dataclass(frozen=True, slots=True)
class HelperFile:
    """One file: where, what becomes of it, how large, and its whole text where it is one."""

    path: str
    what: Text
    diff: str


@dataclass(frozen=True, slots=True)
class HelperPage:
    """`missing` is what has to be there first: then nothing is installed from here."""

    question: Text
    lead: Text
    files: tuple[HelperFile, ...]
    missing: tuple[Text, ...]
    program: str
    """What runs as root, word for word."""
    digest: Text

    @property
    def can_go_on(self) -> bool:
        """Whether it can be installed now."""
        return not self.missing


def helper_page(preview: InstallPreview) -> HelperPage:
    """The page for this preview."""
    files = tuple(file for file in preview.files if file.change is not FileChange.SAME)
    foreign = tuple(text("wizard.helper.of-package", path=f.path, package=f.package) for f in files if f.package)
    return HelperPage(
        question=text("wizard.helper.question"),
        lead=text("wizard.helper.lead"),
        files=tuple(_file(file) for file in files),
        missing=(*preview.missing, *foreign),
        program=preview.program,
        digest=text("wizard.helper.digest", digest=preview.digest),
    )


def _file(file: FilePreview) -> HelperFile:
    what = text(f"wizard.helper.{file.change.value}", size=max(1, file.size // 1024), mode=f"{file.mode:04o}")
    return HelperFile(f"/{file.path.lstrip('/')}", what, file.diff)
