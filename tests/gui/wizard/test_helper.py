# SPDX-License-Identifier: GPL-3.0-or-later
"""The root's part, shown before it is installed: before the losses where only root can look, else before writing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fakes.wizard_hands import uuid_of
from vitrail.model.errors import Refused
from vitrail.model.mode import Mode
from vitrail.model.text import text
from vitrail.qt.widgets.labels import PlainLabel
from vitrail.qt.wizard.state.footer import Act
from vitrail.qt.wizard.state.helper import helper_page
from vitrail.qt.wizard.state.steps import Page, order
from vitrail.service.helper_install import FileChange, FilePreview, InstallPreview

CORE = FilePreview("usr/local/lib/vitrail/core.pyz", 0o755, FileChange.NEW, None, "0" * 64, 150_000, "", None)
PREVIEW = InstallPreview((CORE,), b"{}", "f" * 64, "print('installing')\n", (), ())


@pytest.fixture
def installed(workplace, monkeypatch):
    """What was installed; the helper is missing until then."""
    done = []
    monkeypatch.setattr(workplace, "install_helper", lambda preview: done.append(preview) or ("/core",))
    monkeypatch.setattr(workplace, "needs_first", lambda _plan: None if done else PREVIEW)
    return done


def test_it_stands_before_writing_and_the_same_plan_is_written_at_once(open_wizard, workplace, installed):
    hands = open_wizard()
    hands.to_review(uuid_of(workplace, "windows-11"), Mode.VIRTIO)
    hands.press(Act.NEXT)
    hands.at(Page.HELPER)
    shown = "\n".join(label.text() for label in hands.wizard.view.findChildren(PlainLabel))
    assert "/usr/local/lib/vitrail/core.pyz" in shown.replace("\u200b", "")
    assert PREVIEW.digest in shown.replace("\u200b", "")
    assert installed == []
    hands.press(Act.NEXT)
    hands.at(Page.CHECK)
    assert installed == [PREVIEW]


def test_where_only_root_can_look_it_comes_before_the_losses(open_wizard, workplace, installed, monkeypatch):
    monkeypatch.setattr(workplace, "helper_to_look", lambda _plan: None if installed else PREVIEW)
    hands = open_wizard()
    hands.to_modes(uuid_of(workplace, "windows-11"))
    hands.take(Mode.VIRTIO)
    hands.press(Act.NEXT)
    hands.at(Page.HELPER)
    hands.press(Act.NEXT)
    hands.at(Page.LOSSES)
    assert installed == [PREVIEW]
    assert Page.HELPER not in hands.wizard.story.pages


def test_a_refused_installation_writes_nothing_and_says_why(open_wizard, workplace, installed, monkeypatch):
    def refuse(_preview):
        raise Refused(text("wizard.helper.missing"), text("wizard.helper.password"))

    monkeypatch.setattr(workplace, "install_helper", refuse)
    hands = open_wizard()
    hands.to_review(uuid_of(workplace, "windows-11"), Mode.VIRTIO)
    hands.press(Act.NEXT)
    hands.at(Page.HELPER)
    hands.press(Act.NEXT)
    hands.settle()
    assert hands.wizard.story.trouble is not None
    assert workplace.history() == ()
    assert installed == []


def test_what_a_package_owns_is_not_installed_over():
    page = helper_page(replace(PREVIEW, files=(replace(CORE, package="vitrail-helper"),)))
    assert not page.can_go_on
    assert helper_page(PREVIEW).can_go_on


def test_it_has_its_place_in_the_order():
    pages = order(vm_given=True, stops_before_writing=False, restarts=True, helper_before=Page.APPLY)
    assert pages[-3:] == (Page.HELPER, Page.APPLY, Page.BEFORE_RESTART)
    early = order(vm_given=True, stops_before_writing=False, helper_before=Page.LOSSES)
    assert early.index(Page.HELPER) == early.index(Page.LOSSES) - 1
    assert Page.HELPER not in order(vm_given=True, stops_before_writing=False)
