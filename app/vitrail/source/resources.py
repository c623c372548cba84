# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the files that are shipped beside the code lie. The only place that knows the difference."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent.parent


def resources() -> Path:
    """The folder `resources`: inside the package in a wheel, beside `app/` in a checkout."""
    inside = _PACKAGE / "resources"
    return inside if inside.is_dir() else _PACKAGE.parent.parent / "resources"


def demo_path() -> Path:
    """The demo machine: a folder in a checkout, packed in a wheel."""
    folder = resources() / "demo"
    return folder if (folder / "machine.toml").is_file() else resources() / "demo.tar.xz"
