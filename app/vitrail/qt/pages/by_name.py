# SPDX-License-Identifier: GPL-3.0-or-later
"""Every page by its name. Its module is loaded when the page is first needed, so a window is up before most of them."""

from __future__ import annotations

from importlib import import_module

from vitrail.qt.facts import Facts
from vitrail.qt.pages.page import Page
from vitrail.qt.widgets.labels import Say

_CLASSES = {
    "overview": "OverviewPage",
    "cards": "CardsPage",
    "vms": "VmsPage",
    "load": "LoadPage",
    "changes": "ChangesPage",
    "problems": "ProblemsPage",
    "help": "HelpPage",
    "settings": "SettingsPage",
}
"""Modules of this package and their classes, in the rail's order."""
NAMES = tuple(_CLASSES)


def page_class(name: str) -> type[Page]:
    """The class of the page with this name."""
    found: type[Page] = getattr(import_module(f"vitrail.qt.pages.{name}"), _CLASSES[name])
    return found


def prepare(name: str, facts: Facts, say: Say) -> object:
    """What the page with this name works out of these facts."""
    return page_class(name).prepare(facts, say)
