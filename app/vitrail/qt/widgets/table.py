# SPDX-License-Identifier: GPL-3.0-or-later
"""A table over rows: sorted by its headings, searched, walked by keyboard; Return or a double click opens a row."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from vitrail.qt.rows import Row, RowsModel, SearchedRows, key_at

_WIDEST = 280


class Table(QTableView):
    """Shows rows.

    Signals:
        opened: the row with this key was double-clicked, or Return was pressed on it.
        chosen: the row with this key became the current one; empty for none.
    """

    opened = Signal(str)
    chosen = Signal(str)

    def __init__(
        self, headings: tuple[str, ...], name: str, parent: QWidget | None = None, *, stretch: int = 0
    ) -> None:
        super().__init__(parent)
        self._rows = RowsModel(headings, self)
        self._found = SearchedRows(self._rows, self)
        self._stretch = stretch
        self._fitted: dict[int, int] = {}
        self.setModel(self._found)
        self.setAccessibleName(name)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setCornerButtonEnabled(False)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 18)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setResizeContentsPrecision(40)
        header.setSectionResizeMode(stretch, QHeaderView.ResizeMode.Stretch)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.setSortingEnabled(True)
        # -1: the order of the facts until somebody clicks a heading.
        header.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        self.selectionModel().currentRowChanged.connect(self._changed)
        self.doubleClicked.connect(self._open)
        self.setMinimumHeight(self.height_of(1))

    def show_rows(self, rows: tuple[Row, ...]) -> None:
        """Show these rows; the selection stays on its row."""
        key = self.current_key()
        self._rows.show(rows)
        if rows:
            self._fit()
        if key and not self.current_key():
            self.choose(key)

    def show_column(self, column: int, *, shown: bool) -> None:
        """Show or hide a column; one that comes is as wide as what stands in it."""
        if self.isColumnHidden(column) is shown:
            self.setColumnHidden(column, not shown)
            self._fit()

    def height_of(self, rows: int) -> int:
        """How high the table is with so many rows under its headings."""
        return self.horizontalHeader().sizeHint().height() + rows * self.verticalHeader().defaultSectionSize() + 6

    def search(self, words: str) -> None:
        """Show only rows that hold all of these words; what is chosen is always one of them."""
        self._found.search(words)
        if not self.currentIndex().isValid() and self._found.rowCount():
            self.setCurrentIndex(self._found.index(0, 0))
        self.chosen.emit(self.current_key())

    def choose(self, key: str) -> bool:
        """Make the row with this key the current one; whether it is there."""
        for place in range(self._found.rowCount()):
            if key_at(self._found.index(place, 0)) == key:
                self.setCurrentIndex(self._found.index(place, 0))
                self.scrollTo(self._found.index(place, 0))
                return True
        return False

    def current_key(self) -> str:
        """The key of the current row; empty where there is none."""
        return key_at(self.currentIndex()) or ""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.current_key():
            self.opened.emit(self.current_key())
        else:
            super().keyPressEvent(event)

    def _fit(self) -> None:
        """As wide as what stands there; never narrower than before, and never against a width that the user chose."""
        header = self.horizontalHeader()
        for column in range(self._found.columnCount()):
            before = self._fitted.get(column)
            if column == self._stretch or (before is not None and header.sectionSize(column) not in {before, 0}):
                continue
            wanted = max(self.sizeHintForColumn(column), header.sectionSizeHint(column)) + 16
            self._fitted[column] = max(min(_WIDEST, wanted), before or 0)
            header.resizeSection(column, self._fitted[column])

    def _changed(self, current: QModelIndex, _: QModelIndex) -> None:
        self.chosen.emit(key_at(current) or "")

    def _open(self, index: QModelIndex) -> None:
        self.opened.emit(key_at(index) or "")
