# SPDX-License-Identifier: GPL-3.0-or-later
"""The golden plans are read as users read them, so their sentences have to be those of today."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

PACKAGING = Path(__file__).resolve().parents[3] / "packaging"


@pytest.fixture(scope="session", autouse=True)
def catalogues() -> None:
    """The catalogues as they are shipped, from the .po files as they are now."""
    sys.path.insert(0, str(PACKAGING))
    try:
        from build_resources import build_catalogues  # noqa: PLC0415 - not a package

        build_catalogues()
    finally:
        sys.path.pop(0)
