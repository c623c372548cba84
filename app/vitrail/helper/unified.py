# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the initramfs lies in a unified kernel image: a program for the firmware with sections of their own names."""

from __future__ import annotations

import os
import struct

from vitrail.helper.cpio import CpioError

_PROGRAM, _SIGN = b"MZ", b"PE\0\0"
_POINTER = 0x3C
_HEADER = struct.Struct("<4sHHIIIHH")
_SECTION = struct.Struct("<8sIIIIIIHHI")
_MOST_SECTIONS = 96


def initrd_inside(descriptor: int) -> tuple[int, int] | None:
    """Where the initramfs begins and ends in this file, None where the file is no program. Raises CpioError."""
    if os.pread(descriptor, 2, 0) != _PROGRAM:
        return None
    try:
        (start,) = struct.unpack("<I", os.pread(descriptor, 4, _POINTER))
        sign, _, count, _, _, _, optional, _ = _HEADER.unpack(os.pread(descriptor, _HEADER.size, start))
        table = os.pread(descriptor, _SECTION.size * count, start + _HEADER.size + optional)
        if sign != _SIGN or count > _MOST_SECTIONS:
            raise CpioError("program")
        for name, size, _, raw_size, offset, *_ in _SECTION.iter_unpack(table):
            if name.rstrip(b"\0") == b".initrd":
                return offset, offset + min(size, raw_size)
    except struct.error as error:
        raise CpioError("program") from error
    raise CpioError("no-initrd")
