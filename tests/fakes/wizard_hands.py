# SPDX-License-Identifier: GPL-3.0-or-later
"""What a test does in the wizard as a user would."""

from __future__ import annotations

from dataclasses import dataclass

from pytestqt.qtbot import QtBot

from vitrail.model.mode import Mode
from vitrail.qt.wizard.modes_view import ModesView
from vitrail.qt.wizard.options_view import OptionsView
from vitrail.qt.wizard.state.footer import Act
from vitrail.qt.wizard.state.steps import Page
from vitrail.qt.wizard.window import Wizard
from vitrail.service.workplace import Workplace


@dataclass
class Hands:
    """Answers and presses as a user does, and waits for what comes."""

    bot: QtBot
    wizard: Wizard

    def settle(self) -> None:
        """Until nothing is being worked out."""
        self.bot.waitUntil(lambda: not self.wizard.waiting, timeout=20_000)

    def at(self, page: Page) -> None:
        """Wait for this page."""
        self.bot.waitUntil(lambda: self.wizard.story.page is page and not self.wizard.waiting, timeout=20_000)
        assert self.wizard.story.trouble is None

    def choose(self, key: str) -> None:
        """Click the answer with this key."""
        view = self.wizard.view
        assert isinstance(view, OptionsView)
        view.rows[key].click()

    def take(self, mode: Mode) -> None:
        """Click the row of this mode."""
        view = self.wizard.view
        assert isinstance(view, ModesView)
        view.rows[mode].click()

    def press(self, act: Act) -> None:
        """Press this button of the foot."""
        button = self.wizard.buttons[act]
        assert button.isEnabled(), act
        button.click()

    def to_modes(self, vm_uuid: str, purpose: str = "desktop", seeing: str = "window") -> None:
        """From the first question to the list of modes."""
        self.at(Page.VM)
        self.choose(vm_uuid)
        self.press(Act.NEXT)
        self.choose(purpose)
        self.press(Act.NEXT)
        self.choose(seeing)
        self.press(Act.NEXT)
        self.at(Page.MODE)

    def to_review(self, vm_uuid: str, mode: Mode) -> None:
        """To the review of this mode."""
        self.to_modes(vm_uuid)
        self.take(mode)
        self.press(Act.NEXT)
        self.at(Page.LOSSES)
        self.press(Act.NEXT)
        self.at(Page.REVIEW)


def uuid_of(workplace: Workplace, name: str) -> str:
    """The uuid of the VM with this name."""
    return workplace.find_vm(workplace.read(), name).uuid
