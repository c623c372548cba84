# SPDX-License-Identifier: GPL-3.0-or-later
"""A small machine in a folder for the helper: facts, configuration of every boot stack, and programs that really run.

The programs are shell scripts started inside the folder by a real shell; they do in few lines what the real ones do,
and note that they were called.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import shutil
import struct
import subprocess
import sys
from functools import cache
from pathlib import Path

from vitrail.helper.started_by import OWNERS, loader_of, owner_of
from vitrail.model.host_place import place_of
from vitrail.model.host_step import (
    ArgumentFile,
    ArgumentsByTool,
    ArgumentsFile,
    ArgumentTool,
    Fixed,
    FixedFile,
    HostChange,
    HostPlan,
    LoaderEntry,
    RunTool,
    Template,
    Tool,
    WriteFile,
)
from vitrail.model.kernel_argument import Flag, PlanToken
from vitrail.model.pci import DeviceIdentity, PciAddress
from vitrail.model.permission import (
    AppArmorRoms,
    HostGroup,
    JoinGroup,
    LabelRom,
    LockedMemory,
    SessionMemory,
    VfioAccess,
)
from vitrail.model.render import digest_of, render
from vitrail.model.reservation import ReservedCard, ReservedCards
from vitrail.model.trial import EntryFolder
from vitrail.model.wire import to_wire

REPOSITORY = Path(__file__).resolve().parents[2]
PLAN_ID = "0123456789abcdef"
BOOT_ID = "11111111-2222-3333-4444-555555555555"
NEXT_BOOT_ID = "99999999-2222-3333-4444-555555555555"
MACHINE_ID = "0f0e0d0c0b0a09080706050403020100"
CARD = DeviceIdentity(PciAddress(0, 1, 0, 0), 0x10DE, 0x2783, 0x1043, 0x88F0)
SOUND = DeviceIdentity(PciAddress(0, 1, 0, 1), 0x10DE, 0x22BC, None, None)
DISK = DeviceIdentity(PciAddress(0, 2, 0, 0), 0x144D, 0xA80A, None, None)
CLASSES = {CARD: 0x030000, SOUND: 0x040300, DISK: 0x010802}
ARGUMENTS = (Flag.INTEL_IOMMU_ON, PlanToken(PLAN_ID))
WORDS = ("intel_iommu=on", f"vitrail.plan={PLAN_ID}")

VARIABLES = "sys/firmware/efi/efivars"
VENDOR = "4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"
STARTED_BY = (
    *(f"{VARIABLES}/{name}-{VENDOR}" for name in ("LoaderInfo", "LoaderEntrySelected")),
    *(path for path, _ in OWNERS),
)
"""What a test sets for the plan that it makes."""
_SHELL = '#!/bin/sh\necho "${0##*/} $*" >> /calls\n'
_ADD_WORDS = 'for word in $words; do case " $line " in *" $word "*) ;; *) line="$line $word" ;; esac; done\n'
_TAKE_WORDS = (
    'left=""; for one in $line; do case " $words " in *" $one "*) ;; *) left="$left $one" ;; esac; done\n'
    "line=${left# }\n"
)
_ARCHIVE = r"""
pad() { left=$(( (4 - $1 % 4) % 4 )); while [ $left -gt 0 ]; do printf '\000'; left=$((left - 1)); done; }
member() {
  printf 070701
  for field in 1 $2 0 0 1 0 ${#3} 0 0 0 0 $((${#1} + 1)) 0; do printf %08X $field; done
  printf '%s\000' "$1"; pad $((${#1} + 111)); printf %s "$3"; pad ${#3}
}
folder() { member "$1" 16877 ""; }
plain() { member "$1" 33188 "$2"; }
line_end='
'
"""
"""A shell's way to write an archive of an initramfs, byte for byte the same from the same files."""
_IMAGE = (
    _ARCHIVE.replace("{", "{{").replace("}", "}}")
    + "for image in {images}; do\n{{\n{members}member 'TRAILER!!!' 0 ''; }} > $image\ndone\n:\n"
)
_CARDS = "if [ -e /etc/vitrail/reserved-cards ]; then folder etc/vitrail; plain etc/vitrail/reserved-cards table; fi\n"
_OF_INITRAMFS_TOOLS = (
    "for one in conf etc scripts scripts/init-top usr usr/bin usr/lib; do folder $one; done\n"
    "plain usr/bin/insmod ELF; plain scripts/init-top/udev script\n"
    + _CARDS
    + 'order="/scripts/init-top/udev \\"\\$@\\"$line_end"\n'
    "if [ -e /etc/initramfs-tools/hooks/vitrail ] && [ -e /etc/initramfs-tools/scripts/init-top/00-vitrail ]; then\n"
    "plain scripts/init-top/00-vitrail script\n"
    'order="/scripts/init-top/00-vitrail \\"\\$@\\"$line_end$order"; fi\n'
    'plain scripts/init-top/ORDER "$order"\n'
)
_OF_DRACUT = (
    "for one in etc usr usr/lib usr/lib/dracut usr/lib/dracut/hooks; do folder $one; done\n"
    "folder usr/lib/dracut/hooks/pre-udev\n"
    + _CARDS
    + "[ -e /etc/dracut.conf.d/60-vitrail.conf ] && plain usr/lib/dracut/hooks/pre-udev/00-vitrail-early.sh script\n"
)
_OF_MKINITCPIO = (
    "folder etc; folder hooks; plain init_functions script\n"
    + _CARDS
    + "early=udev; if [ -e /etc/initcpio/hooks/vitrail ]; then plain hooks/vitrail script; early='vitrail udev'; fi\n"
    'plain config "EARLYHOOKS=\\"$early\\"$line_end"\n'
)


def _menu(variables: str) -> str:
    linux = "  linux /boot/vmlinuz-6.1.0 root=/dev/vda1 ro"
    return f"""{variables}
{{
echo "load_env"
echo "save_env next_entry"
echo "menuentry 'Linux' {{"
echo "{linux} $GRUB_CMDLINE_LINUX $GRUB_CMDLINE_LINUX_DEFAULT"
echo "  initrd /boot/initrd.img-6.1.0"
echo "}}"
echo "menuentry 'Linux (recovery)' {{"
echo "{linux} single $GRUB_CMDLINE_LINUX"
echo "}}"
echo "source custom.cfg"
}} > """


_GRUB = _menu('. /etc/default/grub; for one in /etc/default/grub.d/*.cfg; do [ -e "$one" ] && . "$one"; done')
_LINE_END = "line_end='\n'\n"
_EACH_GROUP = _LINE_END + "out=''; while IFS= read -r row; do case \"$row\" in "
_GROUPS_END = 'esac; out="$out$row$line_end"; done < /etc/group; printf %s "$out" > /etc/group\n'
LABELS = "etc/selinux/targeted/contexts/files/file_contexts.local"
ROM = "usr/local/share/vbios/card.v2.rom"
DRESSED = ("etc/default/grub", "etc/kernel/cmdline", "boot/loader/entries/arch.conf", "boot/refind_linux.conf")
PROGRAMS = {
    "usr/sbin/update-grub": f"{_GRUB} /boot/grub/grub.cfg\n",
    "usr/sbin/grub-mkconfig": _menu(". /etc/default/grub") + ' "$2"\n',
    "usr/sbin/update-initramfs": _IMAGE.format(
        images="/boot/initrd.img-6.1.0 /boot/initrd.img-6.2.0", members=_OF_INITRAMFS_TOOLS
    ),
    "usr/bin/dracut": _IMAGE.format(images="/boot/initramfs-6.1.0.img /boot/initramfs-6.2.0.img", members=_OF_DRACUT),
    "usr/bin/mkinitcpio": _IMAGE.format(images="/boot/initramfs-linux.img", members=_OF_MKINITCPIO),
    "usr/bin/kernel-install": 'read -r line < /etc/kernel/cmdline\n{ echo title Linux; echo "options $line"; } '
    "> /boot/loader/entries/machine-$2.conf\n",
    "usr/bin/grubby": 'read -r line < /boot/grubby.line\ncase "$2" in --args=*) words=${2#--args=}\n'
    + _ADD_WORDS
    + ";; --remove-args=*) words=${2#--remove-args=}\n"
    + _TAKE_WORDS
    + ';; *) echo "args=\\"$line\\""; exit 0 ;;\nesac\necho "$line" > /boot/grubby.line\n',
    "usr/bin/kernelstub": 'read -r line < /boot/stub.line; words=$2\ncase "$1" in -a) :\n'
    + _ADD_WORDS
    + ";; -d) :\n"
    + _TAKE_WORDS
    + ';; *) echo "options: $line"; exit 0 ;;\nesac\necho "$line" > /boot/stub.line\n',
    "usr/bin/sdboot-manage": ". /etc/sdboot-manage.conf\n"
    'echo "options root=/dev/vda1 $LINUX_OPTIONS" > /boot/loader/entries/one.conf\n',
    "usr/sbin/usermod": "group=$3 user=$4\n"
    + _EACH_GROUP
    + '"$group:"*:) row="$row$user" ;; "$group:"*) row="$row,$user" ;; '
    + _GROUPS_END,
    "usr/bin/gpasswd": "user=$2 group=$3\n"
    + _EACH_GROUP
    + '"$group:"*) all=",${row##*:},"; all="${all%%,"$user",*},${all#*,"$user",}"; all=${all#,}; '
    + 'row="${row%:*}:${all%,}" ;; '
    + _GROUPS_END,
    "usr/bin/udevadm": ":\n",
    "usr/sbin/semanage": _LINE_END + "for path; do :; done; out=''\n"
    'while IFS= read -r row; do case "$row" in "$path "*) ;; *) out="$out$row$line_end" ;; esac; done < '
    f"/{LABELS}\n"
    '[ "$2" = -a ] && out="$out$path system_u:object_r:$4:s0$line_end"\n'
    f'printf %s "$out" > /{LABELS}\n',
    "usr/sbin/restorecon": '[ -e "$2" ]\n',
    "usr/bin/proxmox-boot-tool": "read -r line < /etc/kernel/cmdline\n"
    'echo "options $line" > /boot/efi/loader/entries/pve.conf\n',
}
FILES = {
    "etc/machine-id": f"{MACHINE_ID}\n",
    "proc/sys/kernel/random/boot_id": f"{BOOT_ID}\n",
    "etc/passwd": "root:x:0:0::/root:/bin/sh\nada:x:1000:1000::/home/ada:/bin/sh\nbob:x:1001:105::/home/bob:/bin/sh\n",
    "etc/group": "root:x:0:\nlibvirt:x:104:\nrender:x:105:cleo\n",
    "etc/selinux/config": "SELINUX=enforcing\nSELINUXTYPE=targeted\n",
    LABELS: "",
    "etc/default/grub": 'GRUB_DEFAULT=0\nGRUB_CMDLINE_LINUX_DEFAULT="quiet splash"\nGRUB_CMDLINE_LINUX=""\n',
    "etc/kernel/cmdline": "root=/dev/vda1 rw quiet\n",
    "etc/sdboot-manage.conf": 'LINUX_OPTIONS="quiet"\n',
    "etc/default/limine": 'KERNEL_CMDLINE[default]="root=/dev/vda1 quiet"\n',
    "etc/booster.yaml": "universal: false\n",
    "boot/refind_linux.conf": '"Standard"  "root=/dev/vda1 rw quiet"\n"Single"    "root=/dev/vda1 single"\n',
    "boot/loader/entries/arch.conf": "title Arch\nlinux /vmlinuz-linux\noptions root=/dev/vda1 rw\n",
    "boot/efi/loader/entries/pve.conf": "options root=/dev/vda1 rw quiet\n",
    "boot/grubby.line": "root=/dev/vda1 ro\n",
    "boot/stub.line": "root=/dev/vda1 ro\n",
    "boot/vmlinuz-6.1.0": "kernel",
    "lib/modules/6.1.0/modules.order": "",
    "lib/modules/6.2.0/modules.order": "",
}


@cache
def _shell_files() -> tuple[Path, ...]:
    shell = Path("/bin/dash").resolve()
    listed = subprocess.run(["/usr/bin/ldd", shell], capture_output=True, text=True, check=True).stdout
    return (shell, *(Path(path) for path in re.findall(r"(/\S+) \(", listed)))


def make_machine(root: Path) -> Path:
    """A machine in a new folder, with its generated files made by its own programs."""
    for name, content in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    (root / ROM).parent.mkdir(parents=True)
    (root / ROM).write_bytes(b"\x55\xaa firmware of a card")
    for name in DRESSED:
        _dress(root / name)
    for identity, code in CLASSES.items():
        _device(root, identity, code)
    for path in _shell_files():
        place = root / str(path).lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path.resolve(), place)
        place.chmod(0o755)
    (root / "bin").mkdir(exist_ok=True)
    shutil.copyfile(_shell_files()[0], root / "bin/sh")
    (root / "bin/sh").chmod(0o755)
    for name, words in PROGRAMS.items():
        program(root, name, words)
    for folder in (
        VARIABLES,
        "etc/kernelstub",
        "boot/grub",
        "etc/default/grub.d",
        "etc/initramfs-tools/hooks",
        "dev",
    ):
        (root / folder).mkdir(parents=True, exist_ok=True)
    (root / "dev/null").write_text("")
    for name in ("update-grub", "update-initramfs"):
        call(root, f"/usr/sbin/{name}")
    for name in ("dracut", "mkinitcpio", "sdboot-manage"):
        call(root, f"/usr/bin/{name}")
    call(root, "/usr/bin/kernel-install", "add", "6.1.0")
    (root / "calls").unlink()
    return root


def _dress(path: Path) -> None:
    """A mode, an owner, an access list and a label that nobody would guess."""
    os.chown(path, 0, 4)
    path.chmod(0o640)
    entries = ((0x01, 6, -1), (0x02, 4, 1234), (0x04, 4, -1), (0x10, 4, -1), (0x20, 0, -1))
    access_list = struct.pack("<I", 2) + b"".join(struct.pack("<HHi", *entry) for entry in entries)
    for label, value in (("system.posix_acl_access", access_list), ("user.note", b"mine")):
        try:
            os.setxattr(path, label, value)
        except OSError as error:
            if error.errno != errno.ENOTSUP:
                raise


def labels(path: Path) -> tuple[tuple[str, bytes], ...]:
    """The extended attributes of a file, links not followed."""
    names = sorted(os.listxattr(path, follow_symlinks=False))
    return tuple((name, os.getxattr(path, name, follow_symlinks=False)) for name in names)


def program(root: Path, name: str, words: str) -> None:
    """Put a program there, or another one in its place."""
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(_SHELL + words)
    path.chmod(0o755)


def call(root: Path, *vector: str) -> None:
    """Run a program of the machine, as someone else would."""
    subprocess.run(["chroot", root, *vector], check=True, stdin=subprocess.DEVNULL)


def device_files(identity: DeviceIdentity, code: int) -> dict[str, str]:
    """What the kernel shows of a device."""
    numbers = {
        "vendor": identity.vendor_id,
        "device": identity.device_id,
        "subsystem_vendor": identity.subsystem_vendor_id,
        "subsystem_device": identity.subsystem_device_id,
    }
    said = {name: f"0x{number:04x}\n" for name, number in numbers.items() if number is not None}
    return said | {"class": f"0x{code:06x}\n"}


def _device(root: Path, identity: DeviceIdentity, code: int) -> None:
    folder = root / f"sys/devices/pci0000:00/{identity.address}"
    folder.mkdir(parents=True)
    for name, words in device_files(identity, code).items():
        (folder / name).write_text(words)
    links = root / "sys/bus/pci/devices"
    links.mkdir(parents=True, exist_ok=True)
    (links / str(identity.address)).symlink_to(f"../../../devices/pci0000:00/{identity.address}")


def write_step(root: Path, template: Template) -> WriteFile:
    """The step as the unprivileged side makes it: what is there, and what is shown as coming."""
    path = root / place_of(template).path
    current = path.read_bytes() if path.exists() else None
    return WriteFile(template, None if current is None else digest_of(current), digest_of(render(template, current)))


def steps_of(root: Path, *changes: Template | HostChange) -> tuple[HostChange, ...]:
    """Templates become steps."""
    own = (WriteFile, RunTool, ArgumentsByTool, JoinGroup, LabelRom)
    return tuple(change if isinstance(change, own) else write_step(root, change) for change in changes)


def plan_of(root: Path, *changes: Template | HostChange, plan_id: str = PLAN_ID, boot_id: str = BOOT_ID) -> HostPlan:
    """A plan for this machine, which was started by what the plan is for."""
    steps = steps_of(root, *changes)
    started_by(root, steps)
    machine = hashlib.sha256(b"vitrail " + MACHINE_ID.encode()).hexdigest()
    return HostPlan(plan_id, machine, boot_id, (CARD, SOUND), steps, (), guarded=False)


def started_by(root: Path, steps: tuple[HostChange, ...]) -> None:
    """The traces of the loader and the owner that these steps are for."""
    loaders = [loader for step in steps if (loader := loader_of(step)) is not None]
    owners = [owner for step in steps if (owner := owner_of(step)) is not None]
    variable(root, "LoaderInfo", loaders[0] if loaders else "")
    entries = [
        step.template.name for step in steps if isinstance(step, WriteFile) and isinstance(step.template, LoaderEntry)
    ]
    variable(root, "LoaderEntrySelected", f"{entries[0]}.conf" if entries else "")
    for path, name in OWNERS:
        (root / path).unlink(missing_ok=True)
        if name in owners:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text("")


def variable(root: Path, name: str, words: str) -> None:
    """Set a variable of the boot loader interface."""
    path = root / f"{VARIABLES}/{name}-{VENDOR}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\x06\0\0\0" + f"{words}\0".encode("utf-16-le"))


CARDS = ReservedCards((ReservedCard(PLAN_ID, CARD), ReservedCard(PLAN_ID, SOUND)))
STACKS: dict[str, tuple[Template | HostChange, ...]] = {
    "grub": (
        CARDS,
        FixedFile(Fixed.INITRAMFS_TOOLS_HOOK),
        FixedFile(Fixed.INITRAMFS_TOOLS_EARLY),
        RunTool(Tool.UPDATE_INITRAMFS),
        ArgumentsFile(ArgumentFile.GRUB_DROP_IN, ARGUMENTS),
        RunTool(Tool.UPDATE_GRUB),
    ),
    "kernel-install": (
        CARDS,
        FixedFile(Fixed.DRACUT_CONF),
        FixedFile(Fixed.DRACUT_MODULE),
        FixedFile(Fixed.DRACUT_EARLY),
        RunTool(Tool.DRACUT),
        ArgumentsFile(ArgumentFile.KERNEL_CMDLINE, ARGUMENTS),
        RunTool(Tool.KERNEL_INSTALL),
    ),
    "systemd-boot": (
        CARDS,
        FixedFile(Fixed.MKINITCPIO_CONF),
        FixedFile(Fixed.MKINITCPIO_INSTALL),
        FixedFile(Fixed.MKINITCPIO_HOOK),
        RunTool(Tool.MKINITCPIO),
        LoaderEntry(EntryFolder.BOOT, "arch", ARGUMENTS),
    ),
    "grub-arch": (ArgumentsFile(ArgumentFile.GRUB_DEFAULTS, ARGUMENTS), RunTool(Tool.GRUB_MKCONFIG)),
    "grub-bls": (ArgumentsByTool(ArgumentTool.GRUBBY, ARGUMENTS),),
    "kernelstub": (ArgumentsByTool(ArgumentTool.KERNELSTUB, ARGUMENTS),),
    "sdboot-manage": (ArgumentsFile(ArgumentFile.SDBOOT_MANAGE, ARGUMENTS), RunTool(Tool.SDBOOT_MANAGE)),
    "proxmox-boot-tool": (ArgumentsFile(ArgumentFile.KERNEL_CMDLINE, ARGUMENTS), RunTool(Tool.PROXMOX_REFRESH)),
    "refind": (ArgumentsFile(ArgumentFile.REFIND_LINUX, ARGUMENTS),),
    "booster": (FixedFile(Fixed.BOOSTER_MODULES),),
    "permissions": (
        VfioAccess("ada"),
        RunTool(Tool.UDEV_RULES),
        LockedMemory("ada", 17408),
        SessionMemory(1000, 17408),
        AppArmorRoms((ROM,)),
        JoinGroup("ada", HostGroup.RENDER),
        LabelRom(ROM),
    ),
}


def snapshot(root: Path, *, own: bool = False) -> dict[str, tuple[object, ...]]:
    """Everything in the tree with mode, owner and content; `own`: what the helper remembers too."""
    found: dict[str, tuple[object, ...]] = {}
    for folder, folders, files in os.walk(root):
        for name in (*folders, *files):
            path = Path(folder, name)
            key = path.relative_to(root).as_posix()
            if key in ("calls", "dev/null") or key.startswith(STARTED_BY) or (not own and f"{key}/".startswith("var/")):
                continue
            status = path.lstat()
            content = path.read_bytes() if path.is_file() and not path.is_symlink() else b""
            link = os.readlink(path) if path.is_symlink() else ""  # noqa: PTH115 - the text itself
            found[key] = (
                *(status.st_mode, status.st_uid, status.st_gid),
                *(hashlib.sha256(content).hexdigest(), link, labels(path)),
            )
    return found


def line(verb: str, **members: object) -> bytes:
    """A request as it goes over the wire."""
    return json.dumps({"protocol": 1, "id": "t", "verb": verb, **members}).encode() + b"\n"


def apply_line(plan: HostPlan) -> bytes:
    return line("apply", plan=to_wire(plan))


def undo_line(plan_id: str | None = None, *, everything: bool = False, force: bool = False) -> bytes:
    return line("undo", plan_id=plan_id, everything=everything, force=force)


def ask(root: Path, *lines: bytes, core: Path | None = None) -> list[dict[str, object]]:
    """The answers of a real helper process."""
    start = [core] if core else ["-m", "vitrail.helper"]
    flags = ["-I", "-S"] if core else []
    run = subprocess.run(
        [sys.executable, *flags, *start, "--stdio", "--root", root],
        input=b"".join(lines),
        capture_output=True,
        check=True,
        env={"PYTHONPATH": str(REPOSITORY / "app"), "PATH": "/usr/bin"},
        timeout=120,
    )
    assert not run.stderr
    return [json.loads(answer) for answer in run.stdout.splitlines()]
