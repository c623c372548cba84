# SPDX-License-Identifier: GPL-3.0-or-later
"""Entry of `python3 -m vitrail.helper`, and of the one file that is installed."""

from __future__ import annotations

import sys

from vitrail.helper.main import main

if __name__ == "__main__":
    sys.exit(main())
