# SPDX-License-Identifier: GPL-3.0-or-later
"""Who uses a card right now: programs that have its files open, running VMs, the text console.

Separate because it alone walks the processes, and because its answer has a second half: how many processes could not be
looked into. Without that number an empty list would be a guess.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from vitrail.model.machine import Holder, HolderKind, Holders, MediatedDevice, PciDevice
from vitrail.model.pci import PciAddress
from vitrail.model.reading import Known, Reading, Unknown
from vitrail.model.text import text
from vitrail.model.vm import Vm, VmState
from vitrail.probe.drm import Drm
from vitrail.probe.pci import Bus, address_in
from vitrail.probe.unread import clean, is_missing, presence

if TYPE_CHECKING:
    from vitrail.source.root import Root

_DEVICE_FOLDERS = ("/dev/dri/", "/dev/nvidia", "/dev/kfd", "/dev/vfio/", "/dev/snd/")
_KERNEL_THREAD = 0x00200000
_FLAGS_FIELD = 6
"""Where the flags stand in /proc/PID/stat, counted after the name's closing bracket."""
_FIRST_PID_NAMESPACE = "pid:[4026531836]"
"""The kernel's fixed number of the namespace that sees every process."""
_NVIDIA = "proc/driver/nvidia/gpus"


@dataclass(slots=True)
class _Found:
    """What one walk over the processes saw: who has which device file open, and how many it could not ask."""

    users: dict[str, set[tuple[int, str]]] = field(default_factory=lambda: defaultdict(set))
    not_seen: int = 0


def read_holders(
    root: Root,
    cards: dict[PciAddress, tuple[PciDevice, ...]],
    around: tuple[Bus, Drm, Reading[tuple[Vm, ...]], Reading[tuple[MediatedDevice, ...]]],
    awake: frozenset[PciAddress],
) -> dict[PciAddress, Reading[Holders]]:
    """For each card (with all functions of its slot) whoever holds any of them. `awake`: those that may be asked."""
    if not cards:
        return {}
    bus, drm, vms, mdevs = around
    found = _walk_processes(root)
    console = _console_of(root, cards)
    answers: dict[PciAddress, Reading[Holders]] = {}
    for address, functions in cards.items():
        if isinstance(found, Unknown):
            answers[address] = found
            continue
        machines = _vms_on(functions, vms, mdevs)
        files = _files_of(root, bus, drm, functions, ask_driver=address in awake)
        if machines:
            # The VM's own QEMU has the group open; one holder is not shown twice.
            files = tuple(name for name in files if not name.startswith("/dev/vfio/"))
        users = sorted({user for name in files for user in found.users.get(name, ())})
        holders = [*machines, *(Holder(HolderKind.PROCESS, name, pid=pid) for pid, name in users)]
        if console is not None and console[0] == address:
            holders.append(Holder(HolderKind.DRIVER, console[1]))
        answers[address] = Known(Holders(tuple(holders), found.not_seen), "/proc/*/fd")
    return answers


def _walk_processes(root: Root) -> _Found | Unknown:
    try:
        pids = sorted(int(name) for name in root.names("proc") if name.isascii() and name.isdigit() and len(name) < 10)  # noqa: PLR2004
    except OSError:
        pids = []
    if not pids:
        return Unknown(text("probe.holders.no-processes" if root.live else "probe.holders.not-recorded"))
    if root.live and _sees_only_some(root, pids):
        return Unknown(text("probe.holders.hidden"))
    found = _Found()
    for pid in pids:
        _look_into(root, pid, found)
    return found


def _sees_only_some(root: Root, pids: list[int]) -> bool:
    if pids[0] != 1:
        return True
    try:
        return root.link("proc/self/ns/pid") != _FIRST_PID_NAMESPACE
    except OSError:
        return False


def _look_into(root: Root, pid: int, found: _Found) -> None:
    folder = f"proc/{pid}"
    try:
        targets = {_target(root, f"{folder}/fd/{name}") for name in root.names(f"{folder}/fd")}
    except OSError as error:
        # A process that ended in between holds nothing; a kernel thread has no files to look at.
        if not is_missing(error) and not _is_kernel_thread(root, folder):
            found.not_seen += 1
        return
    targets |= _mapped(root, f"{folder}/maps")
    used = [target for target in targets if target.startswith(_DEVICE_FOLDERS)]
    if not used:
        return
    try:
        name = root.read(f"{folder}/comm") or str(pid)
    except OSError:
        name = str(pid)
    for target in used:
        found.users[target].add((pid, name))


def _target(root: Root, path: str) -> str:
    try:
        return root.link(path)
    except OSError:
        return ""


def _mapped(root: Root, path: str) -> set[str]:
    """Device files that are mapped: a program may have closed them since."""
    try:
        words = root.read(path)
    except OSError:
        return set()
    return {line[line.index("/dev/") :] for line in words.split("\n") if "/dev/" in line}


def _is_kernel_thread(root: Root, folder: str) -> bool:
    try:
        fields = root.read(f"{folder}/stat").rpartition(")")[2].split()
        return bool(int(fields[_FLAGS_FIELD]) & _KERNEL_THREAD)
    except (OSError, ValueError, IndexError):
        return False


def _files_of(root: Root, bus: Bus, drm: Drm, functions: tuple[PciDevice, ...], *, ask_driver: bool) -> tuple[str, ...]:
    files: list[str] = []
    for device in functions:
        place = bus.places.get(device.address)
        if place is None:
            continue
        driver = device.driver.value if isinstance(device.driver, Known) else None
        files += drm.nodes_of(device.address)
        if driver == "amdgpu":
            files.append("/dev/kfd")
        if driver == "nvidia" and ask_driver:
            files += _nvidia_node(root, device.address)
        if driver is not None and driver.startswith("vfio"):
            files += _vfio_nodes(root, place, device)
        files += _sound_nodes(root, place)
    return tuple(files)


def _nvidia_node(root: Root, address: PciAddress) -> tuple[str, ...]:
    try:
        lines = root.read(f"{_NVIDIA}/{address}/information").split("\n")
    except OSError:
        return ()
    minor = next((line.partition(":")[2].strip() for line in lines if line.startswith("Device Minor")), "")
    return (f"/dev/nvidia{minor}",) if minor.isdigit() else ()


def _vfio_nodes(root: Root, place: str, device: PciDevice) -> tuple[str, ...]:
    group = (f"/dev/vfio/{device.group.value}",) if isinstance(device.group, Known) else ()
    return (*group, *(f"/dev/vfio/devices/{clean(name)}" for name in _names(root, f"{place}/vfio-dev")))


def _sound_nodes(root: Root, place: str) -> tuple[str, ...]:
    numbers = [name[4:] for name in _names(root, f"{place}/sound") if name.startswith("card") and name[4:].isdigit()]
    if not numbers:
        return ()
    starts = tuple(f"{kind}C{number}" for number in numbers for kind in ("control", "pcm", "hw"))
    nodes = _names(root, "dev/snd") or tuple(start for start in starts if not start.startswith("pcm"))
    wanted = tuple(start for start in starts if not start.startswith("pcm"))
    pcm = tuple(f"pcmC{number}D" for number in numbers)
    return tuple(f"/dev/snd/{clean(name)}" for name in nodes if name in wanted or name.startswith(pcm))


def _names(root: Root, folder: str) -> tuple[str, ...]:
    try:
        return root.names(folder)
    except OSError:
        return ()


def _vms_on(
    functions: tuple[PciDevice, ...], vms: Reading[tuple[Vm, ...]], mdevs: Reading[tuple[MediatedDevice, ...]]
) -> list[Holder]:
    addresses = {device.address for device in functions}
    uuids = {mdev.uuid for mdev in mdevs.value if mdev.parent in addresses} if isinstance(mdevs, Known) else set()
    holders = []
    for vm in vms.value if isinstance(vms, Known) else ():
        running = isinstance(vm.state, Known) and vm.state.value in (VmState.RUNNING, VmState.PAUSED)
        has_it = any(device.pci in addresses or device.mdev_uuid in uuids for device in vm.hostdevs)
        if running and has_it:
            holders.append(Holder(HolderKind.VM, vm.name, uuid=vm.uuid))
    return holders


def _console_of(root: Root, cards: dict[PciAddress, tuple[PciDevice, ...]]) -> tuple[PciAddress, str] | None:
    """The card that shows the text console, with the frame buffer's name; None where no console is on any."""
    if not _console_is_on_a_frame_buffer(root):
        return None
    buffers: dict[PciAddress, str] = {}
    boot = next((address for address in cards if _is_boot_card(root, address)), None)
    folder = "sys/class/graphics"
    for name in sorted(_names(root, folder)):
        if not (name.startswith("fb") and name[2:].isdigit()):
            continue
        try:
            address = address_in(root.resolve(f"{folder}/{name}")) or boot
        except OSError:
            continue
        if address in cards and address is not None:
            buffers.setdefault(address, _frame_buffer_name(root, f"{folder}/{name}/name"))
    if not buffers:
        return None
    owner = boot if boot in buffers else next(iter(buffers))
    return (owner, buffers[owner]) if owner is not None else None


def _frame_buffer_name(root: Root, path: str) -> str:
    try:
        return root.read(path) or "frame buffer"
    except OSError:
        return "frame buffer"


def _is_boot_card(root: Root, address: PciAddress) -> bool:
    try:
        return root.read(f"sys/bus/pci/devices/{address}/boot_vga") == "1"
    except OSError:
        return False


def _console_is_on_a_frame_buffer(root: Root) -> bool:
    folder = "sys/class/vtconsole"
    for name in _names(root, folder):
        try:
            bound = root.read(f"{folder}/{name}/bind") == "1"
            if bound and "frame buffer" in root.read(f"{folder}/{name}/name"):
                return True
        except OSError:
            continue
    # Where the consoles do not say, a frame buffer counts as in use.
    return presence(root, folder) is not True
