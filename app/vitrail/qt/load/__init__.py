# SPDX-License-Identifier: GPL-3.0-or-later
"""Live load on the desktop: what is sampled and when, what is said of it, and the curves."""
