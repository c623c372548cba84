# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands around every page: title, circles, help, the place that it is about, and the foot with its buttons."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QPainter, QPaintEvent, QShortcut
from PySide6.QtWidgets import QDialog, QHBoxLayout, QPushButton, QStackedLayout, QVBoxLayout, QWidget

from vitrail.model.machine import MachineKind
from vitrail.model.text import Text, text
from vitrail.qt.place_banner import PlaceBanner
from vitrail.qt.theme import GAP, PAGE_MARGIN, Tone, theme_of
from vitrail.qt.widgets.busy import BusyStrip
from vitrail.qt.widgets.buttons import button
from vitrail.qt.widgets.cards import Notice
from vitrail.qt.widgets.labels import Kind, PlainLabel, Say
from vitrail.qt.wizard.elided import ElidedLabel
from vitrail.qt.wizard.header import StepHeader
from vitrail.qt.wizard.page import PageView
from vitrail.qt.wizard.state.footer import Act, Footer, Press
from vitrail.qt.wizard.state.steps import HeaderStep

_LEAST_WIDTH, _LEAST_HEIGHT = 900, 640
_WIDTH, _HEIGHT = 1080, 800


class Frame(QDialog):
    """The window without its course: `pressed` is told what a button of the foot does."""

    def __init__(
        self, say: Say, place: tuple[MachineKind, Text], pressed: Callable[[Act], None], parent: QWidget | None
    ) -> None:
        super().__init__(parent)
        self.say = say
        self._pressed = pressed
        self.setMinimumSize(_LEAST_WIDTH, _LEAST_HEIGHT)
        self.resize(_WIDTH, _HEIGHT)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(PlaceBanner(*place, say))
        column.addLayout(self._head())
        self._holder = QStackedLayout()
        column.addLayout(self._holder, 1)
        self._empty = QWidget()
        self._holder.addWidget(self._empty)
        column.addWidget(_Rule())
        self._foot = QHBoxLayout()
        self._foot.setContentsMargins(PAGE_MARGIN, GAP + 4, PAGE_MARGIN, GAP + 4)
        self._foot.setSpacing(GAP)
        column.addLayout(self._foot)
        self.buttons: dict[Act, QPushButton] = {}
        QShortcut(QKeySequence(QKeySequence.StandardKey.HelpContents), self, self.toggle_help)

    @property
    def view(self) -> PageView | None:
        """The page that is shown."""
        shown = self._holder.currentWidget()
        return shown if isinstance(shown, PageView) else None

    def help_words(self) -> str:
        """The help that is open, empty while it is put away."""
        return "" if self._help_panel.isHidden() else self._help_panel.label.text()

    def show_title(self, title: Text) -> None:
        """What this is about."""
        words = self.say(title)
        self.setWindowTitle(words)
        self._title.setText(words)
        self._title.setAccessibleName(words)

    def show_view(self, view: PageView, help_text: Text, steps: tuple[HeaderStep, ...], footer: Footer) -> None:
        """Put a page in place of the one before."""
        self._header.show_steps(steps)
        self._help_panel.label.setText(self.say(help_text))
        old = self._holder.currentWidget()
        self._holder.addWidget(view)
        self._holder.setCurrentWidget(view)
        if old is not None and old is not self._empty:
            self._holder.removeWidget(old)
            old.deleteLater()
        self.show_footer(footer)
        enter = footer.primary or footer.leave
        first = view.focus_first() or (self.buttons[enter.act] if enter is not None else None)
        if first is not None:
            first.setFocus(Qt.FocusReason.TabFocusReason)

    def show_footer(self, footer: Footer) -> None:
        """Put these buttons at the foot; nothing moves where they are the same with other states."""
        wanted = [press for press in (footer.leave, *footer.beside, footer.primary) if press is not None]
        shown = {press.act: self.say(press.words) for press in wanted}
        if {act: made.text() for act, made in self.buttons.items()} != shown:
            self._fill_foot(footer)
        for press in wanted:
            self.buttons[press.act].setEnabled(press.enabled)

    def show_note(self, note: Text) -> None:
        """Say something else at the foot."""
        self._note.setText(self.say(note))

    def hold_buttons(self) -> None:
        """Nothing but leaving can be pressed while something is being worked out."""
        for act, made in self.buttons.items():
            if act is not Act.CLOSE:
                made.setEnabled(False)

    def _fill_foot(self, footer: Footer) -> None:
        while self._foot.count():
            item = self._foot.takeAt(0)
            widget = item.widget() if item is not None else None
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        self.buttons = {}
        if footer.leave is not None:
            self._foot.addWidget(self._button(footer.leave))
            self._foot.addSpacing(GAP)
        self._note = PlainLabel(self.say(footer.note), Kind.MUTED)
        self._foot.addWidget(self._note, 1)
        for press in footer.beside:
            self._foot.addWidget(self._button(press))
        if footer.primary is not None:
            made = self._button(footer.primary, primary=True)
            made.setDefault(True)
            self._foot.addWidget(made)
        # Layouts show their children later; Enter presses only what is shown already.
        for made in self.buttons.values():
            made.show()

    def _button(self, press: Press, *, primary: bool = False) -> QPushButton:
        made = button(self.say(press.words), lambda: self._pressed(press.act), primary=primary)
        if press.words == text("wizard.cancel"):
            made.setToolTip(self.say(text("wizard.cancel-tip")))
        if press.act not in self.buttons or primary:
            self.buttons[press.act] = made
        return made

    def _head(self) -> QVBoxLayout:
        column = QVBoxLayout()
        column.setContentsMargins(PAGE_MARGIN, 2 * GAP + 4, PAGE_MARGIN, GAP // 2)
        column.setSpacing(GAP + 4)
        row = QHBoxLayout()
        self._title = ElidedLabel("", Kind.HEADLINE)
        row.addWidget(self._title, 1)
        self._help = button(self.say(text("wizard.help")), self.toggle_help, quiet=True, mark="circle-question-mark")
        row.addWidget(self._help)
        column.addLayout(row)
        self._header = StepHeader(self.say)
        column.addWidget(self._header)
        self._help_panel = Notice("", Tone.INFO)
        self._help_panel.setAccessibleName(self.say(text("wizard.help-name")))
        self._help_panel.setVisible(False)
        column.addWidget(self._help_panel)
        self.busy = BusyStrip(self.say)
        column.addWidget(self.busy)
        return column

    def toggle_help(self) -> None:
        """Show the help for this page, or put it away."""
        opens = self._help_panel.isHidden()
        self._help_panel.setVisible(opens)
        self._help.setText(self.say(text("wizard.help-close" if opens else "wizard.help")))


class _Rule(QWidget):
    """The hairline above the foot."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedHeight(1)

    def paintEvent(self, event: QPaintEvent) -> None:
        del event
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme_of(self.palette()).hairline)
        painter.end()
