# SPDX-License-Identifier: GPL-3.0-or-later
"""Make build/vitrail-helper.pyz: the helper and the modules it imports, the same bytes from the same sources.

How it is packed stands in the helper itself: run from a checkout, it stores the very same file for its guard.
"""

from __future__ import annotations

import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
APP = REPOSITORY / "app"
TARGET = REPOSITORY / "build" / "vitrail-helper.pyz"
sys.path.insert(0, str(APP))

from vitrail.helper.core_file import packed  # noqa: E402 - found only now


def build(target: Path = TARGET) -> Path:
    """Write the archive."""
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_suffix(".tmp")
    temporary.write_bytes(packed(APP))
    temporary.chmod(0o755)
    return temporary.replace(target)


if __name__ == "__main__":
    sys.stdout.write(f"{build().relative_to(REPOSITORY)}\n")
