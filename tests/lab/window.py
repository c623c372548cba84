# SPDX-License-Identifier: GPL-3.0-or-later
"""Vitrail's window in a lab machine, used as a user does: words are read on the screen, and clicked by the X server."""

from __future__ import annotations

import json
import shutil
import struct
import time
import zlib
from dataclasses import dataclass
from pathlib import Path

from lab.machine import Machine
from lab.mailbox import PAUSE_S, LabError, LateError

_FOLDER = "/run/desktop"
_LIMIT_S = 180.0
_ASK = (
    f"rm -f {_FOLDER}/said; touch {_FOLDER}/ask; "
    f"for _ in $(seq 1 600); do [ -e {_FOLDER}/said ] && exec cat {_FOLDER}/said; "
    f"[ -d /proc/$(cat {_FOLDER}/pid) ] || break; sleep 0.1; done; tail -n 40 {_FOLDER}/vitrail.log >&2; exit 1"
)
_SCROLLS = 20
_LINES_A_SCROLL = 3


@dataclass(frozen=True, slots=True)
class Shown:
    """Words on the screen; `reach`: a click at this place meets them."""

    words: str
    button: bool
    enabled: bool
    reach: bool
    x: int
    y: int


class Desktop:
    """A virtual screen with the real window on it. Pictures are kept beside the machine's consoles."""

    def __init__(self, machine: Machine, pictures: Path) -> None:
        self._machine = machine
        self._pictures = pictures
        self._taken = 0
        # Pictures of an earlier run would look like this one's.
        shutil.rmtree(pictures, ignore_errors=True)
        pictures.mkdir(parents=True)
        machine.run("bash /mnt/lab/guest/desktop")

    def shown(self) -> list[Shown]:
        """Everything in the window in front that has words."""
        return [Shown(**one) for one in json.loads(self._machine.run(_ASK).output)]

    def wait(self, words: str, limit_s: float = _LIMIT_S) -> None:
        """Until something on the screen holds these words."""
        self._find(words, limit_s, button=False)

    def click(self, words: str, limit_s: float = _LIMIT_S) -> None:
        """Click the button of these words, or the row whose first sentence they are; scroll to it, and wait for it."""
        found = self._find(words, limit_s, button=True)
        for _ in range(_SCROLLS):
            if found.reach:
                self._pointer(f"mousemove {found.x} {found.y} click 1")
                return
            self._pointer("mousemove 640 500 click --repeat 3 5")
            found = self._find(words, limit_s, button=True)
        raise LabError(f"{words!r} cannot be reached; on the screen: {self._all_words()}")

    def picture(self, name: str) -> Path:
        """Keep the screen as it is."""
        self._taken += 1
        raw = self._machine.folder / "mailbox" / "screen.xwd"
        self._machine.run(f"cp {_FOLDER}/Xvfb_screen0 /mnt/mailbox/screen.xwd")
        target = self._pictures / f"{self._taken:02d}-{name}.png"
        target.write_bytes(png_of_xwd(raw.read_bytes()))
        raw.unlink()
        return target

    def _find(self, words: str, limit_s: float, *, button: bool) -> Shown:
        began = time.monotonic()
        while True:
            for one in self.shown():
                if _fits(one, words, button=button):
                    return one
            if time.monotonic() - began > limit_s:
                self.picture("failed")
                log = self._machine.run(f"tail -n 30 {_FOLDER}/vitrail.log").output
                raise LateError(f"no {words!r} after {limit_s:.0f} s; on the screen: {self._all_words()}\n{log}")
            time.sleep(PAUSE_S)

    def _all_words(self) -> list[str]:
        return [one.words[:80] for one in self.shown()]

    def _pointer(self, words: str) -> None:
        self._machine.run(f"DISPLAY=:7 xdotool {words}")


def _fits(one: Shown, words: str, *, button: bool) -> bool:
    if button:
        said, wanted = one.words.casefold(), words.casefold()
        return one.button and one.enabled and (said == wanted or said.startswith((f"{wanted}.", f"{wanted},")))
    return words in one.words


def png_of_xwd(raw: bytes) -> bytes:
    """The frame buffer of an X server of 24 bits, as a picture that everything opens."""
    header = struct.unpack(">25I", raw[:100])
    size, width, height, line, colours = header[0], header[4], header[5], header[12], header[19]
    pixels = memoryview(raw)[size + colours * 12 :]
    lines = bytearray()
    for row in range(height):
        one = pixels[row * line : row * line + width * 4]
        rgb = bytearray(width * 3)
        rgb[0::3], rgb[1::3], rgb[2::3] = one[2::4], one[1::4], one[0::4]
        lines += b"\0" + rgb
    parts = ((b"IHDR", struct.pack(">2I5B", width, height, 8, 2, 0, 0, 0)), (b"IDAT", zlib.compress(bytes(lines))))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in (*parts, (b"IEND", b"")))


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
