# SPDX-License-Identifier: GPL-3.0-or-later
"""What every machine sees read-only: the checkout's Vitrail as it was when the lab started, and the lab's own scripts.

It is a copy: an edit in the checkout while a machine runs would otherwise change the program under test half way.
"""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import sys
from pathlib import Path

from lab.place import GUEST, REPOSITORY, runs
from lab.tree import tree

_NOT_TAKEN = shutil.ignore_patterns("__pycache__", "*.pyc")


def make_share(folder: Path) -> Path:
    """Fill the folder. The bytes of Python are compiled by the machine's own version: emulated, that takes a minute."""
    builders = ("packaging/build_resources.py", "packaging/helper/build.py", "packaging/helper/parts.py")
    for builder in builders:
        subprocess.run((sys.executable, str(REPOSITORY / builder)), check=True, stdout=subprocess.DEVNULL)
    for part in ("app", "resources", "build/helper"):
        shutil.copytree(REPOSITORY / part, folder / part, symlinks=True, ignore=_NOT_TAKEN)
    shutil.copy(REPOSITORY / "build/vitrail-helper.pyz", folder / "build")
    shutil.copytree(GUEST, folder / "guest", ignore=_NOT_TAKEN)
    base = tree()
    compiling = "python3 -m compileall -q --invalidation-mode unchecked-hash /mnt/app"
    inside = f'mount --bind "$1" "$0/mnt"; exec chroot "$0" {compiling}'
    subprocess.run(("unshare", "-m", "bash", "-ec", inside, str(base), str(folder)), check=True)
    return folder


class _Shared:
    """One copy for all machines of one run of the lab."""

    folder: Path | None = None


def share() -> Path:
    """The copy of this run."""
    if _Shared.folder is None:
        # Another lab may run from the same folder: what its machines see is not this one's to replace.
        folder = runs() / f"share-{os.getpid()}"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        _Shared.folder = make_share(folder)
    return _Shared.folder
