# SPDX-License-Identifier: GPL-3.0-or-later
"""The signature picture: monitors, cards in their panes of glass, VMs, and lines for who feeds whom.

`state` says what is in it, `layout` where, `nodes` how each thing looks, `view` puts them on the screen.
"""
