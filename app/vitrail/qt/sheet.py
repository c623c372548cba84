# SPDX-License-Identifier: GPL-3.0-or-later
"""The one style sheet: shapes for buttons, fields, tabs and tables, in the theme's colours and the platform's font.

Sizes are in `em`-like paddings around the platform's font, never a font size of our own for body text.
"""

from __future__ import annotations

from string import Template

from vitrail.qt.theme import Theme, mix
from vitrail.source.resources import resources

_SHEET = Template("""
QToolTip { color: $text; background: $surface; border: 1px solid $hairline; padding: 4px 6px; }
QPushButton {
  background: $surface; color: $text; border: 1px solid $edge; border-radius: 7px; padding: 7px 16px;
}
QPushButton:hover { border-color: $accent; }
QPushButton:pressed { background: $sunken; }
QPushButton:focus { border: 2px solid $accent; padding: 6px 15px; }
QPushButton:checked { background: $accent_soft; color: $accent_ink; border-color: $accent; font-weight: bold; }
QPushButton:disabled { color: $muted; background: $window; border-color: $hairline; }
QPushButton[primary="true"] { background: $accent; color: $on_accent; border-color: $accent; font-weight: bold; }
QPushButton[primary="true"]:hover { background: $accent_over; }
QPushButton[primary="true"]:pressed { background: $accent_down; }
QPushButton[primary="true"]:focus { border: 2px solid $text; }
QPushButton[primary="true"]:disabled { background: $sunken; color: $muted; border-color: $hairline; }
QPushButton[quiet="true"] { background: transparent; border: 1px solid transparent; color: $accent_ink;
  padding: 4px 6px; }
QPushButton[quiet="true"]:hover { border-color: $hairline; background: $surface; }
QPushButton[quiet="true"]:focus { border: 1px solid $accent; }
QPushButton[small="true"] { padding: 3px 10px; }
QPushButton[small="true"]:focus { padding: 2px 9px; }
QPushButton[small="true"][quiet="true"]:focus { padding: 3px 10px; }
QLineEdit, QComboBox {
  background: $surface; color: $text; border: 1px solid $edge; border-radius: 7px; padding: 6px 10px;
  selection-background-color: $accent; selection-color: $on_accent;
}
QLineEdit:focus, QComboBox:focus { border: 2px solid $accent; padding: 5px 9px; }
QComboBox::drop-down { border: none; width: 26px; }
QComboBox::down-arrow { image: url("$arrow"); width: 14px; height: 14px; }
QComboBox QAbstractItemView { background: $surface; color: $text; selection-background-color: $accent_soft;
  selection-color: $text; border: 1px solid $edge; outline: none; }
QCheckBox::indicator { width: 16px; height: 16px; border: 1px solid $muted; border-radius: 4px; background: $surface; }
QCheckBox::indicator:hover { border-color: $accent; }
QCheckBox::indicator:focus { border: 2px solid $accent; width: 14px; height: 14px; }
QCheckBox::indicator:checked { background: $accent; border-color: $accent; image: url("$tick"); }
QTabWidget::pane { border: none; }
QTabBar { qproperty-drawBase: 0; }
QTabBar::tab { background: transparent; color: $muted; padding: 8px 4px; margin-right: 20px;
  border-bottom: 2px solid transparent; }
QTabBar::tab:selected { color: $accent_ink; border-bottom: 2px solid $accent; }
QTabBar::tab:focus { color: $text; }
QTabBar::tab:hover { color: $text; }
QTableView, QTreeView, QListView {
  background: $surface; color: $text; border: 1px solid $hairline; border-radius: 8px; outline: none;
  gridline-color: transparent; selection-background-color: $accent_soft; selection-color: $text;
  alternate-background-color: $stripe;
}
QTableView::item, QTreeView::item { padding: 5px 8px; border: none; }
QTableView::item:selected, QTreeView::item:selected, QListView::item:selected {
  background: $accent_soft; color: $text; }
QTableView:focus, QTreeView:focus, QListView:focus { border: 1px solid $accent; }
QHeaderView { background: transparent; border: none; }
QHeaderView::section { background: $surface; color: $muted; border: none; border-bottom: 1px solid $hairline;
  padding: 8px 8px 8px 11px; font-weight: bold; }
QHeaderView::section:first { border-top-left-radius: 7px; }
QHeaderView::section:last { border-top-right-radius: 7px; }
QHeaderView::section:only-one { border-top-left-radius: 7px; border-top-right-radius: 7px; }
QTableCornerButton::section { background: $surface; border: none; }
QPlainTextEdit { background: $surface; color: $text; border: 1px solid $hairline; border-radius: 8px;
  selection-background-color: $accent; selection-color: $on_accent; }
QPlainTextEdit:focus { border: 1px solid $accent; }
QScrollArea { background: transparent; border: none; }
QScrollBar:vertical { background: transparent; width: 12px; margin: 0; }
QScrollBar:horizontal { background: transparent; height: 12px; margin: 0; }
QScrollBar::handle { background: $scroll; border-radius: 4px; margin: 2px; min-height: 32px; min-width: 32px; }
QScrollBar::handle:hover { background: $muted; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
QProgressBar { background: $sunken; border: none; border-radius: 3px; max-height: 6px; min-height: 6px; }
QProgressBar::chunk { background: $accent; border-radius: 3px; }
QSplitter::handle { background: transparent; }
""")


def sheet_of(theme: Theme) -> str:
    """The style sheet in this theme's colours."""
    colors = {
        "text": theme.text,
        "muted": theme.muted,
        "surface": theme.surface,
        "sunken": theme.sunken,
        "window": theme.window,
        "hairline": theme.hairline,
        "edge": mix(theme.surface, theme.text, 0.28),
        "stripe": mix(theme.surface, theme.text, 0.025),
        "scroll": mix(theme.window, theme.text, 0.25),
        "accent": theme.accent,
        "accent_soft": theme.accent_soft,
        "accent_ink": theme.accent_ink,
        "accent_over": mix(theme.accent, theme.text, 0.12),
        "accent_down": mix(theme.accent, theme.text, 0.25),
        "on_accent": theme.on_accent,
    }
    arrow = (resources() / "icons" / "drop-arrow.svg").as_posix()
    tick = (resources() / "icons" / "tick.svg").as_posix()
    return _SHEET.substitute({name: color.name() for name, color in colors.items()}, arrow=arrow, tick=tick)
