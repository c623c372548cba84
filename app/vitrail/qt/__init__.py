# SPDX-License-Identifier: GPL-3.0-or-later
"""The desktop; the only room that imports PySide6."""
