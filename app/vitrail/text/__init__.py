# SPDX-License-Identifier: GPL-3.0-or-later
"""Text ids and their arguments, said in the user's language."""

from __future__ import annotations

from vitrail.text.speaker import Speaker, english, speaker
from vitrail.text.visible import visible, visible_lines

__all__ = ["Speaker", "english", "speaker", "visible", "visible_lines"]
