# SPDX-License-Identifier: GPL-3.0-or-later
"""The pages. Each is a pure function of facts (`*_state`) and a thin widget that shows what it says."""
