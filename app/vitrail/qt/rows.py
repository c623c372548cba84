# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables: one Qt model over a tuple of frozen rows, for every page.

A new look at the machine touches only the rows that differ, so a selection, a scroll position and a screen reader's
place survive it.
"""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, QSortFilterProxyModel, Qt
from PySide6.QtWidgets import QApplication

from vitrail.qt.marks import MARK_OF_TONE, mark_icon
from vitrail.qt.theme import Tone, theme_of

SORT_ROLE = int(Qt.ItemDataRole.UserRole)
KEY_ROLE = SORT_ROLE + 1
_MANY = 64
"""More rows than this that come or go are one new table: telling of each would cost more than drawing all."""
Index = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True, slots=True)
class Cell:
    """What stands in one place; `sort` where its order is not that of its words."""

    words: str
    sort: str | float | None = None
    tone: Tone | None = None
    mark: str | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One thing, known by its key."""

    key: str
    cells: tuple[Cell, ...]


class RowsModel(QAbstractTableModel):
    """Rows under fixed headings."""

    def __init__(self, headings: tuple[str, ...], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._headings = headings
        self._rows: tuple[Row, ...] = ()

    def show(self, rows: tuple[Row, ...]) -> None:
        """Show these rows; what was there and is the same is not touched."""
        old, new = [row.key for row in self._rows], [row.key for row in rows]
        old_keys, new_keys = set(old), set(new)
        moved = [key for key in old if key in new_keys] != [key for key in new if key in old_keys]
        if moved or len(old_keys ^ new_keys) > _MANY:
            self.beginResetModel()
            self._rows = rows
            self.endResetModel()
            return
        for place in range(len(old) - 1, -1, -1):
            if old[place] not in new_keys:
                self.beginRemoveRows(QModelIndex(), place, place)
                self._rows = self._rows[:place] + self._rows[place + 1 :]
                self.endRemoveRows()
        for place, row in enumerate(rows):
            if row.key not in old_keys:
                self.beginInsertRows(QModelIndex(), place, place)
                self._rows = (*self._rows[:place], row, *self._rows[place:])
                self.endInsertRows()
            elif row != self._rows[place]:
                self._rows = (*self._rows[:place], row, *self._rows[place + 1 :])
                self.dataChanged.emit(self.index(place, 0), self.index(place, len(self._headings) - 1), [])

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        return 0 if parent.isValid() else len(self._headings)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid():
            return None
        row = self._rows[index.row()]
        cell = row.cells[index.column()]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            return cell.words
        if role == Qt.ItemDataRole.DecorationRole and cell.tone is not None:
            ink = theme_of(QApplication.palette()).tones[cell.tone].ink
            return mark_icon(cell.mark or MARK_OF_TONE[cell.tone], ink, 16)
        if role == SORT_ROLE:
            return cell.words.casefold() if cell.sort is None else cell.sort
        return row.key if role == KEY_ROLE else None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if orientation is not Qt.Orientation.Horizontal or not 0 <= section < len(self._headings):
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self._headings[section]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        return None


class SearchedRows(QSortFilterProxyModel):
    """The rows in which every searched word occurs, in any column, in the order of the clicked heading."""

    def __init__(self, source: RowsModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._needles: tuple[str, ...] = ()
        self.setSortRole(SORT_ROLE)
        self.setSourceModel(source)

    def search(self, words: str) -> None:
        """Show only rows that hold all of these words."""
        self._needles = tuple(words.casefold().split())
        self.invalidate()

    def filterAcceptsRow(self, source_row: int, source_parent: Index) -> bool:
        if not self._needles:
            return True
        model = self.sourceModel()
        cells = (model.index(source_row, column, source_parent).data() for column in range(model.columnCount()))
        words = " ".join(str(cell) for cell in cells).casefold()
        return all(needle in words for needle in self._needles)


def key_at(index: Index) -> str | None:
    """The key of the row that this index is in."""
    key = index.data(KEY_ROLE) if index.isValid() else None
    return key if isinstance(key, str) else None
