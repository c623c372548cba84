# SPDX-License-Identifier: GPL-3.0-or-later
"""A unified diff to read: markers at the line's start, colour behind the line, one fixed-width font, to be copied."""

from __future__ import annotations

from PySide6.QtGui import QColor, QGuiApplication, QTextCharFormat, QTextCursor, QTextFormat
from PySide6.QtWidgets import QHBoxLayout, QPlainTextEdit, QTextEdit, QVBoxLayout, QWidget

from vitrail.model.text import text
from vitrail.qt.theme import GAP, Theme, theme_of
from vitrail.qt.widgets.buttons import button
from vitrail.qt.widgets.labels import Kind, PlainLabel, Say, font_of


class DiffView(QWidget):
    """Shows a diff word for word; + and - stay in the text, so colour never says anything alone."""

    def __init__(self, say: Say, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._say = say
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GAP // 2)
        bar = QHBoxLayout()
        self._counts = PlainLabel("", Kind.SMALL)
        bar.addWidget(self._counts, 1)
        self._copy = button(say(text("qt.diff.copy")), self.copy, quiet=True, mark="copy")
        bar.addWidget(self._copy)
        column.addLayout(bar)
        self._text = QPlainTextEdit()
        self._text.setReadOnly(True)
        self._text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self._text.setFont(font_of(Kind.MONO, self.font()))
        self._text.setAccessibleName(say(text("qt.diff.name")))
        self._text.setTabChangesFocus(True)
        column.addWidget(self._text, 1)

    def show_diff(self, diff: str) -> None:
        """Show this diff; an empty one says that nothing changes."""
        lines = diff.splitlines()
        added = sum(line.startswith("+") and not line.startswith("+++") for line in lines)
        removed = sum(line.startswith("-") and not line.startswith("---") for line in lines)
        self._counts.setText(
            self._say(text("qt.diff.counts", added=added, removed=removed) if lines else text("qt.diff.nothing"))
        )
        self._copy.setEnabled(bool(lines))
        self._text.setPlainText(diff)
        self._text.setExtraSelections(self._marked(lines))

    def show_listing(self, words: str) -> None:
        """Show a text that is no diff, a program's: its lines are only counted."""
        lines = words.splitlines()
        self._counts.setText(self._say(text("qt.diff.lines", count=len(lines))))
        self._copy.setEnabled(bool(lines))
        self._text.setPlainText(words)
        self._text.setExtraSelections([])

    def copy(self) -> None:
        """Put the whole diff on the clipboard."""
        QGuiApplication.clipboard().setText(self._text.toPlainText())

    def words(self) -> str:
        """The diff as it is shown."""
        return self._text.toPlainText()

    def _marked(self, lines: list[str]) -> list[QTextEdit.ExtraSelection]:
        theme = theme_of(self.palette())
        marked = []
        for number, line in enumerate(lines):
            ink, ground = _colors_of(line, theme)
            if ink is None:
                continue
            selection = QTextEdit.ExtraSelection()
            look = QTextCharFormat()
            look.setForeground(ink)
            if ground is not None:
                look.setBackground(ground)
                look.setProperty(QTextFormat.Property.FullWidthSelection, True)  # noqa: FBT003 - Qt's signature
            cursor = QTextCursor(self._text.document().findBlockByNumber(number))
            cursor.select(QTextCursor.SelectionType.LineUnderCursor)
            if ground is not None:
                cursor.clearSelection()
            selection.cursor = cursor
            selection.format = look
            marked.append(selection)
        return marked


def _colors_of(line: str, theme: Theme) -> tuple[QColor | None, QColor | None]:
    if line.startswith(("+++", "---")):
        return theme.muted, None
    if line.startswith("@@"):
        return theme.accent_ink, None
    if line.startswith("+"):
        return theme.added.ink, theme.added.soft
    if line.startswith("-"):
        return theme.removed.ink, theme.removed.soft
    return None, None
