# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab machine's system: Debian from its own packages, unpacked into a folder once."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

import PySide6
import segno
import shiboken6

from lab.place import LabCannotRunError, cache

SUITE = "bookworm"
MIRROR = os.environ.get("VITRAIL_LAB_MIRROR", "http://deb.debian.org/debian")
SYSTEM = (
    *(
        "systemd-sysv",
        "udev",
        "kmod",
        "dbus",
        "iproute2",
        "procps",
        "psmisc",
        "e2fsprogs",
        "dosfstools",
        "zstd",
        "cpio",
    ),
    *("linux-image-amd64", "initramfs-tools", "busybox-static", "grub-efi-amd64-bin", "grub2-common", "efibootmgr"),
)
HOMELAB = (
    *("pciutils", "pci.ids", "polkitd", "pkexec", "libvirt-daemon-system", "libvirt-clients", "qemu-system-x86"),
    *("python3", "python3-libvirt", "python3-lxml", "python3-pyudev", "python3-platformdirs", "python3-dbus-fast"),
)
LATER = (("systemd-boot",), ("dracut",))
"""Downloaded, not installed: what other disks are made of lies in the package cache of the system itself."""
WINDOW = (
    *("xvfb", "openbox", "xdotool", "fonts-dejavu-core", "libegl1", "libgl1", "libfontconfig1", "libxkbcommon-x11-0"),
    *("libxcb-cursor0", "libxcb-icccm4", "libxcb-image0", "libxcb-keysyms1", "libxcb-render-util0", "libxcb-shape0"),
    *("libxcb-xinerama0", "libxcb-xkb1", "libxcb-randr0", "libxcb-sync1", "libxcb-xfixes0", "libdbus-1-3"),
)
"""What a desktop has besides; a system of its own, so that the machines that restart stay small."""
_UNUSED_QT = shutil.ignore_patterns("qml", "*Qml*", "*Quick*", "*Designer*", "translations", "*.pyi", "__pycache__")
_QUIET = {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}


def recipe(*more: object) -> str:
    """What the tree is made of, as a short word."""
    return hashlib.sha256(repr((SUITE, SYSTEM, HOMELAB, LATER, *more)).encode()).hexdigest()[:12]


def in_tree(tree: Path, *command: str) -> None:
    """Run a command inside, with /proc; what it says is kept in a log beside the tree."""
    inside = (
        'mount -t proc proc "$0/proc"; mount --rbind /dev "$0/dev"; mount --make-rslave "$0/dev"; exec chroot "$0" "$@"'
    )
    run("unshare", "-m", "bash", "-ec", inside, str(tree), *command, log=tree.with_suffix(".log"))


def run(*command: str, log: Path) -> None:
    """A tool of this machine; its words are only shown when it fails."""
    environment = {**_QUIET, **{k: v for k, v in os.environ.items() if k.lower().endswith("_proxy")}}
    with log.open("ab") as words:
        status = subprocess.run(
            command, stdout=words, stderr=words, stdin=subprocess.DEVNULL, env=environment, check=False
        )
    if status.returncode:
        tail = log.read_text(errors="replace")[-1500:]
        raise LabCannotRunError(f"{' '.join(command)[:120]} failed with {status.returncode}:\n{tail}")


def tree() -> Path:
    """The unpacked system; made when it is not there or the list of packages changed."""
    place = cache() / f"tree-{recipe()}"
    if place.is_dir():
        return place
    for old in cache().glob("tree-*"):
        shutil.rmtree(old) if old.is_dir() else old.unlink()
    making = cache() / "tree-making"
    debs = cache() / "debs"
    debs.mkdir(parents=True, exist_ok=True)
    log = making.with_suffix(".log")
    run("debootstrap", "--variant=minbase", f"--cache-dir={debs}", SUITE, str(making), MIRROR, log=log)
    policy = _ready_for_packages(making)
    (making / "etc/apt/apt.conf.d/90lab").write_text('APT::Install-Recommends "0";\nAcquire::Languages "none";\n')
    in_tree(making, "apt-get", "update", "-q")
    in_tree(making, "apt-get", "install", "-y", "-q", *SYSTEM, *HOMELAB)
    in_tree(making, "apt-get", "clean")
    for packages in LATER:
        in_tree(making, "apt-get", "install", "-y", "-q", "--download-only", *packages)
    policy.unlink()
    making.rename(place)
    return place


def window_tree() -> Path:
    """The same system with what a desktop has, and what of this lab's own Python the window stands on."""
    place = cache() / f"window-tree-{recipe(WINDOW, PySide6.__version__, segno.__version__)}"
    if place.is_dir():
        return place
    base = tree()
    for old in cache().glob("window-tree-*"):
        shutil.rmtree(old) if old.is_dir() else old.unlink()
    making = cache() / "window-making"
    shutil.rmtree(making, ignore_errors=True)
    run("cp", "-a", "--reflink=auto", str(base), str(making), log=making.with_suffix(".log"))
    policy = _ready_for_packages(making)
    in_tree(making, "apt-get", "clean")
    in_tree(making, "apt-get", "update", "-q")
    in_tree(making, "apt-get", "install", "-y", "-q", *WINDOW)
    in_tree(making, "apt-get", "clean")
    policy.unlink()
    for part in (Path(module.__file__ or "").parent for module in (PySide6, shiboken6, segno)):
        shutil.copytree(part, making / "usr/lib/python3/dist-packages" / part.name, symlinks=True, ignore=_UNUSED_QT)
    making.rename(place)
    return place


def _ready_for_packages(making: Path) -> Path:
    """Names can be looked up and no service starts; the file that forbids the latter."""
    shutil.copy("/etc/resolv.conf", making / "etc/resolv.conf")
    policy = making / "usr/sbin/policy-rc.d"
    policy.write_text("#!/bin/sh\nexit 101\n")
    policy.chmod(0o755)
    return policy
