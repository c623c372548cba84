# SPDX-License-Identifier: GPL-3.0-or-later
"""The root side of host changes; standard library only."""
