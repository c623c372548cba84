# SPDX-License-Identifier: GPL-3.0-or-later
"""A machine whose numbers move: cards with their files, QEMU processes with open cards, and a clock that a test turns.

Files are written in place, as the kernel's change: whoever keeps one open sees what is new.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from fakes.hosts import AMD, INTEL, NVIDIA, VGA, at, device, gpu, host, output, vm
from fakes.sysfs import Tree
from vitrail.model.machine import Host, SriovCapability
from vitrail.model.mode import Mode
from vitrail.model.text import text
from vitrail.model.vm import Graphics, Hostdev, Vm, VmGraphics, VmState
from vitrail.source.root import FolderRoot

_MAKERS = {"nvidia": NVIDIA, "amdgpu": AMD, "i915": INTEL, "xe": INTEL}
_GIB = 1 << 30


def uuid_of(number: int) -> str:
    """The UUID of the n-th VM."""
    return f"5d1f0000-0000-4000-8000-{number:012x}"


class LiveMachine:
    """The tree, the host that is read from it, and the time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.tree = Tree(folder)
        self.root = FolderRoot(folder)
        self.now = 1000.0
        self._cards: dict[str, tuple[str, SriovCapability | None]] = {}
        self._vms: list[Vm] = []
        self.lit = False
        self.names: dict[str, str] = {}
        """What cards are called, by their address; the others have no name."""
        self.tree.folder_at("proc")

    def card(self, address: str, driver: str, **files: str | int) -> None:
        """A card that is awake, with these files in its folder; `__` in a name stands for a slash."""
        maker = _MAKERS.get(driver, AMD)
        extra = {name.replace("__", "/"): str(value) for name, value in files.items()}
        self.tree.pci(f"0000:{address}", VGA, maker, 0x1234, driver=driver, runtime_status="active", extra=extra)
        self._cards[address] = (driver, None)

    def amd(self, address: str, busy: int = 0, vram_mib: int = 0) -> None:
        """An AMD card as amdgpu shows it."""
        self.card(
            address,
            "amdgpu",
            gpu_busy_percent=busy,
            mem_info_vram_used=vram_mib << 20,
            mem_info_vram_total=8 * _GIB,
            hwmon__hwmon3__temp1_input=45000,
            hwmon__hwmon3__power1_average=33000000,
            hwmon__hwmon3__fan1_input=1200,
            hwmon__hwmon3__pwm1=51,
        )

    def functions(self, address: str, count: int) -> None:
        """So many virtual functions of a card."""
        driver, _ = self._cards[address]
        names = tuple(at(f"{address[:-1]}{number}") for number in range(1, count + 1))
        self._cards[address] = (driver, SriovCapability(7, count, names))

    def write(self, path: str, content: str) -> None:
        """A file says something else now; the same file."""
        (self.folder / path).write_text(f"{content}\n", "utf-8")

    def card_file(self, address: str, name: str, content: str | int) -> None:
        """A file of a card says something else now."""
        self.write(f"{self.tree.place_of(f'0000:{address}')}/{name}", str(content))

    def vm(self, number: int, *uses: Hostdev, drawn_on: str | None = None, gl: bool = False, **said: Any) -> str:
        """A running VM with these host devices, or drawn for on a card; its UUID."""
        graphics = (VmGraphics(Mode.VIRGL, at(drawn_on), text("tests.drawn")),) if drawn_on else ()
        screens = (Graphics("egl-headless", gl=True),) if gl else ()
        facts = {"uuid": uuid_of(number), "state": VmState.RUNNING, "hostdevs": uses, "graphics": graphics} | said
        self._vms.append(vm(**{"name": f"vm{number:03}", "screens": screens, **facts}))
        return uuid_of(number)

    def process(self, pid: int, *, name: str = "qemu-system-x86", number: int | None = None, parent: int = 1) -> None:
        """A process; with `number` the QEMU of that VM, in its control group."""
        place = f"proc/{pid}"
        self.tree.file(f"{place}/stat", f"{pid} ({name}) S {parent} {pid} {pid} 0 -1 4194560 1 2 3")
        scope = "/user.slice" if number is None else f"/machine.slice/machine-qemu\\x2d{number}\\x2dvm.scope/libvirt"
        self.tree.file(f"{place}/cgroup", f"0::{scope}")
        words = [name] if number is None else ["/usr/bin/qemu-system-x86_64", "-uuid", uuid_of(number), "-S"]
        self.tree.file(f"{place}/cmdline", b"\0".join(word.encode() for word in words) + b"\0")
        self.tree.folder_at(f"{place}/fd").folder_at(f"{place}/fdinfo")

    def join(self, pid: int, number: int) -> None:
        """The process is in the control group of that VM, without being its QEMU."""
        self.write(f"proc/{pid}/cgroup", f"0::/machine.slice/machine-qemu\\x2d{number}\\x2dvm.scope/libvirt")

    def client(self, pid: int, descriptor: int, card: str, client: int, *lines: str, driver: str = "amdgpu") -> None:
        """An open card file of a process, or what it says now."""
        link = self.folder / f"proc/{pid}/fd/{descriptor}"
        if not link.is_symlink():
            link.symlink_to("/dev/dri/renderD128")
        head = (
            f"pos:\t0\nflags:\t02100002\ndrm-driver:\t{driver}",
            f"drm-client-id:\t{client}",
            f"drm-pdev:\t0000:{card}",
        )
        self.tree.folder_at(f"proc/{pid}/fdinfo")
        self.write(f"proc/{pid}/fdinfo/{descriptor}", "\n".join((*head, *lines)))

    def end(self, pid: int) -> None:
        """The process is gone."""
        shutil.rmtree(self.folder / f"proc/{pid}")

    def host(self, **said: Any) -> Host:
        """The machine as a look at it would tell it."""
        cards = []
        others = []
        for address, (driver, sriov) in self._cards.items():
            maker = _MAKERS.get(driver, AMD)
            outputs = (output(connected=self.lit),)
            named = device(address, VGA, maker, driver=driver, name=self.names.get(address, "a device"))
            cards.append(gpu(named, sriov=sriov, outputs=outputs))
            others += [
                device(str(function), VGA, maker, driver="vfio-pci", physical=address)
                for function in (sriov.functions if sriov else ())
            ]
        return host(*cards, others=tuple(others), vms=tuple(self._vms), **said)

    def clock(self) -> float:
        """The time, for whoever asks for it."""
        return self.now
