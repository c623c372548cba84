# SPDX-License-Identifier: GPL-3.0-or-later
"""A list to pick from inside a page that scrolls: the wheel moves the page, not the answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QPaintEvent, QStandardItemModel, QWheelEvent
from PySide6.QtWidgets import QComboBox, QSizePolicy, QStyle, QStyleOptionComboBox, QStylePainter, QWidget


class Picker(QComboBox):
    """Entries as (words, possible); `picked` is told the place of the one that the user took."""

    def __init__(
        self,
        name: str,
        entries: Sequence[tuple[str, bool]],
        current: int,
        picked: Callable[[int], None],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(6)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        model = self.model()
        for number, (words, possible) in enumerate(entries):
            self.addItem(words)
            item = model.item(number) if isinstance(model, QStandardItemModel) else None
            if item is not None:
                item.setEnabled(possible)
        self.setCurrentIndex(current)
        # The list may be wider than the box: a name that is cut off in the row is whole here.
        widest = max((self.fontMetrics().horizontalAdvance(words) for words, _ in entries), default=0)
        self.view().setMinimumWidth(widest + 40)
        self.activated.connect(picked)

    def paintEvent(self, event: QPaintEvent) -> None:
        del event
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        field = self.style().subControlRect(
            QStyle.ComplexControl.CC_ComboBox, option, QStyle.SubControl.SC_ComboBoxEditField, self
        )
        # The style would cut the words off without a sign.
        elided = self.fontMetrics().elidedText(self.currentText(), Qt.TextElideMode.ElideMiddle, field.width() - 8)
        option.currentText = elided
        painter = QStylePainter(self)
        painter.drawComplexControl(QStyle.ComplexControl.CC_ComboBox, option)
        painter.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)
        painter.end()

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()
