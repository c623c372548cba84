# SPDX-License-Identifier: GPL-3.0-or-later
"""A user who installs the helper, or takes it away: says its process id, waits for a line, says what came of it."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from vitrail.model.errors import VitrailError
from vitrail.service.helper_install import carry_out, preview_install, preview_removal


def main() -> None:
    """`installing.py PARTS`, then `install` or `remove` on the standard input."""
    sys.stdout.write(f"{os.getpid()}\n")
    sys.stdout.flush()
    install = sys.stdin.readline() == "install\n"
    preview = preview_install(Path(sys.argv[1])) if install else preview_removal(in_use=False)
    try:
        answer: dict[str, object] = {"changed": carry_out(preview)}
    except VitrailError as error:
        answer = {"class": type(error).__name__, "id": error.what.id}
    sys.stdout.write(json.dumps(answer) + "\n")


main()
