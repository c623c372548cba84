# SPDX-License-Identifier: GPL-3.0-or-later
"""Vitrail: choose, write, prove and take back how virtual machines get their graphics."""

__version__ = "0.1.0"
