# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts and a wish to ordered, reversible steps: pure, one file a mode."""
