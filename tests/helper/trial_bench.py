# SPDX-License-Identifier: GPL-3.0-or-later
"""The machine of `bench` as one that a trial can be made on: an initramfs that is one, modules, a loader that writes.

The stand-ins for GRUB's programs write a real environment block; the one for bootctl writes the firmware's variable.
"""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import replace
from pathlib import Path

from helper.bench import (
    ARGUMENTS,
    BOOT_ID,
    CARD,
    CARDS,
    MACHINE_ID,
    NEXT_BOOT_ID,
    PLAN_ID,
    SOUND,
    STACKS,
    VARIABLES,
    VENDOR,
    line,
    make_machine,
    program,
    steps_of,
    variable,
    write_step,
)
from vitrail.helper.cpio import Member, archive, folder, link, plain, script
from vitrail.model.boot import InitramfsTool
from vitrail.model.host_step import Fixed, FixedFile, HostChange, HostPlan, LoaderEntry, Template
from vitrail.model.kernel_argument import Flag
from vitrail.model.trial import (
    EntryFolder,
    EntryTrial,
    GrubFolder,
    GrubTrial,
    ImageFolder,
    MakeTrialImage,
    OneShot,
    SetOneShot,
    StoreGuard,
)

KERNEL = "6.1.0"
UUID = "11111111-2222-3333-4444-555555555555"
OLD = ("root=/dev/vda1", "ro", "quiet")
INITRD = f"boot/initrd.img-{KERNEL}"
ENTRY = f"vitrail-{PLAN_ID}"
TRIAL_ARGUMENTS = (*ARGUMENTS, Flag.PANIC, Flag.GUARD)
ORDER = '/scripts/init-top/all_generic_ide "$@"\n/scripts/init-top/udev "$@"\n'
ONE_SHOT = f"{VARIABLES}/LoaderEntryOneShot-{VENDOR}"
"""Empty stands for erased: a shell alone cannot remove a file."""
_MODULES = {
    "vfio": (),
    "vfio-pci-core": ("vfio",),
    "vfio-pci": ("vfio-pci-core", "vfio"),
    "vfio_iommu_type1": ("vfio",),
}
BLOCK = b"# GRUB Environment Block\n".ljust(1024, b"#")
_BLOCK = (
    'block="# GRUB Environment Block\n{line}"\n'
    'while [ ${{#block}} -lt 1024 ]; do block="$block#"; done\nprintf %s "$block" > /boot/grub/grubenv\n'
)
_UTF16 = (
    'words=$1; out=""\n'
    'while [ -n "$words" ]; do rest=${words#?}; out="$out${words%"$rest"}\\\\000"; words=$rest; done\n'
)
GRUB_PROGRAMS = {
    "usr/sbin/grub-probe": 'case "$1" in\n'
    f"--target=fs_uuid) echo {UUID} ;;\n--target=fs) echo ext2 ;;\n--target=partmap) echo gpt ;;\nesac\n",
    "usr/bin/grub-mkrelpath": 'echo "$1"\n',
    "usr/sbin/grub-reboot": _BLOCK.format(line="next_entry=$1\n"),
    "usr/bin/grub-editenv": _BLOCK.format(line=""),
}
BOOTCTL = (
    f'file=/{ONE_SHOT}; shift; if [ -z "$1" ]; then : > "$file"; exit 0; fi\n'
    + _UTF16
    + 'printf \'\\007\\000\\000\\000\' > "$file"; printf "$out" >> "$file"\n'
)


def system_image(kernel: str = KERNEL, order: str = ORDER) -> bytes:
    """An initramfs as initramfs-tools makes it: microcode as it is, the rest compressed."""
    early = archive((folder("kernel"), plain("kernel/microcode.bin", b"\x01" * 99)))
    members = (
        *(folder(name) for name in ("conf", "etc", "scripts", "scripts/init-top", "usr", "usr/bin", "usr/lib")),
        link("lib", "usr/lib"),
        link("bin", "usr/bin"),
        script("init", b"#!/bin/sh\n"),
        script("usr/bin/kmod", b"\x7fELF"),
        folder("usr/lib/modules"),
        folder(f"usr/lib/modules/{kernel}"),
        script("scripts/init-top/udev", b"#!/bin/sh\n"),
        plain("scripts/init-top/ORDER", order.encode()),
    )
    return early + bytes(-len(early) % 512) + gzip.compress(archive(members), mtime=0)


def dracut_image(*more: Member) -> bytes:
    """An initramfs as dracut makes it."""
    folders = ("usr", "usr/lib", "usr/lib/dracut", "usr/lib/dracut/hooks", "usr/lib/dracut/hooks/pre-udev", "usr/sbin")
    files = (link("lib", "usr/lib"), script("usr/sbin/insmod", b"\x7fELF"), *more)
    return gzip.compress(archive((*map(folder, folders), *files)), mtime=0)


def make_trial_machine(root: Path) -> Path:
    """A machine that GRUB has started, with everything that a trial needs."""
    make_machine(root)
    variable(root, "LoaderInfo", "GRUB 2.12")
    command_line(root, f"BOOT_IMAGE=/boot/vmlinuz-{KERNEL}", *OLD)
    (root / "proc/sys/kernel/osrelease").write_text(f"{KERNEL}\n")
    modules = root / f"lib/modules/{KERNEL}"
    (modules / "kernel").mkdir()
    (modules / "modules.builtin").write_text("kernel/virt/lib/irqbypass.ko\n")
    rows = []
    for name, needs in _MODULES.items():
        (modules / f"kernel/{name}.ko").write_bytes(b"\x7fELF" + name.encode())
        rows.append(f"kernel/{name}.ko:{''.join(f' kernel/{need}.ko' for need in needs)}\n")
    (modules / "modules.dep").write_text("".join(rows))
    for name, words in GRUB_PROGRAMS.items():
        program(root, name, words)
    (root / "boot/grub/grubenv").write_bytes(BLOCK)
    return root


def make_entry_machine(root: Path) -> Path:
    """The same, started by systemd-boot from entries in /boot."""
    make_trial_machine(root)
    command_line(root, f"initrd=\\initrd.img-{KERNEL}", *OLD)
    variable(root, "LoaderInfo", "systemd-boot 255")
    (root / ONE_SHOT).write_bytes(b"")
    variable(root, "LoaderEntrySelected", "debian.conf")
    (root / "boot/loader/loader.conf").write_text("timeout 3\ndefault debian.conf\n")
    (root / "boot/loader/entries/debian.conf").write_text(
        f"title Debian\nlinux /vmlinuz-{KERNEL}\ninitrd /initrd.img-{KERNEL}\noptions {' '.join(OLD)}\n"
    )
    program(root, "usr/bin/bootctl", BOOTCTL)
    return root


def command_line(root: Path, *words: str) -> None:
    """What the kernel says it was started with."""
    (root / "proc/cmdline").write_text(f"{' '.join(words)}\n")


def grub_trial(root: Path, **other: object) -> HostPlan:
    """A trial through GRUB, and what Keep makes lasting."""
    entry = GrubTrial(
        GrubFolder.GRUB,
        PLAN_ID,
        UUID,
        ("part_gpt", "ext2"),
        f"/boot/vmlinuz-{KERNEL}",
        (f"/{INITRD}",),
        f"/boot/vitrail/{PLAN_ID}.img",
        OLD,
        TRIAL_ARGUMENTS,
    )
    image = MakeTrialImage(ImageFolder.BOOT, PLAN_ID, KERNEL, InitramfsTool.INITRAMFS_TOOLS, INITRD, CARDS)
    return trial_plan(root, replace(entry, **other), image, SetOneShot(OneShot.GRUB, PLAN_ID), STACKS["grub"])


def entry_trial(root: Path, **other: object) -> HostPlan:
    """A trial through an entry file, and what Keep makes lasting."""
    entry = EntryTrial(
        EntryFolder.BOOT,
        PLAN_ID,
        f"/vmlinuz-{KERNEL}",
        (f"/initrd.img-{KERNEL}",),
        f"/vitrail/{PLAN_ID}.img",
        OLD,
        TRIAL_ARGUMENTS,
    )
    image = MakeTrialImage(ImageFolder.BOOT, PLAN_ID, KERNEL, InitramfsTool.INITRAMFS_TOOLS, INITRD, CARDS)
    lasting = (LoaderEntry(EntryFolder.BOOT, "debian", ARGUMENTS),)
    return trial_plan(root, replace(entry, **other), image, SetOneShot(OneShot.SYSTEMD_BOOT, PLAN_ID), lasting)


def normal_start(root: Path) -> None:
    """Another restart, without the trial's words; it is the boot that the plan was made in, for comparing."""
    (root / "proc/sys/kernel/random/boot_id").write_text(f"{BOOT_ID}\n")
    words = (root / "proc/cmdline").read_text().split()
    command_line(root, *(word for word in words if word not in trial_words()))


def trial_plan(
    root: Path,
    entry: GrubTrial | EntryTrial,
    image: MakeTrialImage,
    one_shot: SetOneShot,
    lasting: tuple[Template | HostChange, ...],
) -> HostPlan:
    """The whole plan: unit, core, image, entry, mark; and the steps of a stack for Keep."""
    unit = write_step(root, FixedFile(Fixed.GUARD_UNIT))
    steps = (unit, StoreGuard(), image, write_step(root, entry), one_shot)
    machine = hashlib.sha256(b"vitrail " + MACHINE_ID.encode()).hexdigest()
    return HostPlan(PLAN_ID, machine, BOOT_ID, (CARD, SOUND), steps, steps_of(root, *lasting), guarded=True)


def start_trial(root: Path) -> None:
    """The restart: the loader erases its mark and starts the trial."""
    (root / "proc/sys/kernel/random/boot_id").write_text(f"{NEXT_BOOT_ID}\n")
    words = (root / "proc/cmdline").read_text().split()
    command_line(root, *words, *(word for word in trial_words()))
    if (root / ONE_SHOT).exists():
        (root / ONE_SHOT).write_bytes(b"")
    else:
        (root / "boot/grub/grubenv").write_bytes(BLOCK)


def trial_words() -> tuple[str, ...]:
    """What the trial adds to the line."""
    return ("intel_iommu=on", f"vitrail.plan={PLAN_ID}", Flag.PANIC.value, Flag.GUARD.value)


def keep_line(plan_id: str = PLAN_ID, boot_id: str = NEXT_BOOT_ID) -> bytes:
    """The user's word."""
    return line("keep", plan_id=plan_id, boot_id=boot_id)
