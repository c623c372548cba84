# SPDX-License-Identifier: GPL-3.0-or-later
"""Around a restart: the page before it, the proof after it, and the page of a change that was taken back."""
