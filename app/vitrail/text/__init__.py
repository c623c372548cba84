# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts in the user's language."""
