# SPDX-License-Identifier: GPL-3.0-or-later
"""Ways in which a machine of model values starts: one for each boot stack, with the files that a plan is made on.

Separate from `fakes.hosts` because few tests care how a machine starts; those say one start and change one fact of it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from fakes.hosts import SETUP, host, known
from vitrail.model.boot import BootFile, BootSetup, BootStack, FileSystem, InitramfsTool
from vitrail.model.machine import Gpu, Host
from vitrail.model.paths import GRUB_CONFIGS, START_FILES
from vitrail.model.reading import Known

KERNEL = "6.12.48-amd64"
ROOT = "root=UUID=6f6c1f7e-0000-4000-8000-000000000001 ro quiet"
UUID = "6f6c1f7e-0000-4000-8000-000000000001"
BOOT_UUID = "6f6c1f7e-0000-4000-8000-000000000002"
GRUB_CFG = (
    'load_env\nif [ "${next_entry}" ] ; then\n   set next_entry=\n   save_env next_entry\nfi\n'
    "menuentry 'Linux' {\n"
    f"\tlinux\t/boot/vmlinuz-{KERNEL} {ROOT}\n\tinitrd\t/boot/initrd.img-{KERNEL}\n}}\n"
    "source ${config_directory}/custom.cfg\n"
)
GRUBENV = "# GRUB Environment Block\n".ljust(1024, "#")
DEFAULTS = 'GRUB_DEFAULT=0\nGRUB_CMDLINE_LINUX_DEFAULT="quiet"\n'
ENTRY = f"title Linux\nlinux /vmlinuz-linux\ninitrd /ucode.img\ninitrd /initramfs-linux.img\noptions {ROOT}\n"
MKINITCPIO = "MODULES=()\nHOOKS=(base udev autodetect block filesystems)\n"
PROGRAMS = ("usr/bin/bootctl", "usr/sbin/grub-reboot", "usr/sbin/grub2-reboot")


def files() -> dict[str, str | None]:
    """Every file that is looked at by its own path, none of them there."""
    return {path: None for path in (*START_FILES, *GRUB_CONFIGS) if "*" not in path}


def setup(contents: dict[str, str | None], **said: Any) -> BootSetup:
    """What is read of a start with these files and no others."""
    all_files = tuple(BootFile(path, Known(words, f"/{path}")) for path, words in (files() | contents).items())
    facts = {name: known(value) for name, value in said.items()}
    return replace(SETUP, files=all_files, programs=PROGRAMS, **facts)


def on(kind: str = "ext4", *layers: Any, mount: str = "/", inside: str = "/", uuid: str = UUID) -> FileSystem:
    """A file system of the start."""
    return FileSystem(mount, kind, known(uuid), inside, known(layers), known("gpt"))


DEBIAN = {
    "etc/os-release": "ID=debian\n",
    "etc/default/grub": DEFAULTS,
    "boot/grub/grub.cfg": GRUB_CFG,
    "boot/grub/grubenv": GRUBENV,
}
_FEDORA_ENTRY = f"title Fedora\nlinux /vmlinuz-{KERNEL}\ninitrd /initramfs-{KERNEL}.img $tuned_initrd\n"
_MOUNTS = (on(), on("vfat", mount="/boot/efi", uuid="7A3C-11F2"), on("vfat", mount="/efi", uuid="7A3C-11F3"))
_LINE = f"{ROOT}\n"
_BOOT = {"boot/loader/loader.conf": "default linux.conf\ntimeout 3\n", "boot/loader/entries/linux.conf": ENTRY}
_BEHIND_ENTRIES = {"loader": "systemd-boot", "cmdline": f"initrd=\\ucode.img initrd=\\initramfs-linux.img {ROOT}"}
_ALONE = {"cmdline": ROOT}

STARTS: dict[str, dict[str, Any]] = {
    "grub-debian": {
        "stack": BootStack.GRUB,
        "loader": "grub",
        "initramfs": InitramfsTool.INITRAMFS_TOOLS,
        "cmdline": f"BOOT_IMAGE=/boot/vmlinuz-{KERNEL} {ROOT}",
        "setup": setup(DEBIAN),
    },
    "grub-arch": {
        "stack": BootStack.GRUB,
        "loader": "grub",
        "initramfs": InitramfsTool.MKINITCPIO,
        "cmdline": f"BOOT_IMAGE=/boot/vmlinuz-linux {ROOT}",
        "setup": setup(
            DEBIAN
            | {
                "etc/os-release": "ID=arch\n",
                "etc/mkinitcpio.conf": MKINITCPIO,
                "boot/grub/grub.cfg": GRUB_CFG.replace(f"-{KERNEL} ", "-linux ").replace(
                    f"initrd.img-{KERNEL}", "initramfs-linux.img"
                ),
            },
            images=("boot/initramfs-linux.img",),
        ),
    },
    "grub-suse": {
        "stack": BootStack.GRUB,
        "loader": "grub",
        "initramfs": InitramfsTool.DRACUT,
        "cmdline": f"BOOT_IMAGE=/boot/vmlinuz-{KERNEL} {ROOT}",
        "setup": setup(
            {
                "etc/os-release": 'ID="opensuse-leap"\nID_LIKE="suse opensuse"\n',
                "etc/default/grub": DEFAULTS,
                "boot/grub2/grub.cfg": GRUB_CFG,
                "boot/grub2/grubenv": GRUBENV,
            }
        ),
    },
    "grub-bls": {
        "stack": BootStack.GRUB_BLS,
        "loader": "grub",
        "initramfs": InitramfsTool.DRACUT,
        "cmdline": f"BOOT_IMAGE=(hd0,gpt2)/vmlinuz-{KERNEL} {ROOT}",
        "setup": setup(
            {
                "etc/default/grub": "GRUB_ENABLE_BLSCFG=true\n",
                "boot/grub2/grub.cfg": GRUB_CFG.replace("linux\t", "blscfg "),
                "boot/grub2/grubenv": GRUBENV,
                "boot/loader/entries/fedora.conf": _FEDORA_ENTRY,
            },
            file_systems=(on(), on(mount="/boot", uuid=BOOT_UUID)),
            images=(f"boot/initramfs-{KERNEL}.img",),
        ),
    },
    "systemd-boot": {
        "stack": BootStack.SYSTEMD_BOOT,
        "initramfs": InitramfsTool.DRACUT,
        "setup": setup(_BOOT, selected_entry="linux.conf", file_systems=_MOUNTS),
        **_BEHIND_ENTRIES,
    },
    "kernel-install": {
        "stack": BootStack.KERNEL_INSTALL,
        "initramfs": InitramfsTool.DRACUT,
        "setup": setup(
            {
                "efi/loader/loader.conf": "default abc-*\n",
                f"efi/loader/entries/abc-{KERNEL}.conf": ENTRY,
                "etc/kernel/cmdline": _LINE,
            },
            selected_entry=f"abc-{KERNEL}.conf",
            file_systems=_MOUNTS,
        ),
        **_BEHIND_ENTRIES,
    },
    "kernelstub": {
        "stack": BootStack.KERNELSTUB,
        "initramfs": InitramfsTool.INITRAMFS_TOOLS,
        "setup": setup(
            {
                "boot/efi/loader/loader.conf": "default Pop_OS-current\n",
                "boot/efi/loader/entries/Pop_OS-current.conf": ENTRY,
            },
            selected_entry="pop_os-current.conf",
            file_systems=_MOUNTS,
        ),
        **_BEHIND_ENTRIES,
    },
    "sdboot-manage": {
        "stack": BootStack.SDBOOT_MANAGE,
        "initramfs": InitramfsTool.MKINITCPIO,
        "setup": setup(
            _BOOT | {"etc/sdboot-manage.conf": 'LINUX_OPTIONS="quiet"\n', "etc/mkinitcpio.conf": MKINITCPIO},
            selected_entry="linux.conf",
            file_systems=_MOUNTS,
        ),
        **_BEHIND_ENTRIES,
    },
    "sdbootutil": {
        "stack": BootStack.SDBOOTUTIL,
        "initramfs": InitramfsTool.DRACUT,
        "setup": setup(_BOOT | {"etc/kernel/cmdline": _LINE}, selected_entry="linux.conf", file_systems=_MOUNTS),
        **_BEHIND_ENTRIES,
    },
    "uki": {
        "stack": BootStack.UKI,
        "loader": "systemd-boot",
        "initramfs": InitramfsTool.MKINITCPIO,
        "setup": setup({"etc/kernel/cmdline": _LINE, "etc/mkinitcpio.conf": MKINITCPIO}),
        **_ALONE,
    },
    "uki-drop-in": {
        "stack": BootStack.UKI,
        "loader": "systemd-boot",
        "initramfs": InitramfsTool.MKINITCPIO,
        "setup": setup({"etc/cmdline.d/root.conf": _LINE, "etc/mkinitcpio.conf": MKINITCPIO}),
        **_ALONE,
    },
    "uki-kernel-install": {
        "stack": BootStack.UKI,
        "loader": "systemd-boot",
        "initramfs": InitramfsTool.DRACUT,
        "setup": setup({"etc/kernel/cmdline": _LINE, "etc/kernel/install.conf": "layout=uki\n"}),
        **_ALONE,
    },
    "limine": {
        "stack": BootStack.LIMINE,
        "loader": "limine",
        "initramfs": InitramfsTool.MKINITCPIO,
        "setup": setup({"etc/default/limine": 'KERNEL_CMDLINE[default]="quiet"\n', "etc/mkinitcpio.conf": MKINITCPIO}),
        **_ALONE,
    },
    "refind": {
        "stack": BootStack.REFIND,
        "loader": "refind",
        "initramfs": InitramfsTool.MKINITCPIO,
        "setup": setup(
            {"boot/refind_linux.conf": f'"Standard" "{ROOT}"\n"Other" "{ROOT}"\n', "etc/mkinitcpio.conf": MKINITCPIO}
        ),
        **_ALONE,
    },
    "proxmox-boot-tool": {
        "stack": BootStack.PROXMOX,
        "loader": "systemd-boot",
        "initramfs": InitramfsTool.INITRAMFS_TOOLS,
        "setup": setup({"etc/kernel/cmdline": _LINE}),
        **_ALONE,
    },
}
"""The owners of the command line that Vitrail writes through, and can keep a card from the start with."""


def start(name: str, **changed: Any) -> dict[str, Any]:
    """The facts of this start for `hosts.host`, with some of its setup changed."""
    facts = STARTS[name]
    fields = {key: known(value) for key, value in changed.items()}
    return facts | {"kernel": KERNEL, "setup": replace(facts["setup"], **fields)}


def with_file(name: str, path: str, words: str | None) -> dict[str, Any]:
    """This start with one file changed, or with none in its place."""
    facts = start(name)
    others = tuple(file for file in facts["setup"].files if file.path != path)
    return facts | {"setup": replace(facts["setup"], files=(*others, BootFile(path, Known(words, f"/{path}"))))}


def started(name: str, *cards: Gpu, **said: Any) -> Host:
    """A machine with these cards that starts this way."""
    return host(*cards, **(start(name) | said))
