# SPDX-License-Identifier: GPL-3.0-or-later
"""The small parts that pages and the wizard are made of. They show what they are given and decide nothing."""
