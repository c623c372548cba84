# SPDX-License-Identifier: GPL-3.0-or-later
"""How the recorded machines start through GRUB: one function a distribution's way, with the files that tell it.

The texts are what those distributions' tools write, shortened; nothing in them leads anywhere. Where a start's files
lie is said apart, in `layouts`.
"""

from __future__ import annotations

from fakes.sysfs import Tree
from machines.describe.layouts import BOOT_ID, ROOT, ROOT_ID

DEBIAN_CONFIG = (
    "CONFIG_IOMMU_SUPPORT=y\nCONFIG_INTEL_IOMMU=y\n# CONFIG_INTEL_IOMMU_DEFAULT_ON is not set\n"
    "CONFIG_INTEL_IOMMU_DEFAULT_ON_INTGPU_OFF=y\nCONFIG_AMD_IOMMU=y\nCONFIG_VFIO=m\nCONFIG_VFIO_PCI=m\n"
)
FEDORA_CONFIG = (
    "CONFIG_IOMMU_SUPPORT=y\nCONFIG_INTEL_IOMMU=y\n# CONFIG_INTEL_IOMMU_DEFAULT_ON is not set\n"
    "CONFIG_AMD_IOMMU=y\nCONFIG_VFIO=m\nCONFIG_VFIO_PCI=m\nCONFIG_DRM_SIMPLEDRM=y\n"
)
UBUNTU_CONFIG = (
    "CONFIG_IOMMU_SUPPORT=y\nCONFIG_INTEL_IOMMU=y\nCONFIG_INTEL_IOMMU_DEFAULT_ON=y\n"
    "CONFIG_AMD_IOMMU=y\nCONFIG_VFIO=y\nCONFIG_VFIO_PCI=y\n"
)
ARCH_CONFIG = (
    "CONFIG_IOMMU_SUPPORT=y\nCONFIG_INTEL_IOMMU=y\n# CONFIG_INTEL_IOMMU_DEFAULT_ON is not set\n"
    "CONFIG_AMD_IOMMU=y\nCONFIG_VFIO=m\nCONFIG_VFIO_PCI=m\nCONFIG_DRM_SIMPLEDRM=y\n"
)
_BLOCK_BYTES = 1024


def debian_grub(tree: Tree, release: str, wished: str = "quiet", *, apart: bool = False) -> None:
    """Debian: GRUB with drop-ins, initramfs-tools. `apart`: /boot is a file system of its own."""
    kernel(tree, release, f"BOOT_IMAGE={'' if apart else '/boot'}/vmlinuz-{release} {ROOT} ro {wished}", DEBIAN_CONFIG)
    os_release(tree, "debian", "Debian GNU/Linux 13 (trixie)")
    defaults = f'GRUB_DEFAULT=0\nGRUB_TIMEOUT=5\nGRUB_DISTRIBUTOR="Debian"\n{_wished(wished)}'
    _debian_files(tree, release, defaults, wished, apart=apart)


def ubuntu_grub(tree: Tree, release: str, wished: str = "quiet splash", *, prefix: str = "/boot") -> None:
    """Ubuntu: GRUB with drop-ins and a hidden menu, initramfs-tools, the IOMMU on by default."""
    kernel(tree, release, f"BOOT_IMAGE={prefix}/vmlinuz-{release} {ROOT} ro {wished}", UBUNTU_CONFIG)
    os_release(tree, "ubuntu", "Ubuntu 24.04.3 LTS", like="debian")
    hidden = "GRUB_TIMEOUT_STYLE=hidden\nGRUB_TIMEOUT=0\n"
    _debian_files(tree, release, f'GRUB_DEFAULT=0\n{hidden}GRUB_DISTRIBUTOR="Ubuntu"\n{_wished(wished)}', wished)
    tree.file("etc/default/grub.d/init-select.cfg", "# Work around a bug in the obsolete init-select package\n")


def _wished(wished: str) -> str:
    return f'GRUB_CMDLINE_LINUX_DEFAULT="{wished}"\nGRUB_CMDLINE_LINUX=""\n'


def _debian_files(tree: Tree, release: str, defaults: str, wished: str, *, apart: bool = False) -> None:
    tree.file("etc/default/grub", f"# Run 'update-grub' afterwards.\n\n{defaults}")
    where = ("", BOOT_ID) if apart else ("/boot", ROOT_ID)
    tree.file("boot/grub/grub.cfg", grub_cfg(*where, f"initrd.img-{release}", f"vmlinuz-{release}", f"ro {wished}"))
    tree.file(f"boot/initrd.img-{release}")
    for program in ("mkinitramfs", "update-initramfs", "update-grub", "grub-mkconfig", "grub-reboot"):
        tree.file(f"usr/sbin/{program}")
    tree.file("etc/initramfs-tools/modules", "# List of modules to load early\n")
    tree.file("etc/initramfs-tools/initramfs.conf", "MODULES=most\nCOMPRESS=zstd\n")


def arch_grub(tree: Tree, release: str, wished: str, *, hooks: str, prefix: str = "") -> None:
    """Arch: GRUB by hand, mkinitcpio; no drop-ins are read."""
    kernel(tree, release, f"BOOT_IMAGE={prefix}/vmlinuz-linux {ROOT} rw {wished}", ARCH_CONFIG)
    os_release(tree, "arch", "Arch Linux")
    tree.file(
        "etc/default/grub",
        "# GRUB boot loader configuration\n\nGRUB_DEFAULT=0\nGRUB_TIMEOUT=5\nGRUB_DISTRIBUTOR='Arch'\n"
        f'GRUB_CMDLINE_LINUX_DEFAULT="{wished}"\nGRUB_CMDLINE_LINUX=""\nGRUB_TIMEOUT_STYLE=menu\n',
    )
    tree.file("boot/grub/grub.cfg", grub_cfg(prefix, BOOT_ID, "initramfs-linux.img", "vmlinuz-linux", f"rw {wished}"))
    tree.file("boot/grub/grubenv", grub_block("saved_entry="))
    tree.file("boot/initramfs-linux.img").file("usr/bin/grub-mkconfig").file("usr/bin/grub-reboot")
    mkinitcpio(tree, hooks)


def suse_grub2(tree: Tree, release: str, wished: str = "splash=silent quiet security=apparmor") -> None:
    """OpenSUSE Leap: GRUB 2 by that name, dracut, snapshots of everything."""
    kernel(tree, release, f"BOOT_IMAGE=/boot/vmlinuz-{release} {ROOT} {wished}", FEDORA_CONFIG)
    os_release(tree, "opensuse-leap", "openSUSE Leap 15.6", like="suse opensuse")
    tree.file(
        "etc/default/grub",
        'GRUB_DISTRIBUTOR=\nGRUB_DEFAULT=saved\nGRUB_HIDDEN_TIMEOUT_QUIET="true"\nGRUB_TIMEOUT=8\n'
        f'GRUB_CMDLINE_LINUX_DEFAULT="{wished}"\nGRUB_CMDLINE_LINUX=""\nSUSE_BTRFS_SNAPSHOT_BOOTING="true"\n',
    )
    words = grub_cfg("/boot", ROOT_ID, f"initrd-{release}", f"vmlinuz-{release}", wished)
    tree.file("boot/grub2/grub.cfg", words).file("boot/grub2/grubenv", grub_block("saved_entry=openSUSE", "env_block="))
    tree.file(f"boot/initrd-{release}").file("usr/sbin/grub2-mkconfig").file("usr/sbin/grub2-reboot")
    dracut(tree)


def fedora_bls(tree: Tree, release: str, wished: str = "rhgb quiet", *, hides_menu: bool = False) -> None:
    """Fedora: GRUB with boot loader entries, owned by grubby; dracut."""
    options = f"ro rootflags=subvol=root {wished}"
    kernel(tree, release, f"BOOT_IMAGE=(hd0,gpt2)/vmlinuz-{release} {ROOT} {options}", FEDORA_CONFIG)
    os_release(tree, "fedora", "Fedora Linux 42 (Workstation Edition)")
    tree.file(
        "etc/default/grub",
        "GRUB_TIMEOUT=5\nGRUB_DISTRIBUTOR=\"$(sed 's, release .*$,,g' /etc/system-release)\"\nGRUB_DEFAULT=saved\n"
        f'GRUB_CMDLINE_LINUX="rootflags=subvol=root {wished}"\nGRUB_ENABLE_BLSCFG=true\n',
    )
    tree.file("boot/grub2/grub.cfg", f"{_HEADER}insmod blscfg\nblscfg\n{_CUSTOM}")
    name = f"0123456789abcdef0123456789abcdef-{release}"
    hidden = ("menu_auto_hide=1", "boot_success=1") if hides_menu else ()
    tree.file("boot/grub2/grubenv", grub_block(f"saved_entry={name}", *hidden))
    title = f"title Fedora Linux ({release}) 42 (Workstation Edition)\nversion {release}\n"
    loaded = f"linux /vmlinuz-{release}\ninitrd /initramfs-{release}.img $tuned_initrd\n"
    menu = "grub_users $grub_users\ngrub_arg --unrestricted\ngrub_class fedora\n"
    tree.file(f"boot/loader/entries/{name}.conf", f"{title}{loaded}options {ROOT} {options} $tuned_params\n{menu}")
    tree.file(f"boot/initramfs-{release}.img").file("usr/bin/kernel-install").file("usr/bin/bootctl")
    for program in ("grubby", "grub2-mkconfig", "grub2-reboot"):
        tree.file(f"usr/sbin/{program}")
    dracut(tree)


def bazzite_ostree(tree: Tree, release: str, wished: str = "rhgb quiet") -> None:
    """Bazzite: an image, arguments owned by rpm-ostree."""
    folder = "/ostree/default-3f1a6b"
    ostree = "ostree=/ostree/boot.1/default/3f1a6b/0"
    line = f"{ROOT} rw {ostree} {wished}"
    kernel(tree, release, f"BOOT_IMAGE=(hd0,gpt2){folder}/vmlinuz-{release} {line}", FEDORA_CONFIG)
    os_release(tree, "bazzite", "Bazzite", like="fedora")
    tree.file("run/ostree-booted").file("etc/default/grub", "GRUB_TIMEOUT=5\nGRUB_ENABLE_BLSCFG=true\n")
    tree.file("boot/grub2/grub.cfg", f"{_HEADER}blscfg\n{_CUSTOM}").file("usr/bin/rpm-ostree").file("usr/sbin/grubby")
    tree.file("boot/grub2/grubenv", grub_block("menu_auto_hide=1", "boot_success=1"))
    for number, deployment in ((1, "3f1a6b"), (2, "77c0de")):
        place = f"/ostree/default-{deployment}"
        entry = f"title Bazzite (ostree:{2 - number})\nversion {number}\noptions {line}\n"
        loaded = f"linux {place}/vmlinuz-{release}\ninitrd {place}/initramfs-{release}.img\n"
        tree.file(f"boot/loader/entries/ostree-{number}.conf", f"{entry}{loaded}")
    dracut(tree)


def kernel(tree: Tree, release: str, cmdline: str, config: str) -> None:
    """The running kernel, its modules in their folder."""
    tree.kernel(release, cmdline=cmdline, config=config).file(f"usr/lib/modules/{release}/modules.dep")


def os_release(tree: Tree, name: str, title: str, *, like: str | None = None) -> None:
    """What the distribution calls itself."""
    also = f"ID_LIKE={like}\n" if like else ""
    tree.file("etc/os-release", f'PRETTY_NAME="{title}"\nID={name}\n{also}')


def dracut(tree: Tree) -> None:
    """Dracut as its package leaves it."""
    tree.file("usr/bin/dracut").file("etc/dracut.conf", "# PUT YOUR CONFIG IN separate files\n")


def mkinitcpio(
    tree: Tree, hooks: str = "base udev autodetect microcode modconf kms keyboard block filesystems"
) -> None:
    """Mkinitcpio with these hooks."""
    tree.file("usr/bin/mkinitcpio").file(
        "etc/mkinitcpio.conf", f"# vim:set ft=sh:\nMODULES=()\nBINARIES=()\nFILES=()\nHOOKS=({hooks} fsck)\n"
    )


def grub_block(*lines: str) -> bytes:
    """GRUB's environment: 1,024 bytes, always, and no line end after them."""
    words = "".join(f"{line}\n" for line in ("# GRUB Environment Block", *lines))
    return words.ljust(_BLOCK_BYTES, "#").encode()


_HEADER = (
    "# DO NOT EDIT THIS FILE\n### BEGIN /etc/grub.d/00_header ###\nif [ -s $prefix/grubenv ]; then\n  load_env\nfi\n"
    'if [ "${next_entry}" ] ; then\n   set default="${next_entry}"\n   set next_entry=\n   save_env next_entry\n'
    "   set boot_once=true\nfi\n### END /etc/grub.d/00_header ###\n"
)
_CUSTOM = (
    "### BEGIN /etc/grub.d/41_custom ###\nif [ -f  ${config_directory}/custom.cfg ]; then\n"
    '  source ${config_directory}/custom.cfg\nelif [ -z "${config_directory}" -a -f  $prefix/custom.cfg ]; then\n'
    "  source $prefix/custom.cfg\nfi\n### END /etc/grub.d/41_custom ###\n"
)


def grub_cfg(prefix: str, file_system: str, initrd: str, image: str, options: str) -> str:
    """A menu with one system, as grub-mkconfig makes it."""
    return (
        f"{_HEADER}menuentry 'Linux' --class gnu-linux --class os $menuentry_id_option 'gnulinux-simple' {{\n"
        f"\tload_video\n\tinsmod part_gpt\n\tinsmod ext2\n\tsearch --no-floppy --fs-uuid --set=root {file_system}\n"
        f"\tlinux\t{prefix}/{image} {ROOT} {options}\n\tinitrd\t{prefix}/{initrd}\n}}\n{_CUSTOM}"
    )
