# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts, wishes, steps, plans and journal lines, and their wire form.

Standard library only: the root helper carries this package onto half-broken machines. Nothing here reads, decides
or writes; every value is frozen, so a fact that was shown cannot change between the showing and the writing.
"""
