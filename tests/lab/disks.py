# SPDX-License-Identifier: GPL-3.0-or-later
"""Disks that start by themselves, each prepared once by the distribution's own tools inside a lab machine."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lab.image import Start, image
from lab.machine import MEMORY_MIB, OVERLAY, Machine, running
from lab.place import FIRMWARE_VARIABLES, GUEST, LabCannotRunError, cache
from lab.wiring import Hardware

INSTALL_LIMIT_S = 1200.0


@dataclass(frozen=True, slots=True)
class Recipe:
    """The disk that one is made from (None: the bare image), and the script in `guest/` that does it."""

    base: str | None
    script: str


DISKS = {
    "grub": Recipe(None, "install-grub"),
    "systemd-boot": Recipe(None, "install-systemd-boot"),
    "dracut": Recipe("grub", "install-dracut"),
    "iommu-off": Recipe("grub", "install-iommu-off"),
}


@contextmanager
def machine(
    hardware: Hardware,
    disk: str | Start | None = None,
    *,
    name: str = "machine",
    on: bool = True,
    memory_mib: int = MEMORY_MIB,
    window: bool = False,
) -> Iterator[Machine]:
    """A machine that is on and answers.

    Without a disk's name it starts straight into its kernel, without systemd, in seconds. With one of DISKS the
    firmware and the boot loader on it run, systemd starts, and what was written is there after a restart; so with what
    another machine left (`as_start`). `window`: without a disk, but with what a desktop has.
    """
    start = prepared(disk) if isinstance(disk, str) else disk
    start = start or Start(image(window=window).disk, "raw", None, kernel=True)
    with running(hardware, start, name, on=on, memory_mib=memory_mib) as made:
        yield made


def prepared(name: str) -> Start:
    """The disk of that name; made when it is not there or its recipe changed."""
    folder = _folder(name)
    start = Start(folder / "disk.qcow2", "qcow2", folder / "variables.fd", kernel=False)
    if not folder.is_dir():
        _install(name, folder)
    return start


def _folder(name: str) -> Path:
    recipe = DISKS[name]
    scripts = [(GUEST / name).read_text() for name in (recipe.script, "install-common")]
    parts = (image().folder, _folder(recipe.base).name if recipe.base else "", *scripts)
    return cache() / f"disk-{name}-{hashlib.sha256(repr(parts).encode()).hexdigest()[:12]}"


def _install(name: str, folder: Path) -> None:
    recipe = DISKS[name]
    below = prepared(recipe.base) if recipe.base else Start(image().disk, "raw", FIRMWARE_VARIABLES, kernel=True)
    for old in cache().glob(f"disk-{name}-*"):
        shutil.rmtree(old)
    making = cache() / f"making-{name}"
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(parents=True)
    with running(Hardware(()), below, f"install-{name}") as made:
        answer = made.run(f"bash -ex /mnt/lab/guest/{recipe.script}", ok=False, limit_s=INSTALL_LIMIT_S)
        (making / "log").write_text(answer.output + answer.errors)
        if answer.status:
            raise LabCannotRunError(f"making the disk {name} failed:\n{(answer.output + answer.errors)[-3000:]}")
        made.run("sync; umount /boot/efi; mount -o remount,ro / || true; sync")
        made.off()
        shutil.copy(made.folder / OVERLAY, making / "disk.qcow2")
        shutil.copy(made.folder / "variables.fd", making / "variables.fd")
    making.rename(folder)
