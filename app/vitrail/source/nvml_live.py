# SPDX-License-Identifier: GPL-3.0-or-later
"""NVIDIA's library kept open, for questions that are asked every second: plain numbers out, one kind of failure.

Separate from `nvml`, which asks once and lets go. Where pynvml hands the library a variable of the wrong size, or takes
an empty list for a failure, the call is made here with pynvml's own structures; everything else is passed through.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from vitrail.model.pci import PciAddress

_SIZE, _VERSION = 7, 25
"""INSUFFICIENT_SIZE and ARGUMENT_VERSION_MISMATCH of nvmlReturn_t."""
_ID_BYTES = 80
_VM_IS_UUID = 1
_ROOM = 32
_MOST_ROOM = 4096
_CORE, _SENSOR_GPU = 0, 0
_PARTS = {0: "dVal", 1: "uiVal", 2: "ulVal", 3: "ullVal", 4: "sllVal", 5: "siVal", 6: "usVal"}
"""Which part of a value's union holds it, by nvmlValueType_t."""
_EXPIRES, _PERMANENT = 2, 4
"""nvmlVgpuLicenseExpiry's status; pynvml's own names of these are tuples, which equal no number."""


class NvmlFault(Enum):
    """What went wrong, as far as it differs for us; the numbers are nvmlReturn_t."""

    NO_PERMISSION = 4
    NOT_SUPPORTED = 3
    NOT_FOUND = 6
    NO_DRIVER = 9
    NO_LIBRARY = 12
    NO_FUNCTION = 13
    LOST = 15
    MISMATCH = 18
    OTHER = 999


class NvmlTrouble(Exception):
    """NVIDIA's library did not answer; `words` are its own."""

    def __init__(self, number: int, words: str) -> None:
        super().__init__(words)
        known = {fault.value for fault in NvmlFault}
        self.fault = NvmlFault(number) if number in known else NvmlFault.OTHER
        self.number = number
        self.words = words


@dataclass(frozen=True, slots=True)
class NvmlShare:
    """What of a vGPU stays as it is. `vm` is the domain's UUID where `vm_is_uuid`, else the hypervisor's own number."""

    number: int
    vm: str
    vm_is_uuid: bool
    mdev_uuid: str | None
    type_name: str
    memory_bytes: int
    fits: int
    """How many of its type the card holds."""


@dataclass(frozen=True, slots=True)
class NvmlLoad:
    """Load in percent of the whole card, of a vGPU (`number`) or a process (its pid), at the library's own time."""

    number: int
    at_us: int
    core: float
    memory: float
    encode: float
    decode: float


@dataclass(frozen=True, slots=True)
class NvmlLicence:
    """A vGPU's licence; `expires` is a date, `permanent`, or None where the library does not tell."""

    licensed: bool
    state: int
    expires: str | None


class NvmlLive:
    """The library, open from `open` to `close`. Every question may raise NvmlTrouble. Not for several threads."""

    def __init__(self, library: Any) -> None:
        self._nvml = library
        self._errors = (library.NVMLError, getattr(library, "NVMLLibraryMismatchError", library.NVMLError))
        self._room = _ROOM
        self._old_calls = False
        """Whether this driver knows only the older question for the load of vGPUs."""

    def open(self) -> None:
        """Load and open; wakes no card."""
        self._ask(self._nvml.nvmlInitWithFlags, 0)

    def close(self) -> None:
        """Let go of every card."""
        self._ask(self._nvml.nvmlShutdown)

    def card(self, address: PciAddress) -> Any:
        """The handle of this card alone; the others are not touched."""
        return self._ask(self._nvml.nvmlDeviceGetHandleByPciBusId, f"{address.domain:08x}{str(address)[-8:]}")

    def utilization(self, card: Any) -> tuple[int, int]:
        """Percent of the time that anything ran, and that the memory was read or written."""
        found = self._ask(self._nvml.nvmlDeviceGetUtilizationRates, card)
        return int(found.gpu), int(found.memory)

    def memory(self, card: Any) -> tuple[int, int]:
        """Bytes used and in all, what the driver keeps for itself left out where the library tells it apart."""
        try:
            found = self._ask(self._nvml.nvmlDeviceGetMemoryInfo, card, getattr(self._nvml, "nvmlMemory_v2", None))
        except NvmlTrouble as trouble:
            if trouble.fault not in (NvmlFault.NO_FUNCTION, NvmlFault.OTHER):
                raise
            found = self._ask(self._nvml.nvmlDeviceGetMemoryInfo, card)
        return int(found.used), int(found.total)

    def engine(self, card: Any, name: str) -> int:
        """Percent of the time that the `Encoder` or `Decoder` ran."""
        return int(self._ask(getattr(self._nvml, f"nvmlDeviceGet{name}Utilization"), card)[0])

    def temperature_c(self, card: Any) -> int:
        """Of the chip."""
        return int(self._ask(self._nvml.nvmlDeviceGetTemperature, card, _SENSOR_GPU))

    def power_mw(self, card: Any) -> int:
        """Of the whole board, now."""
        return int(self._ask(self._nvml.nvmlDeviceGetPowerUsage, card))

    def fan_percent(self, card: Any) -> int:
        """Of the first fan's most."""
        return int(self._ask(self._nvml.nvmlDeviceGetFanSpeed, card))

    def clock_mhz(self, card: Any) -> int:
        """Of the graphics part."""
        return int(self._ask(self._nvml.nvmlDeviceGetClockInfo, card, _CORE))

    def slowed_by(self, card: Any) -> int:
        """The bits of what holds the clocks down."""
        newer = getattr(self._nvml, "nvmlDeviceGetCurrentClocksEventReasons", None)
        try:
            return int(self._ask(newer or self._nvml.nvmlDeviceGetCurrentClocksThrottleReasons, card))
        except NvmlTrouble as trouble:
            if trouble.fault is not NvmlFault.NO_FUNCTION or newer is None:
                raise
            return int(self._ask(self._nvml.nvmlDeviceGetCurrentClocksThrottleReasons, card))

    def divided(self, card: Any) -> bool:
        """Whether the card is cut into instances (MIG), which have no load of the whole."""
        return bool(self._ask(self._nvml.nvmlDeviceGetMigMode, card)[0])

    def shares(self, card: Any) -> tuple[int, ...]:
        """The numbers of the vGPUs that run."""
        return tuple(self._ask(self._nvml.nvmlDeviceGetActiveVgpus, card))

    def share(self, card: Any, number: int) -> NvmlShare:
        """What this vGPU is and whose."""
        kind = self._ask(self._nvml.nvmlVgpuInstanceGetType, number)
        vm, vm_is_uuid = self._vm_of(number)
        try:
            mdev = _words(self._ask(self._nvml.nvmlVgpuInstanceGetMdevUUID, number)).lower() or None
        except NvmlTrouble:
            # A vGPU on a virtual function has none.
            mdev = None
        return NvmlShare(
            number,
            vm,
            vm_is_uuid,
            mdev,
            _words(self._ask(self._nvml.nvmlVgpuTypeGetName, kind)),
            int(self._ask(self._nvml.nvmlVgpuTypeGetFramebufferSize, kind)),
            int(self._ask(self._nvml.nvmlVgpuTypeGetMaxInstances, card, kind)),
        )

    def _vm_of(self, number: int) -> tuple[str, bool]:
        # pynvml says 128 bytes of a buffer that has 80.
        name, kind = ctypes.create_string_buffer(_ID_BYTES), ctypes.c_uint(0)
        self._call("nvmlVgpuInstanceGetVmID", number, name, ctypes.c_uint(_ID_BYTES), ctypes.byref(kind))
        return name.value.decode("utf-8", "replace").lower(), kind.value == _VM_IS_UUID

    def share_memory(self, number: int) -> int:
        """Bytes that this vGPU uses. pynvml has 32 bits for a number of 64: 6 GiB would be 2."""
        used = ctypes.c_ulonglong(0)
        self._call("nvmlVgpuInstanceGetFbUsage", number, ctypes.byref(used))
        return used.value

    def share_frames(self, number: int) -> tuple[int, int, int]:
        """Sessions that capture this vGPU's pictures, frames a second, latency in microseconds."""
        found = self._ask(self._nvml.nvmlVgpuInstanceGetFBCStats, number)
        return int(found.sessionsCount), int(found.averageFPS), int(found.averageLatency)

    def share_encoders(self, number: int) -> int:
        """How many videos this vGPU encodes."""
        return int(self._ask(self._nvml.nvmlVgpuInstanceGetEncoderStats, number)[0])

    def share_licence(self, number: int) -> NvmlLicence:
        """Whether this vGPU has a licence, and until when."""
        found = self._ask(self._nvml.nvmlVgpuInstanceGetLicenseInfo_v2, number)
        until, status = found.licenseExpiry, int(found.licenseExpiry.status)
        date = f"{until.year:04}-{until.month:02}-{until.day:02}" if status == _EXPIRES else None
        expires = "permanent" if status == _PERMANENT else date
        return NvmlLicence(bool(found.isLicensed), int(found.currentState), expires)

    def share_rule(self, card: Any) -> int:
        """How vGPUs take turns: nvml's number of the scheduler (1 whoever wants, 2 equal, 3 fixed)."""
        return int(self._ask(self._nvml.nvmlDeviceGetVgpuSchedulerState, card).schedulerPolicy)

    def share_loads(self, card: Any, since_us: int) -> tuple[NvmlLoad, ...]:
        """The newest load of each vGPU after this time; () where there is none newer."""
        if not self._old_calls and hasattr(self._nvml, "c_nvmlVgpuInstancesUtilizationInfo_v1_t"):
            try:
                return self._share_loads(card, since_us)
            except NvmlTrouble as trouble:
                if trouble.fault is not NvmlFault.NO_FUNCTION and trouble.number != _VERSION:
                    raise
                self._old_calls = True
        found, kind = self._older_share_loads(card, since_us)
        part = _PARTS.get(kind, "uiVal")
        return tuple(_load_of(one, part) for one in found)

    def _share_loads(self, card: Any, since_us: int) -> tuple[NvmlLoad, ...]:
        asked = self._nvml.c_nvmlVgpuInstancesUtilizationInfo_v1_t()
        while True:
            room = (self._nvml.c_nvmlVgpuInstanceUtilizationInfo_v1_t * self._room)()
            asked.version = self._nvml.VgpuInstancesUtilizationInfo_v1
            asked.vgpuInstanceCount = self._room
            asked.lastSeenTimeStamp = since_us
            asked.vgpuUtilArray = room
            try:
                self._call("nvmlDeviceGetVgpuInstancesUtilizationInfo", card, ctypes.byref(asked))
            except NvmlTrouble as trouble:
                if trouble.fault is NvmlFault.NOT_FOUND:
                    return ()
                if trouble.number != _SIZE or self._room >= _MOST_ROOM:
                    raise
                self._room *= 2
                continue
            part = _PARTS.get(int(asked.sampleValType), "uiVal")
            return tuple(_load_of(room[place], part) for place in range(min(asked.vgpuInstanceCount, self._room)))

    def _older_share_loads(self, card: Any, since_us: int) -> tuple[list[Any], int]:
        count, kind = ctypes.c_uint(0), ctypes.c_uint(1)
        since = ctypes.c_ulonglong(since_us)
        asked = "nvmlDeviceGetVgpuUtilization"
        try:
            self._call(asked, card, since, ctypes.byref(kind), ctypes.byref(count), None)
        except NvmlTrouble as trouble:
            if trouble.fault is NvmlFault.NOT_FOUND:
                return [], 1
            if trouble.number != _SIZE:
                raise
            room = (self._nvml.c_nvmlVgpuInstanceUtilizationSample_t * count.value)()
            self._call(asked, card, since, ctypes.byref(kind), ctypes.byref(count), room)
            return list(room[: count.value]), kind.value
        return [], 1

    def process_loads(self, card: Any, since_us: int) -> tuple[NvmlLoad, ...]:
        """The load of each process after this time; () where none used the card since."""
        try:
            found = self._ask(self._nvml.nvmlDeviceGetProcessUtilization, card, since_us)
        except NvmlTrouble as trouble:
            # pynvml raises "success" for an empty list.
            if trouble.number == 0 or trouble.fault is NvmlFault.NOT_FOUND:
                return ()
            raise
        return tuple(
            NvmlLoad(int(one.pid), int(one.timeStamp), one.smUtil, one.memUtil, one.encUtil, one.decUtil)
            for one in found
        )

    def process_memory(self, card: Any) -> dict[int, int]:
        """Bytes of the card that each process has that draws or computes on it."""
        found: dict[int, int] = {}
        for question in ("nvmlDeviceGetGraphicsRunningProcesses", "nvmlDeviceGetComputeRunningProcesses"):
            for one in self._ask(getattr(self._nvml, question), card):
                # A program that does both is in both lists with the same memory.
                found[int(one.pid)] = max(found.get(int(one.pid), 0), int(one.usedGpuMemory or 0))
        return found

    def _ask(self, question: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return question(*arguments)
        except self._errors as error:
            number = getattr(error, "value", NvmlFault.NO_FUNCTION.value)
            raise NvmlTrouble(int(number), str(error)) from None

    def _call(self, name: str, *arguments: Any) -> None:
        """The library's own function, with our variables."""
        function = self._ask(self._nvml._nvmlGetFunctionPointer, name)  # noqa: SLF001 - its loader, not its wrapper
        number = int(function(*arguments))
        if number:
            raise NvmlTrouble(number, str(self._nvml.NVMLError(number)))


def _load_of(one: Any, part: str) -> NvmlLoad:
    return NvmlLoad(
        int(one.vgpuInstance),
        int(one.timeStamp),
        float(getattr(one.smUtil, part)),
        float(getattr(one.memUtil, part)),
        float(getattr(one.encUtil, part)),
        float(getattr(one.decUtil, part)),
    )


def _words(value: str | bytes) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value
