# SPDX-License-Identifier: GPL-3.0-or-later
"""Counters of the kernel's performance monitoring units, of which some drivers make one for their card.

Python has no call for it and a library would be one more dependency for one system call: the structure is filled and
handed over here. The counters are of the whole machine, so the kernel wants CAP_PERFMON or a low
perf_event_paranoid.
"""

from __future__ import annotations

import ctypes
import os
import platform
import sys
from functools import cache

_SYSCALL = {"x86_64": 298, "aarch64": 241, "ppc64le": 319, "riscv64": 241, "s390x": 331}
_ATTRIBUTE_BYTES = 112
"""PERF_ATTR_SIZE_VER5; a kernel takes any size that it knows."""
_CLOSE_ON_EXEC = 8
_NO_GROUP = -1
_EVERY_PROCESS = -1


def open_counter(pmu_type: int, config: int, cpu: int = 0) -> int:
    """A descriptor that counts this event from now on. Raises OSError: EACCES where it is not permitted."""
    number = _SYSCALL.get(platform.machine())
    if number is None:
        raise OSError(38, os.strerror(38))
    attribute = bytearray(_ATTRIBUTE_BYTES)
    attribute[0:4] = pmu_type.to_bytes(4, sys.byteorder)
    attribute[4:8] = _ATTRIBUTE_BYTES.to_bytes(4, sys.byteorder)
    attribute[8:16] = config.to_bytes(8, sys.byteorder)
    given = (ctypes.c_char * _ATTRIBUTE_BYTES).from_buffer(attribute)
    descriptor = int(_call()(number, ctypes.byref(given), _EVERY_PROCESS, cpu, _NO_GROUP, _CLOSE_ON_EXEC))
    if descriptor < 0:
        failed = ctypes.get_errno()
        raise OSError(failed, os.strerror(failed))
    return descriptor


def read_counter(descriptor: int) -> int:
    """How far it has counted. Raises OSError."""
    return int.from_bytes(os.read(descriptor, 8), sys.byteorder)


@cache
def _call() -> ctypes._NamedFuncPointer:
    function = ctypes.CDLL(None, use_errno=True).syscall
    function.restype = ctypes.c_long
    function.argtypes = (
        *(ctypes.c_long, ctypes.c_void_p, ctypes.c_int, ctypes.c_int, ctypes.c_int),
        ctypes.c_ulong,
    )
    return function
