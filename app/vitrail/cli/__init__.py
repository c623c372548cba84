# SPDX-License-Identifier: GPL-3.0-or-later
"""The same verbs in a terminal."""
