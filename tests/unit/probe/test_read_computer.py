# SPDX-License-Identifier: GPL-3.0-or-later
"""The computer itself: processor, kernel, firmware, boot stack, what hangs on which function."""

from __future__ import annotations

import gzip

import pytest

from fakes.desktop import desktop, read, reason, value
from fakes.sysfs import NVME, SATA, Tree
from vitrail.model.boot import BootStack, InitramfsTool
from vitrail.model.machine import CpuVendor
from vitrail.probe.boot_loader import LOADER_INFO, STUB_INFO


def loader_says(tree: Tree, words: str, path: str = LOADER_INFO) -> Tree:
    return tree.file(path, b"\x06\0\0\0" + f"{words}\0".encode("utf-16-le"))


def test_the_processor_is_read(tmp_path):
    cpu = read(desktop(tmp_path)).cpu
    assert (value(cpu.vendor), value(cpu.model), value(cpu.virtualization)) == (
        CpuVendor.AMD,
        "AMD Ryzen 7 5800X",
        True,
    )


def test_bare_metal_is_no_virtual_machine(tmp_path):
    assert value(read(desktop(tmp_path)).virtual) is None


@pytest.mark.parametrize(
    ("vendor", "product", "shown"),
    [
        ("QEMU", "Standard PC (Q35 + ICH9, 2009)", "QEMU"),
        ("VMware, Inc.", "VMware20,1", "VMware"),
        ("innotek GmbH", "VirtualBox", "VirtualBox"),
        ("Microsoft Corporation", "Virtual Machine", "Hyper-V"),
    ],
)
def test_a_virtual_machine_is_told_by_its_firmware(tmp_path, vendor, product, shown):
    assert value(read(Tree(tmp_path).cpu().dmi(vendor, product)).virtual) == shown


def test_a_virtual_machine_that_hides_is_told_by_its_processor(tmp_path):
    assert value(read(Tree(tmp_path).cpu(flags="fpu svm hypervisor").dmi()).virtual) == "unnamed hypervisor"


def test_a_surface_by_microsoft_is_no_virtual_machine(tmp_path):
    assert value(read(Tree(tmp_path).cpu().dmi("Microsoft Corporation", "Surface Pro 9")).virtual) is None


def test_the_machine_id_leaves_only_as_a_digest(tmp_path):
    shown = value(read(desktop(tmp_path)).machine_id_hash)
    assert len(shown) == 64
    assert "0123456789abcdef0123456789abcdef" not in shown


@pytest.mark.parametrize(
    ("lines", "shown"),
    [
        ("CONFIG_INTEL_IOMMU=y\nCONFIG_INTEL_IOMMU_DEFAULT_ON=y", "on"),
        (
            "CONFIG_INTEL_IOMMU=y\nCONFIG_INTEL_IOMMU_DEFAULT_ON_INTGPU_OFF=y",
            "except-integrated",
        ),
        ("CONFIG_INTEL_IOMMU=y\n# CONFIG_INTEL_IOMMU_DEFAULT_ON is not set", "off"),
        ("CONFIG_ARM_SMMU=y", None),
    ],
)
def test_the_kernels_default_for_intels_iommu(tmp_path, lines, shown):
    config = read(Tree(tmp_path).kernel(config=f"#\n{lines}\n")).config
    assert value(config.intel_iommu_default_on) == shown


def test_a_kernel_that_carries_its_own_configuration(tmp_path):
    packed = gzip.compress(b"#\nCONFIG_INTEL_IOMMU=y\nCONFIG_INTEL_IOMMU_DEFAULT_ON=y\n")
    host = read(Tree(tmp_path / "a").kernel().file("proc/config.gz", packed))
    assert value(host.config.intel_iommu_default_on) == "on"
    broken = read(Tree(tmp_path / "b").kernel().file("proc/config.gz", b"\x1f\x8bnothing"))
    assert reason(broken.config.intel_iommu_default_on) == "probe.not-recorded"


def test_a_release_that_is_a_path_is_not_followed(tmp_path):
    tree = Tree(tmp_path).kernel().file("proc/sys/kernel/osrelease", "../../etc/shadow")
    assert reason(read(tree).kernel) == "probe.garbled"


def test_debian_with_grub(tmp_path):
    boot = read(desktop(tmp_path)).boot
    assert value(boot.loader) == "grub"
    assert value(boot.stack) is BootStack.GRUB
    assert value(boot.initramfs) is InitramfsTool.INITRAMFS_TOOLS


def test_fedora_with_boot_loader_entries(tmp_path):
    tree = Tree(tmp_path).kernel(cmdline="BOOT_IMAGE=(hd0,gpt2)/vmlinuz root=x")
    tree.file("boot/grub2/grub.cfg", "insmod blscfg\nblscfg\n")
    tree.file("etc/default/grub", 'GRUB_ENABLE_BLSCFG="true"').file("boot/loader/entries/id-6.conf")
    boot = read(tree.file("usr/bin/dracut")).boot
    assert (value(boot.stack), value(boot.initramfs)) == (BootStack.GRUB_BLS, InitramfsTool.DRACUT)


@pytest.mark.parametrize(
    ("marker", "stack"),
    [
        ("etc/NIXOS", BootStack.NIXOS),
        ("run/ostree-booted", BootStack.RPM_OSTREE),
        ("etc/kernel/proxmox-boot-uuids", BootStack.PROXMOX),
        ("etc/kernelstub/configuration", BootStack.KERNELSTUB),
    ],
)
def test_whoever_owns_the_arguments_is_named_before_the_loader(tmp_path, marker, stack):
    tree = loader_says(desktop(tmp_path).kernel(cmdline="root=x"), "systemd-boot 257").file("usr/bin/rpm-ostree")
    assert value(read(tree.file(marker)).boot.stack) is stack


@pytest.mark.parametrize(
    ("files", "stack"),
    [
        (("boot/loader/entries/arch.conf",), BootStack.SYSTEMD_BOOT),
        (("boot/loader/entries/0123456789abcdef0123456789abcdef-6.12.conf",), BootStack.KERNEL_INSTALL),
        (("boot/EFI/Linux/arch.efi",), BootStack.UKI),
        (("etc/sdboot-manage.conf", "boot/loader/entries/a.conf"), BootStack.SDBOOT_MANAGE),
        (("usr/bin/sdbootutil",), BootStack.SDBOOTUTIL),
    ],
)
def test_systemd_boot_and_who_writes_its_entries(tmp_path, files, stack):
    tree = loader_says(Tree(tmp_path).kernel(cmdline="root=x rw"), "systemd-boot 257.9")
    for path in files:
        tree.file(path)
    assert value(read(tree).boot.stack) is stack


def test_the_stub_says_that_a_unified_image_was_started(tmp_path):
    tree = loader_says(Tree(tmp_path).kernel(cmdline="root=x"), "systemd-boot 257").file("boot/loader/entries/a.conf")
    assert value(read(loader_says(tree, "systemd-stub 257", STUB_INFO)).boot.stack) is BootStack.UKI


def test_unified_images_beside_entries_are_ambiguous(tmp_path):
    tree = loader_says(Tree(tmp_path).kernel(cmdline="root=x"), "systemd-boot 257")
    tree.file("boot/loader/entries/a.conf").file("boot/EFI/Linux/a.efi")
    assert reason(read(tree).boot.stack) == "probe.boot.several-stacks"


@pytest.mark.parametrize(("words", "stack"), [("Limine 9.3", BootStack.LIMINE), ("rEFInd 0.14", BootStack.REFIND)])
def test_other_loaders_are_told_by_the_firmware(tmp_path, words, stack):
    assert value(read(loader_says(Tree(tmp_path).kernel(cmdline="root=x"), words)).boot.stack) is stack


def test_two_loaders_of_which_none_says_that_it_started_this_boot(tmp_path):
    tree = Tree(tmp_path).kernel(cmdline="root=x").file("boot/grub/grub.cfg").file("boot/loader/loader.conf")
    boot = read(tree).boot
    assert {reason(boot.loader), reason(boot.stack)} == {"probe.boot.several-loaders"}


def test_two_initramfs_tools_are_ambiguous(tmp_path):
    tree = Tree(tmp_path).file("usr/sbin/mkinitramfs").file("usr/sbin/update-initramfs").file("usr/bin/dracut")
    assert reason(read(tree).boot.initramfs) == "probe.boot.several-tools"


@pytest.mark.parametrize("left", ["usr/sbin/mkinitramfs", "usr/sbin/update-initramfs"])
def test_half_of_initramfs_tools_beside_dracut_builds_nothing(tmp_path, left):
    tree = Tree(tmp_path).file(left).file("usr/bin/dracut").file("etc/initramfs-tools/initramfs.conf")
    assert value(read(tree).boot.initramfs) is InitramfsTool.DRACUT


@pytest.mark.parametrize("on", [True, False])
def test_secure_boot_is_the_fifth_byte_of_its_variable(tmp_path, on):
    boot = read(Tree(tmp_path).uefi(secure_boot=on, lockdown="none [integrity] confidentiality")).boot
    assert (value(boot.uefi), value(boot.secure_boot), value(boot.lockdown)) == (True, on, "integrity")


def test_a_bios_machine_has_no_secure_boot(tmp_path):
    boot = read(Tree(tmp_path).file("sys/firmware/acpi/tables/x")).boot
    assert (value(boot.uefi), value(boot.secure_boot)) == (False, False)


def test_what_hangs_on_which_function(tmp_path):
    host = read(desktop(tmp_path))
    assert [(str(address), name) for address, name in value(host.network_cards)] == [("0000:00:02.0", "enp4s0")]
    assert [(str(address), name) for address, name in value(host.disk_controllers)] == [("0000:00:03.0", "nvme0n1")]
    shown = [(str(address), name) for address, name in value(host.input_controllers)]
    assert shown == [("0000:05:00.3", "Logitech USB Keyboard"), ("0000:05:00.3", "Mouse")]


def test_partitions_are_no_disks(tmp_path):
    address = "0000:00:17.0"
    tree = Tree(tmp_path).pci(address, SATA, 1, 1).disk(address, "sda", "ata1/host0/block")
    part = f"{tree.place_of(address)}/ata1/host0/block/sda/sda1"
    tree.file(f"{part}/partition", "1").link("sys/class/block/sda1", part)
    assert [name for _, name in value(read(tree).disk_controllers)] == ["sda"]


def test_an_nvme_disk_with_several_ways_to_it_is_found_by_its_controller(tmp_path):
    address = "0000:00:03.0"
    tree = Tree(tmp_path).pci(address, NVME, 1, 1, driver="nvme")
    tree.link("sys/class/nvme/nvme0", f"{tree.place_of(address)}/nvme/nvme0")
    tree.folder_at(f"{tree.place_of(address)}/nvme/nvme0")
    disk = "sys/devices/virtual/nvme-subsystem/nvme-subsys0/nvme0n1"
    tree.folder_at(disk).link("sys/class/block/nvme0n1", disk)
    assert [(str(where), name) for where, name in value(read(tree).disk_controllers)] == [(address, "nvme0")]
