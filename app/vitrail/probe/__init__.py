# SPDX-License-Identifier: GPL-3.0-or-later
"""From sources to facts, one reader a subject. Never writes, never judges."""
