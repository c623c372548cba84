# SPDX-License-Identifier: GPL-3.0-or-later
"""What each page of the wizard says: pure functions of facts and draft, without Qt, so they are tested as such."""
