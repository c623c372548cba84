# SPDX-License-Identifier: GPL-3.0-or-later
"""Every IOMMU group of the machine as a tree: the group with what it means, below it its devices. Searchable."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QAbstractItemModel, QModelIndex, QObject, QPersistentModelIndex, QSortFilterProxyModel, Qt
from PySide6.QtWidgets import QApplication, QHBoxLayout, QHeaderView, QTreeView, QVBoxLayout, QWidget

from vitrail.model.reading import Known, Unknown
from vitrail.model.text import text
from vitrail.qt.facts import Facts
from vitrail.qt.marks import MARK_OF_TONE, mark_icon
from vitrail.qt.pages.page import search_line
from vitrail.qt.rows import Cell, Row
from vitrail.qt.theme import GAP, theme_of
from vitrail.qt.widgets.labels import Kind, PlainLabel, Say, TermLink, font_of
from vitrail.qt.words import device_name, group_badge, tell, tied_words

Index = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True, slots=True)
class GroupRow:
    """A group and its devices, in cells of the same columns."""

    group: Row
    devices: tuple[Row, ...]


def group_rows(facts: Facts, say: Say) -> tuple[GroupRow, ...]:
    """Every group; empty where none were read."""
    host = facts.host
    groups = host.groups.value if isinstance(host.groups, Known) else ()
    rows = []
    # Groups with a graphics card first: they are what one comes here for.
    for group in sorted(groups, key=lambda group: not any(member.pci_class.is_display for member in group.members)):
        verdict = facts.verdict_of(group.number)
        badge = group_badge(verdict, group.members)
        why = " ".join(tell(say, reason) for reason in verdict.reasons) if verdict is not None else ""
        title = say(text("qt.group.number", number=str(group.number)))
        head = Row(
            str(group.number),
            (Cell(title), Cell(tell(say, badge.words), None, badge.tone, badge.mark), Cell(why), Cell("")),
        )
        devices = tuple(
            Row(
                str(member.address),
                (
                    Cell(tell(say, device_name(member))),
                    Cell(tell(say, tied_words(host, member))),
                    Cell(_driver(member.driver, say)),
                    Cell(member.address.short),
                ),
            )
            for member in group.members
        )
        rows.append(GroupRow(head, devices))
    return tuple(rows)


def _driver(driver: Known[str | None] | Unknown, say: Say) -> str:
    if isinstance(driver, Unknown):
        return say(driver.reason)
    return tell(say, driver.value) if driver.value else say(text("qt.driver.none"))


@dataclass(frozen=True, slots=True)
class ShownGroups:
    """The groups, or why there are none."""

    rows: tuple[GroupRow, ...]
    none: str


def shown_groups(facts: Facts, say: Say) -> ShownGroups:
    """What the tree shows of this look."""
    rows = group_rows(facts, say)
    reason = facts.host.groups.reason if isinstance(facts.host.groups, Unknown) else text("qt.groups.none")
    return ShownGroups(rows, "" if rows else say(reason))


class GroupsModel(QAbstractItemModel):
    """Groups and their devices; an index's internal id is 0 for a group, the group's place + 1 for a device."""

    def __init__(self, headings: tuple[str, ...], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._headings = headings
        self._rows: tuple[GroupRow, ...] = ()

    def show(self, rows: tuple[GroupRow, ...]) -> None:
        """Show these groups. Groups do not change while a computer runs, so this is rarely more than once."""
        if rows != self._rows:
            self.beginResetModel()
            self._rows = rows
            self.endResetModel()

    def index(self, row: int, column: int, parent: Index = QModelIndex()) -> QModelIndex:  # noqa: B008
        if not self.hasIndex(row, column, parent):
            return QModelIndex()
        return self.createIndex(row, column, parent.row() + 1 if parent.isValid() else 0)

    def parent(self, child: Index = QModelIndex()) -> QModelIndex:  # type: ignore[override] # noqa: B008
        inside = child.internalId() if child.isValid() else 0
        return self.createIndex(inside - 1, 0, 0) if inside else QModelIndex()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        if not parent.isValid():
            return len(self._rows)
        if parent.internalId() or parent.column():
            return 0
        return len(self._rows[parent.row()].devices)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        del parent
        return len(self._headings)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid():
            return None
        inside = index.internalId()
        row = self._rows[inside - 1].devices[index.row()] if inside else self._rows[index.row()].group
        cell = row.cells[index.column()]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            return cell.words
        if role == Qt.ItemDataRole.FontRole and not inside and index.column() == 0:
            return font_of(Kind.STRONG, QApplication.font())
        if role == Qt.ItemDataRole.DecorationRole and cell.tone is not None:
            ink = theme_of(QApplication.palette()).tones[cell.tone].ink
            return mark_icon(cell.mark or MARK_OF_TONE[cell.tone], ink, 16)
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if orientation is Qt.Orientation.Horizontal and 0 <= section < len(self._headings):
            if role == Qt.ItemDataRole.DisplayRole:
                return self._headings[section]
            if role == Qt.ItemDataRole.TextAlignmentRole:
                return int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        return None


class GroupsView(QWidget):
    """The tree with a field to search it."""

    def __init__(self, say: Say, explain: Callable[[str], None], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shown: ShownGroups | None = None
        names = ("device", "meaning", "driver", "address")
        self._model = GroupsModel(tuple(say(text(f"qt.groups.column.{name}")) for name in names), self)
        self._found = QSortFilterProxyModel(self)
        self._found.setSourceModel(self._model)
        self._found.setRecursiveFilteringEnabled(True)
        self._found.setAutoAcceptChildRows(True)
        self._found.setFilterKeyColumn(-1)
        self._found.setFilterCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 2 * GAP, 0, 0)
        column.setSpacing(GAP)
        what = QHBoxLayout()
        what.addWidget(PlainLabel(say(text("qt.groups.what")), Kind.MUTED), 1)
        for term, words in (("iommu-group", "qt.term.group"), ("iommu", "qt.term.iommu")):
            what.addWidget(TermLink(say(text(words)), term, explain))
        column.addLayout(what)
        self.search = search_line(say(text("qt.groups.search")))
        self.search.textChanged.connect(self._search)
        column.addWidget(self.search)
        self._none = PlainLabel("")
        column.addWidget(self._none)
        self._tree = QTreeView()
        self._tree.setModel(self._found)
        self._tree.setAccessibleName(say(text("qt.groups.tab")))
        self._tree.setAlternatingRowColors(True)
        self._tree.setUniformRowHeights(True)
        self._tree.header().setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        self._tree.header().setStretchLastSection(False)
        self._tree.header().setSectionResizeMode(2, QHeaderView.ResizeMode.Stretch)
        column.addWidget(self._tree, 1)

    def show_groups(self, groups: ShownGroups) -> None:
        """Show these groups."""
        if groups == self._shown:
            return
        self._shown = groups
        rows = groups.rows
        self._model.show(rows)
        self._none.setText(groups.none)
        self._none.setVisible(not rows)
        self._tree.setVisible(bool(rows))
        self._tree.expandAll()
        for number, width in ((0, 330), (1, 220), (3, 100)):
            self._tree.setColumnWidth(number, width)

    def _search(self, words: str) -> None:
        self._found.setFilterFixedString(words)
        self._tree.expandAll()
