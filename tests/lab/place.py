# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the lab keeps what it fetched and what it ran, and whether it can run here at all.

It stands apart because a lab that cannot run must say so before anything else of it is loaded, and must fail.
"""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
GUEST = HERE / "guest"
FIRMWARE = Path("/usr/share/OVMF/OVMF_CODE_4M.fd")
FIRMWARE_VARIABLES = Path("/usr/share/OVMF/OVMF_VARS_4M.fd")
PROGRAMS = ("qemu-system-x86_64", "qemu-img", "debootstrap", "chroot", "unshare", "setpriv", "sfdisk", "mkfs.ext4")
FREE_GIB = 8
KEPT_DAYS = 14


class LabCannotRunError(Exception):
    """Something the lab stands on is missing here. Never a reason to pass."""


def lab_folder() -> Path:
    """Everything the lab writes; git ignores the one in the checkout."""
    return Path(os.environ.get("VITRAIL_LAB_DIR") or REPOSITORY / ".lab")


def cache() -> Path:
    """What is fetched and built once."""
    return lab_folder() / "cache"


def runs() -> Path:
    """One folder a machine that ran; those of failures stay."""
    return lab_folder() / "runs"


def require() -> None:
    """Raise, naming everything that is missing at once."""
    search = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    missing = [name for name in PROGRAMS if shutil.which(name, path=search) is None]
    missing += [str(path) for path in (FIRMWARE, FIRMWARE_VARIABLES) if not path.is_file()]
    if os.geteuid() != 0:
        missing.append("root (the machine's system is unpacked with its own owners)")
    lab_folder().mkdir(parents=True, exist_ok=True)
    if not any(cache().glob("image-*")) and shutil.disk_usage(lab_folder()).free < FREE_GIB << 30:
        missing.append(f"{FREE_GIB} GiB free in {lab_folder()}")
    if missing:
        raise LabCannotRunError("The lab cannot run here. It lacks: " + ", ".join(missing))


def forget_old_runs() -> None:
    """Throw away the copies of labs that were killed, and the consoles of failures that nobody looked at for long."""
    oldest = time.time() - KEPT_DAYS * 86400
    for folder in runs().glob("*"):
        _, _, pid = folder.name.rpartition("share-")
        killed = folder.name.startswith("share-") and not Path("/proc", pid).exists()
        if killed or folder.stat().st_mtime < oldest:
            shutil.rmtree(folder, ignore_errors=True)
        elif (pid := folder.name.rpartition("-")[0].rpartition("-")[2]).isdigit() and not Path("/proc", pid).exists():
            # The consoles of a killed lab are kept, its disks are not.
            for disk in folder.glob("*.qcow2"):
                disk.unlink()
