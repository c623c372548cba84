# SPDX-License-Identifier: GPL-3.0-or-later
"""The rescue sheet on paper: through the system's print dialog, or as a PDF where there is no printer."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QMarginsF, QRectF, QSizeF
from PySide6.QtGui import QFont, QPagedPaintDevice, QPageSize, QPainter, QPdfWriter, QTextDocument
from PySide6.QtPrintSupport import QPrintDialog, QPrinter
from PySide6.QtWidgets import QDialog, QFileDialog, QWidget

from vitrail.model.text import text
from vitrail.qt.restart.qr import draw_code, matrix_of
from vitrail.qt.widgets.labels import Say

_MARGIN_MM = 18.0
_POINTS = 12
_CODE_SHARE = 0.45


def print_sheet(parent: QWidget, words: str) -> bool:
    """Ask for a printer and print; False where the user left the dialog."""
    printer = QPrinter()
    dialog = QPrintDialog(printer, parent)
    if dialog.exec() != QDialog.DialogCode.Accepted:
        return False
    draw_sheet(printer, words)
    return True


def save_sheet(parent: QWidget, say: Say, words: str) -> bool:
    """Ask for a file and write a PDF; False where the user left the dialog."""
    name, _ = QFileDialog.getSaveFileName(parent, say(text("qt.before.save")), "vitrail-rescue.pdf", "PDF (*.pdf)")
    if not name:
        return False
    draw_sheet(QPdfWriter(str(Path(name))), words)
    return True


def draw_sheet(device: QPagedPaintDevice, words: str) -> None:
    """The text in a size for reading by torch light, and the code below it."""
    device.setPageSize(QPageSize(QPageSize.PageSizeId.A4))
    device.setPageMargins(QMarginsF(_MARGIN_MM, _MARGIN_MM, _MARGIN_MM, _MARGIN_MM))
    painter = QPainter(device)
    page = painter.viewport()
    document = QTextDocument()
    document.documentLayout().setPaintDevice(device)
    document.setDefaultFont(QFont("sans-serif", _POINTS))
    document.setPlainText(words)
    document.setPageSize(QSizeF(page.width(), page.height()))
    document.drawContents(painter)
    modules = matrix_of(words)
    below = document.size().height() if document.pageCount() == 1 else float(page.height())
    used = document.documentLayout().documentSize().height() if document.pageCount() == 1 else below
    side = min(page.width() * _CODE_SHARE, page.height() - used)
    if modules is not None and side > page.width() * _CODE_SHARE / 2:
        draw_code(painter, modules, QRectF(0, page.height() - side, side, side))
    painter.end()
