# SPDX-License-Identifier: GPL-3.0-or-later
"""How the recorded machines start through other loaders than GRUB: systemd-boot under its many owners, Limine, rEFInd.

The texts are what those distributions' tools write, shortened; nothing in them leads anywhere.
"""

from __future__ import annotations

from fakes.sysfs import Tree
from machines.describe.boots import ARCH_CONFIG, UBUNTU_CONFIG, dracut, kernel, mkinitcpio, os_release
from machines.describe.layouts import ROOT, ROOT_ID

_VARIABLES = "sys/firmware/efi/efivars"
_LOADER = "4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"


def arch_systemd_boot(tree: Tree, release: str, wished: str = "rw") -> None:
    """Arch: systemd-boot with entries by hand, mkinitcpio; an entry for the fallback image beside it."""
    line = f"initrd=\\amd-ucode.img initrd=\\initramfs-linux.img {ROOT} {wished}"
    kernel(tree, release, line, ARCH_CONFIG)
    os_release(tree, "arch", "Arch Linux")
    _systemd_boot(tree, "systemd-boot 257.7-1-arch", "arch.conf")
    tree.file("boot/loader/loader.conf", "default arch.conf\ntimeout 3\nconsole-mode max\n")
    for name, image in (("arch", "initramfs-linux.img"), ("arch-fallback", "initramfs-linux-fallback.img")):
        loads = ("/vmlinuz-linux", "/amd-ucode.img", f"/{image}")
        _entry(tree, f"boot/loader/entries/{name}", "Arch Linux", loads, f"{ROOT} {wished}")
        tree.file(f"boot/{image}")
    tree.file("usr/bin/bootctl").file("usr/bin/kernel-install")
    mkinitcpio(tree)


def endeavour_kernel_install(tree: Tree, release: str, wished: str = "nvme_load=YES nowatchdog rw") -> None:
    """EndeavourOS: systemd-boot, entries by kernel-install, dracut."""
    token = "endeavouros"
    kernel(tree, release, f"initrd=\\{token}\\{release}\\initrd {ROOT} {wished}", ARCH_CONFIG)
    os_release(tree, "endeavouros", "EndeavourOS", like="arch")
    name = f"{token}-{release}"
    _systemd_boot(tree, "systemd-boot 257.7-1-arch", f"{name}.conf")
    tree.file("efi/loader/loader.conf", f"default {token}*\ntimeout 5\nconsole-mode auto\nreboot-for-bitlocker 1\n")
    place = f"/{token}/{release}"
    loads = (f"{place}/linux", f"{place}/initrd")
    _entry(tree, f"efi/loader/entries/{name}", "EndeavourOS", loads, f"{ROOT} {wished}")
    tree.file(f"efi{place}/initrd").file("etc/kernel/entry-token", token).file("etc/kernel/cmdline", f"{ROOT} {wished}")
    tree.file("usr/bin/kernel-install").file("usr/bin/bootctl").file("usr/bin/reinstall-kernels")
    tree.file("usr/bin/dracut").file("etc/dracut.conf.d/eos-defaults.conf", 'compress="zstd"\n')


def pop_kernelstub(tree: Tree, release: str, wished: str = "quiet loglevel=0 systemd.show_status=false splash") -> None:
    """Pop!_OS: systemd-boot, arguments owned by kernelstub."""
    place = f"EFI/Pop_OS-{ROOT_ID}"
    shown = place.replace("/", "\\")
    kernel(tree, release, f"initrd=\\{shown}\\initrd.img {ROOT} ro {wished}", UBUNTU_CONFIG)
    os_release(tree, "pop", "Pop!_OS 24.04 LTS", like="ubuntu debian")
    _systemd_boot(tree, "systemd-boot 255.4-1ubuntu8", "Pop_OS-current.conf")
    tree.file("boot/efi/loader/loader.conf", "default Pop_OS-current\n")
    for name, old in (("current", ""), ("oldkern", "-previous")):
        loads = (f"/{place}/vmlinuz{old}.efi", f"/{place}/initrd.img{old}")
        _entry(tree, f"boot/efi/loader/entries/Pop_OS-{name}", "Pop!_OS", loads, f"{ROOT} ro {wished}")
    options = ", ".join(f'"{word}"' for word in wished.split())
    tree.file(
        "etc/kernelstub/configuration",
        '{\n  "default": {"kernel_options": ["quiet", "splash"], "config_rev": 3},\n'
        f'  "user": {{"kernel_options": [{options}], "setup_loader": false, "config_rev": 3}}\n}}\n',
    )
    tree.file("usr/bin/kernelstub").file("usr/bin/bootctl").file(f"boot/initrd.img-{release}")
    tree.file("usr/sbin/mkinitramfs").file("usr/sbin/update-initramfs")
    tree.file("etc/initramfs-tools/initramfs.conf", "MODULES=most\n")


def proxmox(tree: Tree, release: str, wished: str = "quiet intel_iommu=on iommu=pt") -> None:
    """Proxmox VE on ZFS: proxmox-boot-tool copies kernels to its own partitions, which nobody mounts."""
    root = "root=ZFS=rpool/ROOT/pve-1 boot=zfs"
    kernel(tree, release, f"initrd=\\EFI\\proxmox\\{release}\\initrd.img-{release} {root} {wished}", UBUNTU_CONFIG)
    os_release(tree, "debian", "Debian GNU/Linux 13 (trixie)")
    _systemd_boot(tree, "systemd-boot 257.7-1", f"proxmox-{release}.conf")
    tree.file("etc/kernel/proxmox-boot-uuids", "7A3C-11F2\n7A3D-2B90\n").file("etc/kernel/cmdline", f"{root} {wished}")
    tree.file("usr/sbin/proxmox-boot-tool").file("usr/sbin/mkinitramfs").file("usr/sbin/update-initramfs")
    tree.file("etc/initramfs-tools/initramfs.conf", "MODULES=most\n").file(f"boot/initrd.img-{release}")
    tree.file("usr/bin/bootctl")


def arch_uki(tree: Tree, release: str, wished: str = "rw quiet") -> None:
    """Arch: unified images by mkinitcpio, their line in drop-ins, started by systemd-boot."""
    kernel(tree, release, f"{ROOT} {wished}", ARCH_CONFIG)
    os_release(tree, "arch", "Arch Linux")
    _systemd_boot(tree, "systemd-boot 257.7-1-arch", "arch-linux.efi")
    _variable(tree, "StubInfo", "systemd-stub 257.7-1-arch")
    tree.file("efi/loader/loader.conf", "timeout 3\n").file("etc/cmdline.d/10-root.conf", f"{ROOT} rw\n")
    tree.file("etc/cmdline.d/20-look.conf", f"{wished.removeprefix('rw ')}\n")
    images = {"default": "arch-linux", "fallback": "arch-linux-fallback"}
    preset = ["ALL_kver=/boot/vmlinuz-linux", "PRESETS=('default' 'fallback')"]
    for which, name in images.items():
        tree.file(f"efi/EFI/Linux/{name}.efi")
        preset.append(f"{which}_uki=/efi/EFI/Linux/{name}.efi")
    tree.file("etc/mkinitcpio.d/linux.preset", "\n".join(preset)).file("usr/bin/bootctl").file("usr/bin/ukify")
    mkinitcpio(tree)


def tumbleweed_sdbootutil(tree: Tree, release: str, wished: str = "quiet security=selinux") -> None:
    """OpenSUSE Tumbleweed: systemd-boot, entries owned by sdbootutil, dracut."""
    token = "opensuse-tumbleweed"
    name = f"{token}-{release}-1"
    place = f"/{token}/{release}"
    snapshot = "rootflags=subvol=@/.snapshots/1/snapshot"
    kernel(tree, release, f"initrd=\\{token}\\{release}\\initrd-4c1f {ROOT} {snapshot} {wished}", ARCH_CONFIG)
    os_release(tree, token, "openSUSE Tumbleweed", like="opensuse suse")
    _systemd_boot(tree, "systemd-boot 257.8+suse", f"{name}.conf")
    _variable(tree, "LoaderEntryDefault", f"{name}.conf")
    tree.file("boot/efi/loader/loader.conf", "timeout 8\n#console-mode keep\n")
    loads = (f"{place}/linux-9d0e", f"{place}/initrd-4c1f")
    _entry(tree, f"boot/efi/loader/entries/{name}", "openSUSE Tumbleweed", loads, f"{ROOT} {snapshot} {wished}")
    tree.file(f"boot/efi{place}/initrd-4c1f").file("etc/kernel/entry-token", token)
    tree.file("etc/kernel/cmdline", f"{ROOT} {wished}").file("usr/bin/sdbootutil").file("usr/bin/bootctl")
    dracut(tree)


def cachyos_sdboot_manage(tree: Tree, release: str, wished: str = "quiet zswap.enabled=0 nowatchdog splash") -> None:
    """CachyOS: systemd-boot, entries made by sdboot-manage, mkinitcpio."""
    line = f"rw rootflags=subvol=/@ {wished}"
    kernel(tree, release, f"initrd=\\initramfs-linux-cachyos.img {ROOT} {line}", ARCH_CONFIG)
    os_release(tree, "cachyos", "CachyOS", like="arch")
    _systemd_boot(tree, "systemd-boot 257.7-2-arch", "linux-cachyos.conf")
    tree.file("boot/loader/loader.conf", "default @saved\ntimeout 5\nconsole-mode keep\n")
    for name in ("linux-cachyos", "linux-cachyos-lts"):
        loads = (f"/vmlinuz-{name}", f"/initramfs-{name}.img")
        _entry(tree, f"boot/loader/entries/{name}", "CachyOS", loads, f"{ROOT} {line}")
        tree.file(f"boot/initramfs-{name}.img")
    tree.file(
        "etc/sdboot-manage.conf",
        f'# Config file for sdboot-manage\n\nLINUX_OPTIONS="{wished}"\nREMOVE_OBSOLETE="yes"\nDISABLE_FALLBACK="yes"\n',
    )
    tree.file("usr/bin/sdboot-manage").file("usr/bin/bootctl")
    mkinitcpio(tree)


def cachyos_limine(tree: Tree, release: str, wished: str = "quiet nowatchdog splash") -> None:
    """CachyOS: Limine, entries made by its hook, mkinitcpio."""
    line = f"{wished} rw rootflags=subvol=/@ {ROOT}"
    kernel(tree, release, line, ARCH_CONFIG)
    os_release(tree, "cachyos", "CachyOS", like="arch")
    _variable(tree, "LoaderInfo", "Limine 9.6.7")
    tree.file("etc/default/limine", f'ESP_PATH="/boot"\nKERNEL_CMDLINE[default]+="{line}"\nBOOT_ORDER="*, *lts"\n')
    tree.file(
        "boot/limine.conf",
        "timeout: 5\nremember_last_entry: yes\nterm_palette: 1e1e2e;f38ba8\n\n/+CachyOS\n  //linux-cachyos\n"
        f"  protocol: linux\n  path: boot():/cachyos/linux-cachyos/vmlinuz\n  cmdline: {line}\n"
        "  module_path: boot():/cachyos/linux-cachyos/initramfs\n",
    )
    tree.file("usr/bin/limine-update").file("usr/bin/limine-mkinitcpio")
    mkinitcpio(tree)


def arch_refind(tree: Tree, release: str, wished: str = "rw add_efi_memmap quiet") -> None:
    """Arch: rEFInd, which reads its own file beside the kernels; mkinitcpio."""
    kernel(tree, release, f"{ROOT} {wished} initrd=boot\\initramfs-linux.img", ARCH_CONFIG)
    os_release(tree, "arch", "Arch Linux")
    _variable(tree, "LoaderInfo", "rEFInd 0.14.2")
    tree.file(
        "boot/refind_linux.conf",
        f'"Boot with standard options"  "{ROOT} {wished} initrd=boot\\initramfs-linux.img"\n'
        f'"Boot to single-user mode"    "{ROOT} {wished} initrd=boot\\initramfs-linux.img single"\n'
        f'"Boot with minimal options"   "ro {ROOT}"\n',
    )
    tree.file("boot/efi/EFI/refind/refind.conf", "# refind.conf\ntimeout 20\nuse_nvram false\n")
    tree.file("boot/initramfs-linux.img")
    mkinitcpio(tree)


def nixos(tree: Tree, release: str, wished: str = "loglevel=4") -> None:
    """NixOS: systemd-boot, everything from its own description."""
    system = "/nix/store/0x7bq2m1k3c9-nixos-system-tower-25.05"
    line = f"init={system}/init {wished} root=fstab"
    kernel(tree, release, f"initrd=\\EFI\\nixos\\initrd.efi {line}", ARCH_CONFIG)
    os_release(tree, "nixos", "NixOS 25.05 (Warbler)")
    _systemd_boot(tree, "systemd-boot 257.6", "nixos-generation-42.conf")
    tree.file("etc/NIXOS").file("boot/loader/loader.conf", "timeout 5\ndefault nixos-generation-42.conf\n")
    for number in (41, 42):
        loads = ("/EFI/nixos/kernel.efi", "/EFI/nixos/initrd.efi")
        _entry(tree, f"boot/loader/entries/nixos-generation-{number}", "NixOS", loads, line)
    tree.file(f"run/booted-system/kernel-modules/lib/modules/{release}/modules.dep")


def _systemd_boot(tree: Tree, version: str, entry: str) -> None:
    _variable(tree, "LoaderInfo", version)
    _variable(tree, "LoaderEntrySelected", entry)


def _variable(tree: Tree, name: str, words: str) -> None:
    tree.file(f"{_VARIABLES}/{name}-{_LOADER}", b"\x06\x00\x00\x00" + f"{words}\0".encode("utf-16-le"))


def _entry(tree: Tree, path: str, title: str, loads: tuple[str, ...], options: str) -> None:
    """An entry; `loads` are the kernel and its images."""
    image, *initrds = loads
    loaded = "".join(f"initrd  {one}\n" for one in initrds)
    tree.file(f"{path}.conf", f"title   {title}\nlinux   {image}\n{loaded}options {options}\n")
