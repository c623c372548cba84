# SPDX-License-Identifier: GPL-3.0-or-later
"""Saving a machine: by allow-list, scrubbed, whole or not at all, and read again as the same machine."""

from __future__ import annotations

import lzma
from dataclasses import replace

import pytest

from fakes.desktop import CARD, desktop, read, value
from fakes.sysfs import GRUB_SIGNS
from vitrail.model.boot import Layer
from vitrail.model.errors import Refused
from vitrail.model.reading import Known
from vitrail.probe.efi_variables import loader_variable
from vitrail.source.recording import open_recording
from vitrail.source.root import FolderRoot
from vitrail.source.saving import DomainText, LibvirtTexts, plan_recording, save_recording

UUID = "6f1c1b64-6a4b-4a0e-9c0e-3a1b7d1f8e11"
CANARIES = (
    "hunter2",
    "alice",
    "Alice Example",
    "workshop",
    UUID,
    "a4:5e:60:c1:22:33",
    "0123456789abcdef0123456789abcdef",
    "3c1e1f0e-26b5-4b5b-8d0c-5b8f0f3d7a11",
    "S1234567",
    "WD-WCC4N0SERIAL",
    "Samsung_SSD_990_S6Z1",
    "7A3C-11F2",
    "grub.pbkdf2.sha512.10000.AB",
    "carol",
    "nas.example",
    "0a1b2c",
    "photos",
)
DOMAIN = f"""<domain type='kvm'><name>games</name><uuid>{UUID}</uuid><title>Alice Example</title>
<devices><disk><source file='/home/alice/w.qcow2'/><serial>WD-WCC4N0SERIAL</serial></disk>
<disk><source dev='/dev/disk/by-id/nvme-Samsung_SSD_990_S6Z1'/></disk>
<interface><mac address='a4:5e:60:c1:22:33'/></interface>
<graphics type='vnc' passwd='hunter2'/></devices>
<commandline><arg value='secret,id=s0,data=x,password=hunter2'/></commandline></domain>"""


def personal(folder):
    tree = desktop(folder).file(
        "etc/passwd", "root:x:0:0::/root:/bin/sh\nalice:x:1000:1000:Alice Example,,,:/home/alice:"
    )
    tree.file("proc/sys/kernel/hostname", "workshop").file("etc/shadow", "alice:hunter2")
    tree.kernel(cmdline=f"BOOT_IMAGE=/vmlinuz root=UUID={UUID} luks.passphrase=hunter2 host=workshop user=alice")
    tree.file(
        f"run/udev/data/+pci:{CARD}",
        "E:ID_SERIAL=S1234567\nE:ID_VENDOR_FROM_DATABASE=NVIDIA\nE:ID_MODEL_FROM_DATABASE=RTX",
    )
    tree.file("proc/1/environ", "PASSWORD=hunter2").process(77, "alice-tool", "/home/alice/diary", "/dev/dri/card0")
    return tree


def starting(tree):
    """The same with a start that has secrets: an encrypted root, a password for the menu, a volume with a name."""
    tree.start_partition("nvme0n1", 3, "", device="259:3", uuid=UUID, kind="crypto_LUKS")
    tree.volume(0, "CRYPT-LUKS2", "/", "nvme0n1p3", name="luks-alice", uuid=UUID)
    tree.volume(1, "LVM", "", "nvme0n1p3", name="photos", uuid=UUID)
    tree.start_partition("nvme0n1", 1, "/boot/efi", device="259:1", uuid="7A3C-11F2", kind="vfat")
    tree.mounted("/mnt", "0:44", "nas.example:/photos", kind="nfs4")
    custom = 'set superusers="carol"\npassword_pbkdf2 carol grub.pbkdf2.sha512.10000.AB\nsearch --fs-uuid 7A3C-11F2\n'
    tree.file("boot/grub/custom.cfg", custom).file("etc/crypttab", f"luks-alice UUID={UUID} none luks\n")
    tree.uefi().file("boot/grub/grub.cfg", f"{GRUB_SIGNS}# photos\n\tlinux\t/vmlinuz root=UUID={UUID}\n{custom}")
    selected = "0123456789abcdef0123456789abcdef-6.12.conf"
    tree.file(f"boot/loader/entries/{selected}", f"options root=UUID={UUID} rw \n\n")
    return tree.file(loader_variable("LoaderEntrySelected"), b"\6\0\0\0" + f"{selected}\0".encode("utf-16-le"))


def draft_of(tree):
    libvirt = LibvirtTexts(domains=(DomainText("games", UUID, DOMAIN, "running", managed_save=False, autostart=True),))
    return plan_recording(FolderRoot(tree.folder), libvirt, {"10de:2783": ('N"V', "RTX")})


def test_no_canary_leaves_the_machine(tmp_path):
    draft = draft_of(starting(personal(tmp_path)))
    shown = "\n".join([*draft.files, *draft.links, *draft.links.values(), *draft.folders])
    shown += "\n".join(content.decode("latin-1").replace("\0", "") for content in draft.files.values())
    assert [canary for canary in CANARIES if canary in shown] == []


def test_one_value_has_one_stand_in_everywhere(tmp_path):
    draft = draft_of(personal(tmp_path))
    cmdline = draft.files["root/proc/cmdline"].decode()
    stand_in = cmdline.partition("root=UUID=")[2].split()[0]
    assert stand_in in draft.files["libvirt/domains/0001.xml"].decode()
    assert stand_in in draft.files["libvirt/domains.toml"].decode()


def test_what_is_not_listed_is_not_saved(tmp_path):
    contents = dict(draft_of(personal(tmp_path)).contents)
    for path in ("root/etc/shadow", "root/etc/passwd", "root/proc/1/environ"):
        assert path not in contents


def test_the_saved_machine_reads_as_the_same(tmp_path):
    tree = desktop(tmp_path / "machine")
    before = read(tree)
    save_recording(plan_recording(FolderRoot(tree.folder)), tmp_path / "m.tar.xz")
    after = read(open_recording(tmp_path / "m.tar.xz").root)
    # The machine's own identity has a stand-in; everything else that counts is equal.
    for host_field in (
        "devices",
        "groups",
        "boot",
        "iommu",
        "cpu",
        "kvm",
        "network_cards",
        "input_controllers",
        "virtual",
    ):
        assert getattr(after, host_field) == getattr(before, host_field), host_field
    assert isinstance(before.gpus, Known)
    assert isinstance(after.gpus, Known)
    for old, new in zip(before.gpus.value, after.gpus.value, strict=True):
        assert replace(new, device=old.device) == replace(old)


def test_the_start_hangs_together_in_a_recording(tmp_path):
    tree = starting(personal(tmp_path / "machine"))
    save_recording(plan_recording(FolderRoot(tree.folder)), tmp_path / "m.tar.xz")
    host = read(open_recording(tmp_path / "m.tar.xz").root)
    setup = host.boot.setup
    root, firmware = value(setup.file_systems)
    assert (value(root.layers), value(firmware.layers)) == ((Layer.CRYPT,), ())
    assert f"root=UUID={value(root.uuid)} " in value(host.cmdline)
    assert f"UUID={value(root.uuid)} none" in value(setup.content("etc/crypttab"))
    assert f"search --fs-uuid {value(firmware.uuid)}\n" in value(setup.content("boot/grub/custom.cfg"))
    entry = setup.content(f"boot/loader/entries/{value(setup.selected_entry)}")
    assert value(entry) == f"options root=UUID={value(root.uuid)} rw \n\n"
    assert value(setup.asks_passphrase) is True


def test_of_a_generated_menu_only_its_abilities_are_kept(tmp_path):
    tree = starting(personal(tmp_path))
    kept = draft_of(tree).files["root/boot/grub/grub.cfg"].decode()
    linux = "\tlinux\t/vmlinuz root=UUID=00000000-0000-4000-8000-000000000001\n"
    assert kept == f'{GRUB_SIGNS}{linux}set superusers="masked"\n'


def test_what_was_shown_is_what_is_written(tmp_path):
    draft = draft_of(personal(tmp_path / "machine"))
    written = save_recording(draft, tmp_path / "m.tar.xz")
    assert written == draft.contents
    assert b"hunter2" not in lzma.decompress((tmp_path / "m.tar.xz").read_bytes())
    assert open_recording(tmp_path / "m.tar.xz").names == {"10de:2783": ('N"V', "RTX")}


def test_a_file_that_is_there_is_not_replaced(tmp_path):
    target = tmp_path / "m.tar.xz"
    target.write_text("mine")
    with pytest.raises(Refused):
        save_recording(plan_recording(FolderRoot(desktop(tmp_path / "machine").folder)), target)
    assert target.read_text() == "mine"


def test_a_folder_that_is_not_there_leaves_nothing_behind(tmp_path):
    with pytest.raises(Refused):
        save_recording(plan_recording(FolderRoot(desktop(tmp_path / "m").folder)), tmp_path / "none" / "m.tar.xz")


def test_this_machine_can_be_planned():
    assert plan_recording(FolderRoot("/")).contents
