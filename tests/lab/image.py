# SPDX-License-Identifier: GPL-3.0-or-later
"""The tree as a disk that starts: an EFI and a root partition, and the kernel with a small initramfs beside it."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from lab.place import GUEST, cache
from lab.tree import in_tree, run, tree, window_tree

ROOT_LABEL = "labroot"
ROOT_MIB = 5 * 1024
EFI_MIB = 512
_SECTORS = 2048
"""Of 512 bytes in a MiB."""
_FILES = {
    "lab-shares": "usr/local/sbin/lab-shares",
    "vitrail": "usr/local/bin/vitrail",
    "lab-agent.service": "etc/systemd/system/lab-agent.service",
}
_FSTAB = f"LABEL={ROOT_LABEL} / ext4 defaults 0 1\nLABEL=LABESP /boot/efi vfat umask=0077,nofail 0 0\n"
_MODULES = ("virtio_pci", "virtio_blk", "ext4", "9pnet_virtio", "9p")
_FORMAT = 3
"""Counts changes of this file that make another image."""


@dataclass(frozen=True, slots=True)
class Start:
    """The disk below a machine's own, the firmware's variables if it has UEFI, and whether QEMU gives the kernel."""

    below: Path
    below_kind: str
    variables: Path | None
    kernel: bool


class Image:
    """The raw disk that every other disk is an overlay of, and what starts it without a boot loader."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.disk = folder / "base.raw"
        self.kernel = folder / "vmlinuz"
        self.initramfs = folder / "initrd.img"


def image(*, window: bool = False) -> Image:
    """Made when it is not there or something in it changed; `window`: with what a desktop has."""
    base, name = (window_tree(), "window-image") if window else (tree(), "image")
    parts = [base.name, str(_FORMAT), _FSTAB, *((GUEST / name).read_text() for name in sorted(_FILES))]
    folder = cache() / (f"{name}-" + hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12])
    if folder.is_dir():
        return Image(folder)
    for old in cache().glob(f"{name}-*"):
        shutil.rmtree(old)
    making = cache() / f"making-{name}"
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir()
    _dress(base)
    _kernel(base, Image(making))
    _disk(base, Image(making).disk, making / "log")
    making.rename(folder)
    return Image(folder)


def _dress(base: Path) -> None:
    """What the lab adds to the system."""
    for name, where in _FILES.items():
        shutil.copy(GUEST / name, base / where)
    wants = base / "etc/systemd/system/multi-user.target.wants/lab-agent.service"
    wants.unlink(missing_ok=True)
    wants.symlink_to("../lab-agent.service")
    (base / "etc/fstab").write_text(_FSTAB)
    (base / "etc/hostname").write_text("lab\n")
    (base / "etc/machine-id").write_text("")
    (base / "etc/resolv.conf").write_text("")
    for folder in ("boot/efi", "mnt/lab", "mnt/mailbox"):
        (base / folder).mkdir(parents=True, exist_ok=True)


def _kernel(base: Path, made: Image) -> None:
    """The distribution's kernel, and an initramfs that only finds the disk."""
    (kernel,) = (base / "boot").glob("vmlinuz-*")
    release = kernel.name.removeprefix("vmlinuz-")
    settings = base / "etc/lab-initramfs"
    shutil.rmtree(settings, ignore_errors=True)
    shutil.copytree(base / "etc/initramfs-tools", settings, symlinks=True)
    (settings / "modules").write_text("\n".join(_MODULES) + "\n")
    (settings / "conf.d/lab").write_text("MODULES=list\nCOMPRESS=gzip\n")
    in_tree(base, "mkinitramfs", "-d", "/etc/lab-initramfs", "-o", "/tmp/lab-initrd", release)
    shutil.rmtree(settings)
    shutil.copy(kernel, made.kernel)
    shutil.move(base / "tmp/lab-initrd", made.initramfs)


def _disk(base: Path, disk: Path, log: Path) -> None:
    """A GUID partition table with both partitions; the EFI one is formatted by the machine itself."""
    with disk.open("wb") as file:
        file.truncate((EFI_MIB + ROOT_MIB + 2) << 20)
    plan = f"label: gpt\nstart={_SECTORS}, size={EFI_MIB * _SECTORS}, type=U\nsize={ROOT_MIB * _SECTORS}, type=L\n"
    subprocess.run(("/usr/sbin/sfdisk", "-q", str(disk)), input=plan, text=True, check=True)
    table = json.loads(subprocess.check_output(("/usr/sbin/sfdisk", "--json", str(disk))))
    start = int(table["partitiontable"]["partitions"][1]["start"])
    offset = f"offset={start * 512}"
    run("mkfs.ext4", "-q", "-L", ROOT_LABEL, "-E", offset, "-d", str(base), str(disk), f"{ROOT_MIB * 1024}k", log=log)


def words_of(log: Path) -> str:
    """A log without what only a terminal needs."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", log.read_text(errors="replace")).replace("\r", "")
