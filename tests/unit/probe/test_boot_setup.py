# SPDX-License-Identifier: GPL-3.0-or-later
"""What a change of the start rests on: files, file systems, menu, one-shot, how disks are unlocked."""

from __future__ import annotations

from errno import EACCES

import pytest

from fakes.desktop import desktop, read, reason, value
from fakes.roots import BrokenRoot
from fakes.sysfs import GRUB_SIGNS, Tree
from vitrail.model import host_place, paths
from vitrail.model.boot import BootSetup, FileSystem, Layer
from vitrail.model.host_step import ArgumentFile, ArgumentsFile, Fixed, FixedFile, LoaderEntry
from vitrail.model.kernel_argument import Flag
from vitrail.model.reading import Known, Unknown
from vitrail.model.trial import EntryFolder
from vitrail.probe.efi_variables import GLOBAL, VARIABLES, loader_variable
from vitrail.probe.grub_settings import grub_settings

UUID = "8f3c6f4e-5b0a-4d0e-9d7f-3a1f0b5f6c21"
DISK = "nvme0n1"


def setup_of(tree: Tree) -> BootSetup:
    return read(tree).boot.setup


def plain(folder) -> Tree:
    """The desktop with its root on a partition of its disk."""
    return desktop(folder).start_partition(DISK, 2, "/", device="259:2", uuid=UUID)


def efi(tree: Tree, name: str, words: str) -> Tree:
    tree.uefi()
    return tree.file(loader_variable(name), b"\x06\0\0\0" + f"{words}\0".encode("utf-16-le"))


def with_systemd_boot(folder) -> Tree:
    return efi(Tree(folder).kernel(cmdline="root=x rw"), "LoaderInfo", "systemd-boot 257.9")


def mounted(tree: Tree, mount: str) -> FileSystem:
    found = next(one for one in value(setup_of(tree).file_systems) if one.mount == mount)
    assert isinstance(found, FileSystem)
    return found


def test_a_file_is_read_to_its_last_blank(tmp_path):
    tree = desktop(tmp_path).file("etc/kernel/cmdline", b"quiet \t\n\n\xff\n")
    assert value(setup_of(tree).content("etc/kernel/cmdline")) == "quiet \t\n\n\udcff\n"


def test_a_file_that_is_not_there_is_known_not_to_be(tmp_path):
    assert value(setup_of(desktop(tmp_path)).content("boot/grub/custom.cfg")) is None


def test_a_file_that_nobody_reads_is_unknown(tmp_path):
    assert isinstance(setup_of(desktop(tmp_path)).content("etc/shadow"), Unknown)


def test_a_file_that_only_root_reads_says_so(tmp_path):
    root = BrokenRoot(desktop(tmp_path).folder, lambda path: path == "boot/grub/grub.cfg", EACCES)
    assert reason(read(root).boot.setup.content("boot/grub/grub.cfg")) == "probe.forbidden"


def test_entries_that_cannot_be_listed_stand_as_their_folder(tmp_path):
    folder = "boot/loader/entries"
    tree = desktop(tmp_path).file(f"{folder}/a.conf", "title a\n")
    assert [file.path for file in setup_of(tree).entries(folder)] == [f"{folder}/a.conf"]
    setup = read(BrokenRoot(tree.folder, lambda path: path == folder, EACCES)).boot.setup
    assert [file.path for file in setup.entries(folder)] == [folder]
    assert reason(setup.content(f"{folder}/a.conf")) == "probe.forbidden"


def every_template():
    yield from (ArgumentsFile(which, (Flag.INTEL_IOMMU_ON,)) for which in ArgumentFile)
    yield from (FixedFile(which) for which in Fixed)
    yield from (LoaderEntry(folder, "x", (Flag.INTEL_IOMMU_ON,)) for folder in EntryFolder)


@pytest.mark.parametrize("template", list(every_template()), ids=repr)
def test_every_file_that_a_step_writes_is_read(tmp_path, template):
    path = host_place.place_of(template).path
    tree = desktop(tmp_path).file(path, "there\n")
    assert value(setup_of(tree).content(path)) == "there\n"


def test_no_file_is_listed_twice():
    patterns = [item.pattern for item in paths.BOOT]
    assert sorted(patterns) == sorted(set(patterns))


def test_a_plain_partition(tmp_path):
    root = mounted(plain(tmp_path), "/")
    assert (root.kind, value(root.uuid), root.inside) == ("ext4", UUID, "/")
    assert (value(root.layers), value(root.table)) == ((), "gpt")


def test_a_partition_of_an_old_table_has_grubs_name_for_it(tmp_path):
    tree = desktop(tmp_path).start_partition(DISK, 1, "/", device="259:1", uuid=UUID, table="dos")
    assert value(mounted(tree, "/").table) == "msdos"


def test_a_file_system_that_fills_its_disk_has_no_table(tmp_path):
    tree = desktop(tmp_path).mounted("/", "259:0", f"/dev/{DISK}")
    place = (tree.folder / f"sys/class/block/{DISK}").resolve().relative_to(tree.folder)
    tree.link("sys/dev/block/259:0", str(place))
    assert value(mounted(tree, "/").table) is None


def test_lvm_in_an_encrypted_partition(tmp_path):
    tree = desktop(tmp_path).start_partition(DISK, 3, "", device="259:3", kind="crypto_LUKS")
    tree.volume(0, "CRYPT-LUKS2", "", f"{DISK}p3", name="luks").volume(1, "LVM", "/", "dm-0", name="vg-root", uuid=UUID)
    root = mounted(tree, "/")
    assert value(root.layers) == (Layer.LVM, Layer.CRYPT)
    assert (value(root.uuid), value(root.table)) == (UUID, "gpt")


def test_btrfs_is_found_by_the_name_that_it_was_mounted_by(tmp_path):
    tree = desktop(tmp_path).start_partition(DISK, 2, "/", device="259:2", uuid=UUID, kind="btrfs", inside="/@")
    root = mounted(tree, "/")
    assert (root.kind, root.inside, value(root.uuid)) == ("btrfs", "/@", UUID)


def test_btrfs_on_an_encrypted_volume(tmp_path):
    tree = desktop(tmp_path).start_partition(DISK, 3, "", device="259:3")
    tree.volume(0, "CRYPT-LUKS2", "/", f"{DISK}p3", name="luks-root", uuid=UUID, kind="btrfs", inside="/root")
    assert value(mounted(tree, "/").layers) == (Layer.CRYPT,)


def test_a_raid_of_partitions(tmp_path):
    tree = desktop(tmp_path).start_partition(DISK, 2, "", device="259:2")
    place = "sys/devices/virtual/block/md0"
    tree.file(f"{place}/md/level", "raid1").file(f"{place}/dev", "9:0").link("sys/class/block/md0", place)
    tree.link("sys/dev/block/9:0", place).link(f"{place}/slaves/{DISK}p2", f"sys/class/block/{DISK}p2")
    assert value(mounted(tree.mounted("/boot", "9:0", "/dev/md0"), "/boot").layers) == (Layer.RAID,)


def test_a_pool_lies_on_no_partition(tmp_path):
    tree = desktop(tmp_path).mounted("/", "0:25", "rpool/ROOT/pve-1", kind="zfs")
    root = mounted(tree, "/")
    assert value(root.layers) == (Layer.OTHER,)
    assert (reason(root.uuid), reason(root.table)) == ("probe.boot.no-device", "probe.boot.no-device")


def test_a_file_system_is_found_by_the_longest_mount(tmp_path):
    tree = plain(tmp_path).start_partition(DISK, 1, "/boot/efi", device="259:1", uuid="7A3C-11F2", kind="vfat")
    setup = setup_of(tree)
    found = [setup.file_system_of(path) for path in ("/boot/efi/loader/loader.conf", "/boot/grub/grubenv")]
    assert [one.mount for one in found if one is not None] == ["/boot/efi", "/"]


def test_a_home_and_a_server_are_no_part_of_the_start(tmp_path):
    tree = plain(tmp_path).mounted("/home", "0:44", "nas.example:/home", kind="nfs4")
    assert [one.mount for one in value(setup_of(tree).file_systems)] == ["/"]


def test_an_automount_point_hides_nothing(tmp_path):
    tree = plain(tmp_path).mounted("/efi", "0:35", "systemd-1", kind="autofs")
    assert [one.mount for one in value(setup_of(tree).file_systems)] == ["/"]


def test_kernels_are_those_whose_modules_are_there(tmp_path):
    tree = (
        desktop(tmp_path).file("usr/lib/modules/6.12.48-amd64/modules.dep").folder_at("usr/lib/modules/6.1.0-9-amd64")
    )
    assert value(setup_of(tree).kernels) == ("6.12.48-amd64",)


def test_images_of_the_usual_places(tmp_path):
    images = ("boot/initrd.img-6.12.48-amd64", "boot/initramfs-linux.img", "efi/debian/6.12.48-amd64/initrd.img-6.12")
    tree = desktop(tmp_path)
    for path in (*images, "boot/vmlinuz-6.12.48-amd64", "boot/grub/x86_64-efi/initrd-x"):
        tree.file(path)
    assert value(setup_of(tree).images) == tuple(sorted(images))


def test_a_boot_folder_of_roots_hides_its_images(tmp_path):
    root = BrokenRoot(desktop(tmp_path).folder, lambda path: path == "boot", EACCES)
    assert reason(read(root).boot.setup.images) == "probe.forbidden"


def test_the_entry_that_started_this_boot(tmp_path):
    assert value(setup_of(with_systemd_boot(tmp_path)).selected_entry) is None
    tree = efi(with_systemd_boot(tmp_path / "b"), "LoaderEntrySelected", "arch.conf")
    assert value(setup_of(tree).selected_entry) == "arch.conf"


@pytest.mark.parametrize(
    ("settings", "seconds"),
    [
        ("GRUB_TIMEOUT=5", 5),
        ("", 5),
        ("GRUB_TIMEOUT=-1", None),
        ("GRUB_TIMEOUT=0", 0),
        ("GRUB_TIMEOUT='10' # long", 10),
        ("GRUB_TIMEOUT_STYLE=hidden\nGRUB_TIMEOUT=5", 0),
        ('GRUB_TIMEOUT_STYLE="countdown"\nGRUB_TIMEOUT=5', 0),
        ("GRUB_HIDDEN_TIMEOUT=0\nGRUB_TIMEOUT=5", 0),
        ("GRUB_TIMEOUT=5\nGRUB_TIMEOUT=2.9", 2),
    ],
)
def test_grubs_menu(tmp_path, settings, seconds):
    assert value(setup_of(desktop(tmp_path).file("etc/default/grub", settings)).menu_seconds) == seconds


def test_a_drop_in_of_grub_comes_after_the_main_file(tmp_path):
    tree = desktop(tmp_path).file("etc/default/grub", "GRUB_TIMEOUT=5")
    tree.file("etc/default/grub.d/50-x.cfg", "GRUB_TIMEOUT=0").file("etc/default/grub.d/60-y.cfg", "GRUB_TIMEOUT=7")
    assert value(setup_of(tree).menu_seconds) == 7


@pytest.mark.parametrize(
    "settings", ["GRUB_TIMEOUT=$(cat /x)", "if x; then\n  GRUB_TIMEOUT=0\nfi", "GRUB_TIMEOUT=soon"]
)
def test_what_only_a_shell_could_tell_is_unknown(tmp_path, settings):
    tree = desktop(tmp_path).file("etc/default/grub", settings)
    assert reason(setup_of(tree).menu_seconds) == "probe.garbled"


def test_fedora_hides_its_menu_by_a_word_in_grubs_environment(tmp_path):
    tree = desktop(tmp_path).file("etc/default/grub", "GRUB_TIMEOUT=5")
    tree.file("boot/grub2/grubenv", "# GRUB Environment Block\nmenu_auto_hide=1\nboot_success=1\n####")
    assert value(setup_of(tree).menu_seconds) == 0


@pytest.mark.parametrize(
    ("conf", "seconds"),
    [
        ("default a\ntimeout 3\n", 3),
        ("default a\n", 0),
        ("timeout menu-force\n", None),
        ("timeout menu-hidden\n", 0),
        ("#timeout 3\n", 0),
        ("timeout 3\ntimeout 8\n", 8),
    ],
)
def test_systemd_boots_menu(tmp_path, conf, seconds):
    tree = with_systemd_boot(tmp_path).file("boot/loader/loader.conf", conf)
    assert value(setup_of(tree).menu_seconds) == seconds


def test_the_menus_time_in_the_firmware_outranks_the_file(tmp_path):
    tree = with_systemd_boot(tmp_path).file("boot/loader/loader.conf", "timeout 3\n")
    assert value(setup_of(efi(tree, "LoaderConfigTimeout", "menu-force")).menu_seconds) is None


def test_a_loader_whose_settings_are_not_mounted_keeps_its_menu_unknown(tmp_path):
    assert reason(setup_of(with_systemd_boot(tmp_path)).menu_seconds) == "probe.boot.no-loader-conf"


@pytest.mark.parametrize(
    ("words", "seconds"),
    [("timeout: 3", 3), ("timeout: no", None), ("", 5), ("timeout: 3\nquiet: yes", 0), ("/Entry\n  timeout: 9", 5)],
)
def test_limines_menu(tmp_path, words, seconds):
    tree = efi(Tree(tmp_path).kernel(cmdline="root=x"), "LoaderInfo", "Limine 9.3").file("boot/limine.conf", words)
    assert value(setup_of(tree).menu_seconds) == seconds


@pytest.mark.parametrize(("words", "seconds"), [("timeout 10", 10), ("timeout 0", None), ("timeout -1", 0), ("", 20)])
def test_refinds_menu(tmp_path, words, seconds):
    tree = efi(Tree(tmp_path).kernel(cmdline="root=x"), "LoaderInfo", "rEFInd 0.14")
    tree.file("boot/efi/EFI/refind/refind.conf", words or "# nothing")
    assert value(setup_of(tree).menu_seconds) == seconds


def test_grubs_one_shot(tmp_path):
    tree = desktop(tmp_path).file("boot/grub/grubenv", "# GRUB Environment Block\nnext_entry=trial\n####")
    assert value(setup_of(tree).one_shot) == "trial"


@pytest.mark.parametrize("environment", [None, "# GRUB Environment Block\nnext_entry=\n####"])
def test_no_one_shot_is_pending(tmp_path, environment):
    tree = desktop(tmp_path)
    if environment is not None:
        tree.file("boot/grub/grubenv", environment)
    assert value(setup_of(tree).one_shot) is None


def test_a_grub_environment_of_roots_leaves_the_one_shot_unknown(tmp_path):
    root = BrokenRoot(desktop(tmp_path).folder, lambda path: path == "boot/grub/grubenv", EACCES)
    assert reason(read(root).boot.setup.one_shot) == "probe.forbidden"


def test_systemd_boots_one_shot(tmp_path):
    assert value(setup_of(with_systemd_boot(tmp_path)).one_shot) is None
    tree = efi(with_systemd_boot(tmp_path / "b"), "LoaderEntryOneShot", "trial.conf")
    assert value(setup_of(tree).one_shot) == "trial.conf"


def test_the_firmwares_own_one_shot_counts_for_every_loader(tmp_path):
    tree = desktop(tmp_path).uefi().file(f"{VARIABLES}/BootNext-{GLOBAL}", b"\x07\0\0\0\x0a\x00")
    assert value(setup_of(tree).one_shot) == "Boot000A"


def encrypted(folder, crypttab: str | None) -> Tree:
    tree = desktop(folder).start_partition(DISK, 3, "", device="259:3")
    tree.volume(0, "CRYPT-LUKS2", "/", f"{DISK}p3", name="root", uuid=UUID)
    tree.start_partition(DISK, 2, "/boot", device="259:2", uuid=UUID)
    return tree if crypttab is None else tree.file("etc/crypttab", crypttab)


@pytest.mark.parametrize(
    ("crypttab", "asks", "sealed"),
    [
        ("root UUID=x none luks,discard\n", True, False),
        ("root UUID=x\n", True, False),
        ("root UUID=x /etc/keys/root.key luks\n", False, False),
        ("root UUID=x - tpm2-device=auto,discard\n", False, True),
        ("root UUID=x none fido2-device=auto\n", False, False),
        ("root UUID=x none tpm2-device=auto\ndata UUID=y none luks\n", True, True),
        ("#root UUID=x none luks\nswap /dev/sda3 /dev/urandom swap\n", False, False),
        ("usb UUID=x none luks,noauto\nswap /dev/sda3 /dev/urandom swap\n", False, False),
    ],
)
def test_what_unlocks_the_disks(tmp_path, crypttab, asks, sealed):
    setup = setup_of(encrypted(tmp_path, crypttab))
    assert (value(setup.asks_passphrase), value(setup.sealed_unlock)) == (asks, sealed)


@pytest.mark.parametrize(
    ("words", "asks", "sealed"),
    [
        ("cryptdevice=UUID=x:root root=/dev/mapper/root", True, False),
        ("cryptdevice=UUID=x:root cryptkey=rootfs:/key", False, False),
        ("rd.luks.name=x=root", True, False),
        ("rd.luks.uuid=luks-x rd.luks.key=/key", False, False),
        ("rd.luks.name=x=root rd.luks.options=tpm2-device=auto", False, True),
        ("snapd_recovery_mode=run", False, True),
    ],
)
def test_the_command_line_can_say_it_too(tmp_path, words, asks, sealed):
    setup = setup_of(encrypted(tmp_path, None).kernel(cmdline=f"BOOT_IMAGE=/vmlinuz {words} rw"))
    assert (value(setup.asks_passphrase), value(setup.sealed_unlock)) == (asks, sealed)


def test_a_line_that_names_what_crypttab_seals_asks_for_nothing(tmp_path):
    tree = encrypted(tmp_path, "root UUID=x none tpm2-device=auto\n")
    setup = setup_of(tree.kernel(cmdline="BOOT_IMAGE=/vmlinuz rd.luks.uuid=luks-x rw"))
    assert (value(setup.asks_passphrase), value(setup.sealed_unlock)) == (False, True)


def test_an_encrypted_root_that_nothing_explains_asks(tmp_path):
    assert value(setup_of(encrypted(tmp_path, None)).asks_passphrase) is True


def test_nothing_encrypted_asks_nothing_whatever_crypttab_says(tmp_path):
    setup = setup_of(plain(tmp_path).file("etc/crypttab", "old UUID=x none luks\n"))
    assert (value(setup.asks_passphrase), value(setup.sealed_unlock)) == (False, False)


def test_grub_asks_itself_where_the_kernels_are_encrypted(tmp_path):
    tree = desktop(tmp_path).start_partition(DISK, 3, "", device="259:3")
    tree.volume(0, "CRYPT-LUKS1", "/", f"{DISK}p3", uuid=UUID).file("etc/crypttab", "root UUID=x /key luks\n")
    assert value(setup_of(tree).asks_passphrase) is True


def test_a_crypttab_of_roots_is_unknown_only_where_something_is_encrypted(tmp_path):
    for tree, expected in ((encrypted(tmp_path / "a", ""), None), (plain(tmp_path / "b"), False)):
        setup = read(BrokenRoot(tree.folder, lambda path: path == "etc/crypttab", EACCES)).boot.setup
        if expected is None:
            assert reason(setup.asks_passphrase) == reason(setup.sealed_unlock) == "probe.forbidden"
        else:
            assert value(setup.asks_passphrase) is expected


def test_clevis_may_unlock_and_only_the_disk_tells(tmp_path):
    tree = encrypted(tmp_path, "root UUID=x none luks\n").file("usr/share/initramfs-tools/hooks/clevis")
    assert reason(setup_of(tree).sealed_unlock) == "probe.boot.clevis"


def test_a_pool_may_ask_by_itself(tmp_path):
    setup = setup_of(desktop(tmp_path).mounted("/", "0:25", "rpool/ROOT", kind="zfs"))
    assert reason(setup.asks_passphrase) == "probe.boot.own-encryption"
    assert value(setup.sealed_unlock) is False


def test_programs_that_are_there(tmp_path):
    tree = Tree(tmp_path).kernel().file("usr/sbin/update-grub").file("usr/bin/grubby")
    assert setup_of(tree).programs == ("usr/sbin/update-grub", "usr/bin/grubby")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("GRUB_A=x", "x"),
        ('GRUB_A="x y"', "x y"),
        ("export GRUB_A=x", "x"),
        ("GRUB_A=", ""),
        ("GRUB_A= x", ""),
        ("GRUB_A=x # said", "x"),
        ("GRUB_A=x program", None),
        ("GRUB_A=x; GRUB_B=y", None),
        ('GRUB_A="unclosed', None),
        ("  GRUB_A=x", None),
        ("GRUB_A+=x", None),
        ('GRUB_A="$GRUB_B x"', None),
    ],
)
def test_a_setting_is_believed_only_where_it_is_plain(line, expected):
    assert grub_settings([line]) == {"GRUB_A": expected}


CHANGES = {
    "a file's content": lambda tree: tree.file("etc/default/grub", "GRUB_TIMEOUT=5\n# another\n"),
    "a volume below": lambda tree: tree.volume(0, "LVM", "/boot", f"{DISK}p2", uuid=UUID),
    "another kernel": lambda tree: tree.file("usr/lib/modules/6.13/modules.dep"),
    "a pending one-shot": lambda tree: tree.file("boot/grub/grubenv", "next_entry=x\n"),
    "another tool": lambda tree: tree.file("usr/bin/grubby"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_a_plan_rests_on_changes_the_digest(tmp_path, change):
    before, after = read(plain(tmp_path / "a")), read(change(plain(tmp_path / "b")))
    assert before.digest != after.digest


def test_what_grub_notes_at_every_start_does_not(tmp_path):
    noted = [
        read(plain(tmp_path / name).file("boot/grub/grubenv", f"saved_entry=0\nboot_success={name}\n####")).digest
        for name in ("0", "1")
    ]
    assert noted[0] == noted[1]


def test_signs_of_a_one_shot_are_read(tmp_path):
    assert value(setup_of(desktop(tmp_path)).content("boot/grub/grub.cfg")) == GRUB_SIGNS


def test_every_answer_has_a_source(tmp_path):
    setup = setup_of(plain(tmp_path))
    answers = (setup.file_systems, setup.kernels, setup.images, setup.menu_seconds, setup.asks_passphrase)
    assert [one for one in answers if isinstance(one, Known) and not one.source.startswith("/")] == []
