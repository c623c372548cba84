# SPDX-License-Identifier: GPL-3.0-or-later
"""The wizard "Give a VM graphics": one screen, one question, one next step.

`state` holds what each page says, as pure functions of facts and draft; the other modules show it and carry it out.
"""
