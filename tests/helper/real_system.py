# SPDX-License-Identifier: GPL-3.0-or-later
"""A copy-on-write of this very system in a mount namespace of its own, with Debian's own programs in it.

Only grub-probe is stood in for, because a container's root is on no disk that GRUB knows.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from helper.bench import BOOT_ID, CARD, CARDS, CLASSES, MACHINE_ID, PLAN_ID, REPOSITORY, SOUND, device_files
from helper.trial_bench import INITRD, OLD, TRIAL_ARGUMENTS
from vitrail.model.boot import InitramfsTool
from vitrail.model.host_step import Fixed, FixedFile, HostChange, HostPlan, RunTool, Template, WriteFile
from vitrail.model.render import digest_of, render
from vitrail.model.trial import GrubFolder, GrubTrial, ImageFolder, MakeTrialImage, OneShot, SetOneShot, StoreGuard

KERNEL = "6.1.0"
IMAGE = f"boot/vitrail/{PLAN_ID}.img"
LINE = (f"BOOT_IMAGE=/boot/vmlinuz-{KERNEL}", *OLD)
SETTINGS = 'GRUB_DEFAULT=0\nGRUB_DISTRIBUTOR=Debian\nGRUB_CMDLINE_LINUX_DEFAULT="quiet"\nGRUB_CMDLINE_LINUX=""\n'
PROBE = """#!/bin/sh
case "$*" in
*target=device*) echo /dev/vda ;;
*fs_uuid*) echo 1111-2222 ;;
*target=fs* | *"-t fs"*) echo ext2 ;;
*abstraction* | *partmap*) ;;
*) echo hd0 ;;
esac
"""
MOUNT = """
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/merged"
mount --bind "$1/proc" "$1/merged/proc"
rm -f "$1/merged/dev/null"
touch "$1/merged/dev/null"
mount --bind /dev/null "$1/merged/dev/null"
cd "$1/merged" && shift && exec "$@"
"""


class System:
    """This system, of which only a copy is ever written."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("upper", "work", "merged", "proc/sys/kernel/random"):
            (folder / name).mkdir(parents=True)
        self.boot(BOOT_ID)

    def boot(self, boot_id: str, *words: str) -> None:
        """Another start, with this line."""
        (self.folder / "proc/sys/kernel/random/boot_id").write_text(f"{boot_id}\n")
        (self.folder / "proc/sys/kernel/osrelease").write_text(f"{KERNEL}\n")
        (self.folder / "proc/cmdline").write_text(f"{' '.join(words)}\n")

    def run(self, *vector: object, content: bytes = b"") -> bytes:
        start = ["unshare", "-m", "--propagation", "private", "sh", "-ec", MOUNT, "sh", self.folder]
        run = subprocess.run([*start, *vector], input=content, capture_output=True, check=False)
        assert run.returncode == 0, run.stderr.decode()
        return run.stdout

    def write(self, path: str, words: str, mode: str = "0644") -> None:
        script = 'mkdir -p "$(dirname "$1")"; rm -f "$1"; cat > "$1"; chmod "$2" "$1"'
        self.run("sh", "-ec", script, "sh", path, mode, content=words.encode())

    def read(self, path: str) -> bytes:
        """What is in a file now."""
        return self.run("cat", path)

    def answer(self, line: bytes) -> dict[str, object]:
        """What the helper says."""
        core = ["-m", "vitrail.helper", "--stdio", "--root", "."]
        said = self.run("env", f"PYTHONPATH={REPOSITORY / 'app'}", sys.executable, *core, content=line)
        (answer,) = map(json.loads, said.splitlines())
        return answer

    def ask(self, line: bytes):
        """The result of what the helper did."""
        answer = self.answer(line)
        assert answer["ok"], answer
        return answer["result"]

    def kernels(self) -> list[str]:
        menu = self.run("cat", "boot/grub/grub.cfg").decode()
        self.run("chroot", ".", "grub-script-check", "/boot/grub/grub.cfg")
        return [line.split("\t")[-1] for line in menu.split("\n") if line.lstrip().startswith("linux\t")]


def make_system(folder: Path) -> System:
    """This system, as one that GRUB has started. Skips where no overlay can be mounted."""
    made = System(folder)
    try:
        made.run("true")
    except AssertionError:
        pytest.skip("no overlay can be mounted here")
    made.write("etc/machine-id", f"{MACHINE_ID}\n")
    made.write("etc/default/grub", SETTINGS)
    made.write("boot/vmlinuz-6.1.0", "\x7fELF")
    made.write("usr/sbin/grub-probe", PROBE, "0755")
    made.write("boot/grub/grub.cfg", "")
    made.run("chroot", ".", "update-grub")
    return made


_ASSEMBLER = """\
.section .modinfo,"a"
.asciz "name={name}"
.asciz "license=GPL"
.section __ksymtab_strings,"a"
.asciz "{own}"
.text
{calls}
"""
_VFIO = {
    "vfio": (),
    "vfio_virqfd": ("vfio",),
    "vfio-pci-core": ("vfio", "vfio_virqfd"),
    "vfio-pci": ("vfio-pci-core",),
    "vfio_iommu_type1": ("vfio",),
}


def add_kernel(system: System) -> None:
    """A kernel of which only the modules' names and needs are real, two of them compressed."""
    base = f"lib/modules/{KERNEL}"
    packers = {"vfio": ("xz", "-f"), "vfio-pci-core": ("zstd", "-q", "--rm")}
    for name, needs in _VFIO.items():
        calls = "\n".join(f"call use_{need.replace('-', '_')}" for need in needs)
        words = _ASSEMBLER.format(name=name.replace("-", "_"), own=f"use_{name.replace('-', '_')}", calls=calls)
        path = f"{base}/kernel/drivers/vfio/{name}.ko"
        system.write(path, "")
        system.run("as", "-o", path, "-", content=words.encode())
        if name in packers:
            system.run(*packers[name], path)
    for name in ("modules.order", "modules.builtin", "modules.builtin.modinfo"):
        system.write(f"{base}/{name}", "")
    system.run("chroot", ".", "depmod", "-a", KERNEL)
    system.write(f"boot/config-{KERNEL}", "CONFIG_RD_ZSTD=y\nCONFIG_RD_GZIP=y\n")
    system.run("sed", "-i", "s/^MODULES=.*/MODULES=list/", "etc/initramfs-tools/initramfs.conf")
    system.run("chroot", ".", "update-initramfs", "-c", "-k", KERNEL)


def add_cards(system: System) -> None:
    """The cards of the bench."""
    for identity, code in CLASSES.items():
        for name, words in device_files(identity, code).items():
            system.write(f"sys/bus/pci/devices/{identity.address}/{name}", words)


def step(template: Template) -> WriteFile:
    """A file that is not there yet."""
    return WriteFile(template, None, digest_of(render(template, None)))


def new_steps(changes: tuple[Template | HostChange, ...]) -> tuple[HostChange, ...]:
    """Templates become steps that write new files."""
    return tuple(change if isinstance(change, RunTool) else step(change) for change in changes)


def real_plan(family: InitramfsTool, lasting: tuple[Template | HostChange, ...]) -> HostPlan:
    """The trial of a Debian with GRUB, and what lasts of it."""
    entry = GrubTrial(
        GrubFolder.GRUB,
        PLAN_ID,
        "1111-2222",
        ("ext2",),
        f"/boot/vmlinuz-{KERNEL}",
        (f"/{INITRD}",),
        f"/{IMAGE}",
        OLD,
        TRIAL_ARGUMENTS,
    )
    image = MakeTrialImage(ImageFolder.BOOT, PLAN_ID, KERNEL, family, INITRD, CARDS)
    steps = (step(FixedFile(Fixed.GUARD_UNIT)), StoreGuard(), image, step(entry), SetOneShot(OneShot.GRUB, PLAN_ID))
    keep = new_steps(lasting)
    machine = digest_of(b"vitrail " + MACHINE_ID.encode())
    return HostPlan(PLAN_ID, machine, BOOT_ID, (CARD, SOUND), steps, keep, guarded=True)
