# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds the stand-in for NVIDIA's library and puts it behind the real pynvml, in this process and for a while."""

from __future__ import annotations

import ctypes
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path

import pynvml

_SOURCE = Path(__file__).with_name("nvml.c")


class Card(IntEnum):
    """What a card is set to have; the order of the C file."""

    GPU = 0
    MEMORY_BUSY = 1
    USED = 2
    TOTAL = 3
    HEAT = 4
    POWER = 5
    FAN = 6
    CLOCK = 7
    REASONS = 8
    MIG = 9
    RULE = 10
    FAILS = 11
    FANLESS = 12


class Share(IntEnum):
    """What a vGPU is set to have."""

    FRAMEBUFFER = 0
    SESSIONS = 1
    FPS = 2
    LATENCY = 3
    LICENSED = 4
    LICENCE_STATE = 5
    EXPIRY = 6
    ENCODERS = 7


def build(folder: Path, *, older: bool = False) -> Path:
    """Compile it as libnvidia-ml.so.1, as an old driver has it or as a new one."""
    folder.mkdir(exist_ok=True)
    library = folder / "libnvidia-ml.so.1"
    words = ["cc", "-shared", "-fPIC", "-O1", "-w", "-Wl,-soname,libnvidia-ml.so.1", *(["-DOLDER"] if older else [])]
    subprocess.run([*words, "-o", str(library), str(_SOURCE)], check=True, capture_output=True)
    return library


class Fake:
    """The stand-in, as a test sets it."""

    def __init__(self, path: Path) -> None:
        self.library = ctypes.CDLL(str(path))
        self.library.fake_reset()

    def fails_to_open(self, result: int) -> None:
        """What opening gives from now on."""
        self.library.fake_init_result(result)

    def card(self, bus: str, **values: int) -> int:
        """A card at `0000:01:00.0`."""
        place = int(self.library.fake_card(f"0000{bus}".encode()))
        self.set(place, **values)
        return place

    def set(self, card: int, **values: int) -> None:
        """Change what the card says."""
        for name, value in values.items():
            self.library.fake_set(card, Card[name.upper()].value, ctypes.c_ulonglong(value))

    def share(self, number: int, card: int, vm: str, *, gib: int = 4, mdev: str = "", vm_type: int = 1) -> int:
        """A vGPU of so many GiB on the card, of the VM with this UUID."""
        return int(self.library.fake_share(number, card, gib, vm.encode(), vm_type, mdev.encode()))

    def set_share(self, place: int, **values: int) -> None:
        """Change what the vGPU says."""
        for name, value in values.items():
            self.library.fake_share_set(place, Share[name.upper()].value, ctypes.c_ulonglong(value))

    def load(self, place: int, at_us: int, core: int, *others: int) -> None:
        """What the vGPU did, at the library's own time; `others`: memory, encoding, decoding."""
        self.library.fake_share_load(place, ctypes.c_ulonglong(at_us), core, *(*others, 0, 0, 0)[:3])

    def process(self, card: int, pid: int, at_us: int, core: int, mib: int) -> None:
        """A process on the card."""
        self.library.fake_process(card, pid, ctypes.c_ulonglong(at_us), core, ctypes.c_ulonglong(mib << 20))

    def end_last_share(self) -> None:
        """The vGPU that was made last is gone."""
        self.library.fake_share_ends()

    def hold(self, descriptor: int) -> None:
        """Every question about a card hangs until a byte can be read there; then all is as before."""
        self.library.fake_hold(descriptor)

    def attached(self, card: int) -> int:
        """How often the card's handle was asked for, which wakes a real card."""
        return int(self.library.fake_attached(card))

    @property
    def open(self) -> int:
        """How often it is open now."""
        return int(self.library.fake_open())

    @property
    def calls(self) -> int:
        """How many questions were asked of cards and vGPUs."""
        return int(self.library.fake_calls())


@contextmanager
def behind_pynvml(path: Path) -> Iterator[Fake]:
    """Pynvml with this library loaded, as if the loader had found it."""
    fake = Fake(path)
    before = pynvml.nvmlLib
    pynvml.nvmlLib = fake.library
    pynvml._nvmlGetFunctionPointer_cache.clear()
    try:
        yield fake
    finally:
        pynvml.nvmlLib = before
        pynvml._nvmlGetFunctionPointer_cache.clear()
