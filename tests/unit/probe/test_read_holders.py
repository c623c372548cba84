# SPDX-License-Identifier: GPL-3.0-or-later
"""Who uses a card, and how sure that is."""

from __future__ import annotations

from errno import EACCES

from fakes.desktop import CARD, IGPU, card, desktop, read, reason, value
from fakes.roots import BrokenRoot
from fakes.sysfs import VGA, Tree
from vitrail.model.machine import Holder, HolderKind
from vitrail.model.pci import PciAddress
from vitrail.model.reading import Known, Unknown
from vitrail.model.text import text
from vitrail.model.vm import Hostdev, Vm, VmState


def vm(name: str, state: VmState, *hostdevs: Hostdev) -> Vm:
    return Vm(
        uuid=f"uuid-of-{name}",
        name=name,
        virt_type="kvm",
        arch="x86_64",
        machine="q35",
        emulator=None,
        uefi=None,
        memory_kib=1,
        guest=Unknown(text("test")),
        videos=(),
        screens=(),
        hostdevs=hostdevs,
        looking_glass=False,
        shared_memory_backing=False,
        graphics=(),
        state=Known(state, "test"),
        persistent=True,
        has_managed_save=Known(value=False, source="test"),
        autostart=Known(value=False, source="test"),
        text="",
        digest="",
    )


def seen(host, address=CARD):
    return value(card(host, address).holders).seen


def test_a_program_with_a_node_open_holds_that_card_only(tmp_path):
    host = read(desktop(tmp_path))
    assert seen(host, IGPU) == (Holder(HolderKind.PROCESS, "Xorg", pid=812),)
    assert seen(host) == ()


def test_a_render_node_counts_too(tmp_path):
    tree = desktop(tmp_path).process(900, "qemu-system-x86", "/dev/dri/renderD128")
    assert seen(read(tree)) == (Holder(HolderKind.PROCESS, "qemu-system-x86", pid=900),)


def test_a_node_that_is_only_mapped_counts(tmp_path):
    tree = desktop(tmp_path).process(900, "game", maps="7f00-7f01 rw-s 00000000 00:06 500      /dev/dri/card0\n")
    assert [holder.pid for holder in seen(read(tree))] == [900]


def test_the_sound_of_the_card_counts(tmp_path):
    tree = desktop(tmp_path).process(700, "pipewire", "/dev/snd/controlC1").process(701, "other", "/dev/snd/controlC0")
    assert [holder.name for holder in seen(read(tree))] == ["pipewire"]


def test_nvidias_own_node_is_found_by_its_minor_number(tmp_path):
    tree = desktop(tmp_path).file(f"proc/driver/nvidia/gpus/{CARD}/information", "Model: RTX\nDevice Minor: \t 0")
    tree.process(700, "ollama", "/dev/nvidia0").process(701, "smi", "/dev/nvidiactl")
    assert [holder.name for holder in seen(read(tree))] == ["ollama"]


def test_processes_that_may_not_be_looked_into_are_counted(tmp_path):
    tree = desktop(tmp_path).process(900, "secret")
    root = BrokenRoot(tree.folder, lambda path: path.startswith("proc/900/fd"), EACCES)
    assert value(card(read(root)).holders).processes_not_seen == 1


def test_kernel_threads_are_no_missing_processes(tmp_path):
    stat = "2 (kthreadd) S 0 0 0 0 -1 2129984 0 0"
    tree = desktop(tmp_path).process(2, "kthreadd").file("proc/2/stat", stat)
    root = BrokenRoot(tree.folder, lambda path: path.startswith("proc/2/fd"), EACCES)
    assert value(card(read(root)).holders).processes_not_seen == 0


def test_without_any_process_nothing_is_claimed(tmp_path):
    host = read(Tree(tmp_path).pci(CARD, VGA, 0x10DE, 1, driver="nouveau"))
    assert reason(card(host).holders) == "probe.holders.not-recorded"


def test_a_running_vm_holds_its_card_and_its_qemu_is_not_listed_twice(tmp_path):
    tree = Tree(tmp_path).pci(CARD, VGA, 0x10DE, 1, driver="vfio-pci", group=12)
    tree.process(1, "init").process(900, "qemu-system-x86", "/dev/vfio/12")
    given = Hostdev("pci", PciAddress.parse(CARD))
    vms = Known((vm("games", VmState.RUNNING, given), vm("off", VmState.OFF, given)), "test")
    assert seen(read(tree, vms)) == (Holder(HolderKind.VM, "games", uuid="uuid-of-games"),)


def test_a_foreign_user_of_the_vfio_group_is_listed(tmp_path):
    tree = Tree(tmp_path).pci(CARD, VGA, 0x10DE, 1, driver="vfio-pci", group=12)
    tree.process(1, "init").process(900, "qemu-system-x86", "/dev/vfio/12")
    assert [holder.pid for holder in seen(read(tree))] == [900]


def test_a_vm_with_a_share_of_the_card_holds_it(tmp_path):
    uuid = "b1ae8bf6-38b0-4c81-9d44-78ce3f520496"
    tree = Tree(tmp_path).pci(CARD, VGA, 0x10DE, 1, driver="nvidia").process(1, "init").mdev(CARD, "nvidia-63", uuid)
    vms = Known((vm("desk", VmState.RUNNING, Hostdev("mdev", mdev_uuid=uuid)),), "test")
    assert [holder.name for holder in seen(read(tree, vms))] == ["desk"]


def test_the_text_console_holds_the_card_that_shows_it(tmp_path):
    tree = desktop(tmp_path).file("sys/class/vtconsole/vtcon1/bind", "1")
    tree.file("sys/class/vtconsole/vtcon1/name", "(M) frame buffer device")
    buffer = f"{tree.place_of(IGPU)}/graphics/fb0"
    tree.file(f"{buffer}/name", "amdgpudrmfb").link("sys/class/graphics/fb0", buffer)
    host = read(tree)
    assert seen(host, IGPU)[-1] == Holder(HolderKind.DRIVER, "amdgpudrmfb")
    assert seen(host) == ()


def test_a_console_that_is_not_on_a_frame_buffer_holds_nothing(tmp_path):
    tree = desktop(tmp_path)
    buffer = f"{tree.place_of(IGPU)}/graphics/fb0"
    tree.file(f"{buffer}/name", "amdgpudrmfb").link("sys/class/graphics/fb0", buffer)
    assert [holder.kind for holder in seen(read(tree), IGPU)] == [HolderKind.PROCESS]
