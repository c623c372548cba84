# SPDX-License-Identifier: GPL-3.0-or-later
"""The recorded machines: they are what their descriptions make, and the readers find in them what was put there."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TypeVar

import pytest

from machines.build import DESCRIBED, place_of, write
from machines.describe.restarting import MACHINES as RESTARTING
from vitrail.judge.isolation import judge_card
from vitrail.judge.passthrough import host_needs
from vitrail.model.boot import BootStack, InitramfsTool, Layer
from vitrail.model.machine import Connection, Gpu, Host, IommuKind, MachineKind
from vitrail.model.mode import Mode
from vitrail.model.pci import PciAddress
from vitrail.model.reading import Known, Reading, Unknown, known_or
from vitrail.model.verdict import Isolation
from vitrail.model.vm import GuestSystem, Vm, VmState
from vitrail.probe.host import read_host
from vitrail.source.documents import DocumentKind
from vitrail.source.names import Names
from vitrail.source.recording import Recording, open_recording
from vitrail.xmldoc.capabilities import read_capabilities, read_domain_capabilities
from vitrail.xmldoc.vm import read_vm

T = TypeVar("T")
MAX_FILES = 600


def value(reading: Reading[T]) -> T:
    assert isinstance(reading, Known), reading
    return reading.value


def vms_of(recording: Recording) -> tuple[Vm, ...]:
    vms = []
    for file in recording.documents(DocumentKind.DOMAIN):
        words = recording.document(file)
        facts = recording.domains[words.partition("<uuid>")[2].partition("</uuid>")[0]]
        vms.append(
            read_vm(
                words,
                state=Known(VmState(facts["state"]), "domains.toml"),
                has_managed_save=Known(facts["managed_save"], "domains.toml"),
                autostart=Known(facts["autostart"], "domains.toml"),
            )
        )
    return tuple(vms)


@cache
def host_of(name: str) -> Host:
    recording = open_recording(place_of(name))
    names = Names(recording.root, recording.names)
    vms = Known(vms_of(recording), "libvirt/domains")
    return read_host(recording.root, vms, kind=MachineKind.RECORDING, names=names, nvml=recording.nvml)


def card(name: str, address: str) -> Gpu:
    found = host_of(name).gpu_at(PciAddress.parse(address))
    assert found is not None
    return found


def lit(gpu: Gpu) -> dict[str, str | None]:
    return {
        output.connector: value(output.display)
        for output in value(gpu.outputs)
        if value(output.status) is Connection.CONNECTED
    }


def content(folder: Path) -> dict[str, bytes | str]:
    """Every file with its bytes and every link with its target."""
    return {
        str(path.relative_to(folder)): f"-> {path.readlink()}" if path.is_symlink() else path.read_bytes()
        for path in folder.rglob("*")
        if path.is_symlink() or path.is_file()
    }


@pytest.mark.parametrize("name", DESCRIBED)
def test_what_is_kept_is_what_the_description_makes(name: str, tmp_path: Path):
    write(name, tmp_path)
    made, kept = content(tmp_path), content(place_of(name))
    assert sorted(made) == sorted(kept), "run tests/machines/build.py"
    assert [path for path in made if made[path] != kept[path]] == [], "run tests/machines/build.py"
    assert len(kept) <= MAX_FILES


@pytest.mark.parametrize("name", DESCRIBED)
def test_libvirt_answers_are_read_and_fit_the_vms(name: str):
    recording = open_recording(place_of(name))
    (capabilities,) = recording.documents(DocumentKind.CAPABILITIES)
    daemon = read_capabilities(recording.document(capabilities))
    machines = {machine for guest in daemon.guests for machine in guest.machines}
    offered = {
        read_domain_capabilities(recording.document(file)).machine
        for file in recording.documents(DocumentKind.DOMAIN_CAPABILITIES)
    }
    assert {vm.machine for vm in vms_of(recording)} <= machines == offered


@pytest.mark.parametrize("name", DESCRIBED)
def test_every_device_has_its_name_in_the_recording(name: str):
    for device in value(host_of(name).devices):
        assert isinstance(device.name, Known)
        assert device.name.source == "machine.toml"


@pytest.mark.parametrize("name", DESCRIBED)
def test_two_to_five_vms_one_of_them_windows_and_one_not(name: str):
    guests = [known_or(vm.guest, None) for vm in value(host_of(name).vms)]
    assert 2 <= len(guests) <= 5
    assert GuestSystem.WINDOWS in guests
    assert set(guests) & {GuestSystem.LINUX, GuestSystem.BSD}


CARDS = {
    "amd-desktop": {"01:00.0": "nvidia", "0e:00.0": "amdgpu"},
    "intel-desktop": {"00:02.0": "i915", "03:00.0": "vfio-pci"},
    "two-identical": {"08:00.0": "nvidia", "09:00.0": "nvidia"},
    "bad-group": {"06:00.0": "nouveau", "07:00.0": "nouveau"},
    "single-gpu": {"09:00.0": "amdgpu"},
    "optimus-laptop": {"00:02.0": "i915", "01:00.0": "nvidia"},
    "vgpu-server": {
        "03:00.0": "ast",
        "3b:00.0": "nvidia",
        "86:00.0": "nvidia",
        "c3:00.0": "i915",
        "c3:00.1": "vfio-pci",
        "c3:00.2": "vfio-pci",
        "c3:00.3": "vfio-pci",
    },
    "no-iommu": {"00:02.0": "i915", "01:00.0": "nouveau"},
    "demo": {
        "01:00.0": "nvidia",
        "05:00.0": "amdgpu",
        "09:00.0": "xe",
        "09:00.1": "vfio-pci",
        "09:00.2": "vfio-pci",
        "09:00.3": None,
        "09:00.4": None,
        "0e:00.0": "amdgpu",
    },
}
CARDS |= {
    name: {"00:02.0": "i915", "01:00.0": driver}
    for name, driver in {
        "debian-bios": "nvidia",
        "arch-grub": "nouveau",
        "fedora-sealed": "nouveau",
        "arch-uki": "nouveau",
        "tumbleweed": "nouveau",
        "arch-refind": "nouveau",
        "proxmox-home": "nouveau",
        "nixos": "nouveau",
        "bazzite-tower": "nouveau",
    }.items()
}
CARDS |= {
    name: {"08:00.0": driver, "09:00.0": driver}
    for name, driver in {
        "ubuntu-lvm": "nvidia",
        "suse-snapshots": "nouveau",
        "endeavour-two": "nvidia",
        "pop-two": "nvidia",
        "cachyos": "nvidia",
        "cachyos-limine": "nvidia",
    }.items()
}
START = {
    "amd-desktop": (BootStack.SYSTEMD_BOOT, InitramfsTool.MKINITCPIO),
    "intel-desktop": (BootStack.GRUB_BLS, InitramfsTool.DRACUT),
    "two-identical": (BootStack.GRUB, InitramfsTool.INITRAMFS_TOOLS),
    "bad-group": (BootStack.KERNELSTUB, InitramfsTool.INITRAMFS_TOOLS),
    "single-gpu": (BootStack.KERNEL_INSTALL, InitramfsTool.DRACUT),
    "optimus-laptop": (BootStack.RPM_OSTREE, InitramfsTool.DRACUT),
    "vgpu-server": (BootStack.PROXMOX, InitramfsTool.INITRAMFS_TOOLS),
    "no-iommu": (BootStack.GRUB, InitramfsTool.INITRAMFS_TOOLS),
    "demo": (BootStack.GRUB, InitramfsTool.INITRAMFS_TOOLS),
    "ubuntu-lvm": (BootStack.GRUB, InitramfsTool.INITRAMFS_TOOLS),
    "debian-bios": (BootStack.GRUB, InitramfsTool.INITRAMFS_TOOLS),
    "arch-grub": (BootStack.GRUB, InitramfsTool.MKINITCPIO),
    "suse-snapshots": (BootStack.GRUB, InitramfsTool.DRACUT),
    "fedora-sealed": (BootStack.GRUB_BLS, InitramfsTool.DRACUT),
    "endeavour-two": (BootStack.KERNEL_INSTALL, InitramfsTool.DRACUT),
    "arch-uki": (BootStack.UKI, InitramfsTool.MKINITCPIO),
    "pop-two": (BootStack.KERNELSTUB, InitramfsTool.INITRAMFS_TOOLS),
    "tumbleweed": (BootStack.SDBOOTUTIL, InitramfsTool.DRACUT),
    "cachyos": (BootStack.SDBOOT_MANAGE, InitramfsTool.MKINITCPIO),
    "cachyos-limine": (BootStack.LIMINE, InitramfsTool.MKINITCPIO),
    "arch-refind": (BootStack.REFIND, InitramfsTool.MKINITCPIO),
    "proxmox-home": (BootStack.PROXMOX, InitramfsTool.INITRAMFS_TOOLS),
    "bazzite-tower": (BootStack.RPM_OSTREE, InitramfsTool.DRACUT),
    "nixos": (BootStack.NIXOS, None),
}
TO_GIVE = {name: "01:00.0" if "00:02.0" in CARDS[name] else "09:00.0" for name in RESTARTING}
TO_GIVE |= {"amd-desktop": "01:00.0", "demo": "01:00.0"}
LIT = {
    ("amd-desktop", "01:00.0"): {"HDMI-A-2": "LG ULTRAGEAR"},
    ("amd-desktop", "0e:00.0"): {"DP-1": "DELL U2723QE"},
    ("intel-desktop", "00:02.0"): {"DP-1": "BenQ PD2700U"},
    ("two-identical", "08:00.0"): {"DP-1": "S27C432"},
    ("two-identical", "09:00.0"): {},
    ("bad-group", "06:00.0"): {},
    ("bad-group", "07:00.0"): {"HDMI-A-1": "VG248QE"},
    ("single-gpu", "09:00.0"): {"DP-1": "AW2721D", "DP-2": "DELL U2415"},
    ("optimus-laptop", "00:02.0"): {"eDP-1": "B156HAN02.1"},
    ("optimus-laptop", "01:00.0"): {},
    ("vgpu-server", "03:00.0"): {"VGA-1": "BMC"},
    ("no-iommu", "00:02.0"): {"DP-1": "HP E243"},
    ("demo", "01:00.0"): {"HDMI-A-2": "LG 24MP59"},
    ("demo", "05:00.0"): {},
    ("demo", "09:00.0"): {},
    ("demo", "0e:00.0"): {"DP-1": "DELL U2723QE"},
}
ISOLATION = {
    ("amd-desktop", "01:00.0"): Isolation.ISOLATED,
    ("intel-desktop", "03:00.0"): Isolation.ISOLATED,
    ("two-identical", "09:00.0"): Isolation.ISOLATED,
    ("bad-group", "06:00.0"): Isolation.SHARED,
    ("bad-group", "07:00.0"): Isolation.ISOLATED,
    ("single-gpu", "09:00.0"): Isolation.ISOLATED,
    ("optimus-laptop", "01:00.0"): Isolation.ISOLATED,
    ("vgpu-server", "c3:00.1"): Isolation.ISOLATED,
    ("demo", "01:00.0"): Isolation.ISOLATED,
    ("demo", "05:00.0"): Isolation.SHARED,
    ("demo", "09:00.2"): Isolation.ISOLATED,
}


@pytest.mark.parametrize("name", DESCRIBED)
def test_cards_and_their_drivers(name: str):
    assert {gpu.address.short: value(gpu.device.driver) for gpu in value(host_of(name).gpus)} == CARDS[name]


@pytest.mark.parametrize("name", DESCRIBED)
def test_boot_stack_and_initramfs(name: str):
    boot = host_of(name).boot
    assert (value(boot.stack), known_or(boot.initramfs, None)) == START[name]


@pytest.mark.parametrize(("name", "address"), TO_GIVE.items())
def test_giving_the_card_takes_a_restart(name: str, address: str):
    needs = host_needs(host_of(name), card(name, address))
    assert needs.any_step
    assert needs.firmware is None


def test_every_boot_stack_has_a_machine_that_needs_a_restart():
    assert {START[name][0] for name in TO_GIVE} == set(BootStack)


@pytest.mark.parametrize("name", DESCRIBED)
def test_what_a_start_rests_on_is_known(name: str):
    setup = host_of(name).boot.setup
    facts = (setup.file_systems, setup.selected_entry, setup.kernels, setup.images, setup.one_shot, setup.sealed_unlock)
    assert [fact for fact in facts if isinstance(fact, Unknown)] == []
    assert value(host_of(name).kernel) in value(setup.kernels)
    entry = value(setup.selected_entry)
    if entry is not None and entry.endswith(".conf") and name not in OWN_PARTITIONS:
        assert [file.path for file in setup.files if file.path.endswith(f"/{entry}")] != []


OWN_PARTITIONS = ("vgpu-server", "proxmox-home")
"""Their boot partitions are mounted by nobody."""
UNLOCKED = {
    "arch-grub": (True, False),
    "fedora-sealed": (False, True),
    "pop-two": (True, False),
    "cachyos-limine": (True, False),
    "single-gpu": (True, False),
    "cachyos": (False, False),
}
LAYERS = {
    ("ubuntu-lvm", "/boot/grub/grubenv"): ("ext4", (Layer.LVM,)),
    ("debian-bios", "/boot/grub/grubenv"): ("ext4", ()),
    ("arch-grub", "/boot/grub/grubenv"): ("ext4", ()),
    ("arch-grub", "/etc/default/grub"): ("ext4", (Layer.CRYPT,)),
    ("suse-snapshots", "/boot/grub2/grubenv"): ("btrfs", ()),
    ("fedora-sealed", "/etc/default/grub"): ("btrfs", (Layer.CRYPT,)),
    ("cachyos", "/boot/loader/loader.conf"): ("vfat", ()),
    ("proxmox-home", "/etc/kernel/cmdline"): ("zfs", (Layer.OTHER,)),
    ("bazzite-tower", "/boot/grub2/grubenv"): ("ext4", ()),
}
MENU = {
    "demo": 5,
    "ubuntu-lvm": 0,
    "fedora-sealed": 0,
    "suse-snapshots": 8,
    "arch-refind": 20,
    "pop-two": 0,
    "cachyos": 5,
}


@pytest.mark.parametrize("name", UNLOCKED)
def test_how_the_disk_is_unlocked(name: str):
    setup = host_of(name).boot.setup
    assert (value(setup.asks_passphrase), value(setup.sealed_unlock)) == UNLOCKED[name]


@pytest.mark.parametrize(("name", "path"), LAYERS)
def test_what_a_file_of_the_start_lies_on(name: str, path: str):
    found = host_of(name).boot.setup.file_system_of(path)
    assert found is not None
    assert (found.kind, value(found.layers)) == LAYERS[name, path]


@pytest.mark.parametrize("name", MENU)
def test_how_long_the_menu_is_shown(name: str):
    assert value(host_of(name).boot.setup.menu_seconds) == MENU[name]


@pytest.mark.parametrize(("name", "address"), LIT)
def test_monitors(name: str, address: str):
    assert lit(card(name, address)) == LIT[name, address]


@pytest.mark.parametrize(("name", "address"), ISOLATION)
def test_isolation(name: str, address: str):
    assert judge_card(host_of(name), card(name, address)).isolation is ISOLATION[name, address]


@pytest.mark.parametrize("name", [name for name in DESCRIBED if name != "no-iommu"])
def test_exactly_one_card_shows_the_firmware(name: str):
    assert [known_or(gpu.boot_vga, otherwise=False) for gpu in value(host_of(name).gpus)].count(True) == 1


@pytest.mark.parametrize("name", DESCRIBED)
def test_every_fact_that_decides_is_known(name: str):
    host = host_of(name)
    facts = (
        *(host.kernel, host.machine_id_hash, host.boot_id, host.cmdline, host.virtual, host.kvm, host.modules),
        *(host.iommu.active, host.iommu.kind, host.boot.loader, host.boot.secure_boot, host.boot.lockdown),
        *(host.cpu.vendor, host.cpu.model, host.cpu.virtualization, host.groups, host.mediated_devices),
        *(host.network_cards, host.disk_controllers, host.input_controllers),
        *(
            fact
            for gpu in value(host.gpus)
            for fact in (gpu.boot_vga, gpu.holders, gpu.bars, gpu.power_state, gpu.sriov)
        ),
    )
    assert [fact for fact in facts if isinstance(fact, Unknown)] == []


def test_the_machines_are_not_mistaken_for_one_another():
    assert len({value(host_of(name).machine_id_hash) for name in DESCRIBED}) == len(DESCRIBED)


def test_bad_group_ties_the_card_to_network_and_disks():
    host = host_of("bad-group")
    group = host.group_of(card("bad-group", "06:00.0").device)
    assert group is not None
    members = {member.address for member in group.members}
    assert {address for address, _ in value(host.network_cards)} <= members
    assert [name for address, name in value(host.disk_controllers) if address in members] == ["sda", "sdb"]


def test_two_identical_cards_have_the_same_ids_down_to_the_sound():
    first, second = (card("two-identical", address) for address in ("08:00.0", "09:00.0"))
    ids = [[(one.identity.vendor_id, one.identity.device_id) for one in gpu.functions] for gpu in (first, second)]
    assert ids[0] == ids[1] == [(0x10DE, 0x2504), (0x10DE, 0x228E)]


def test_the_laptops_card_sleeps_and_is_not_asked():
    gpu = card("optimus-laptop", "01:00.0")
    assert value(gpu.power_state) == "D3cold"
    assert str(gpu.device.pci_class) == "0x030200"
    assert isinstance(gpu.vram_mib, Unknown)


def test_the_servers_shares_are_read():
    host = host_of("vgpu-server")
    free = {kind.id: kind.available for kind in value(card("vgpu-server", "3b:00.0").mdev_types)}
    assert free["nvidia-232"] == 3
    assert sum(free.values()) == 3
    assert [(one.type_id, one.parent.short) for one in value(host.mediated_devices)] == [("nvidia-232", "3b:00.0")]
    functions = value(card("vgpu-server", "c3:00.0").sriov)
    assert functions is not None
    assert (functions.total, functions.active) == (31, 3)
    assert card("vgpu-server", "c3:00.2").device.physical_function == PciAddress.parse("c3:00.0")


def test_without_an_iommu_there_are_no_groups():
    host = host_of("no-iommu")
    assert (value(host.iommu.active), value(host.groups)) == (False, ())
    assert value(host_of("intel-desktop").iommu.kind) is IommuKind.INTEL


def test_the_demo_is_the_machine_of_the_picture():
    host = host_of("demo")
    vms = {vm.name: vm for vm in value(host.vms)}
    assert {name: value(vm.state) for name, vm in vms.items()} == {
        "win11-games": VmState.OFF,
        "cad-studio": VmState.RUNNING,
        "render-node": VmState.RUNNING,
        "fedora-desk": VmState.RUNNING,
        "old-xp": VmState.RUNNING,
    }
    assert [vms[name].hostdevs[0].pci for name in ("cad-studio", "render-node")] == [
        PciAddress.parse("09:00.1"),
        PciAddress.parse("09:00.2"),
    ]
    assert [(one.mode, one.gpu) for one in vms["fedora-desk"].graphics] == [(Mode.VIRGL, PciAddress.parse("0e:00.0"))]
    assert [one.mode for one in vms["old-xp"].graphics] == [Mode.QXL]
    holders = value(card("demo", "0e:00.0").holders).seen
    assert len([one for one in holders if one.pid is not None]) == 41
    assert [one.name for one in value(card("demo", "09:00.1").holders).seen] == ["cad-studio"]
    assert value(card("demo", "01:00.0").vram_mib) == 12282


def test_looking_glass_and_passthrough_of_the_ready_card():
    vm = next(vm for vm in value(host_of("intel-desktop").vms) if vm.name == "win10-work")
    assert vm.looking_glass
    assert [one.pci.short for one in vm.hostdevs if one.pci] == ["03:00.0", "03:00.1"]
