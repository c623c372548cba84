# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a card may be asked: most questions wake a sleeping one, and some keep it from falling asleep.

The kernel's own word (`power/runtime_status`) is read first and wakes nothing. A card that may sleep by itself
(`power/control` says `auto`), feeds no screen and has done nothing for a while is left alone for a while, or it would
never sleep.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from vitrail.model.pci import PciAddress
from vitrail.model.reading import Unknown
from vitrail.model.text import text
from vitrail.source.kept_files import KeptFiles

PCI = "sys/bus/pci/devices"
ASLEEP = Unknown(text("load.idle.asleep"))
LEFT_ALONE = Unknown(text("load.idle.left-alone"))
GONE = Unknown(text("load.failed.gone"))
_AWAKE = ("active", "unsupported")
_QUIET_S = 10.0
_LEFT_ALONE_S = 20.0


@dataclass(slots=True)
class CardPower:
    """One card's sleep."""

    address: PciAddress
    files: KeptFiles
    lit: bool = False
    """Whether it feeds a screen."""
    _quiet_since: float | None = field(default=None)
    _left_until: float = field(default=0.0)
    _folder: str = field(init=False)
    _status: str = field(init=False)

    def __post_init__(self) -> None:
        self._folder = f"{PCI}/{self.address}"
        self._status = f"{self._folder}/power/runtime_status"

    def silent(self, now: float) -> Unknown | None:
        """Why this card is not asked now; None where it may be."""
        try:
            status = self.files.read(self._status).strip().decode("ascii", "replace")
        except FileNotFoundError:
            # A kernel without power management never lets a card sleep; a card that is gone has no class either.
            return None if self._is_there() else GONE
        except OSError:
            return GONE
        if status not in _AWAKE:
            self._quiet_since = None
            return ASLEEP
        return LEFT_ALONE if now < self._left_until else None

    def _is_there(self) -> bool:
        try:
            return bool(self.files.read(f"{self._folder}/class"))
        except OSError:
            return False

    def measured(self, percent: float | None, now: float) -> None:
        """What it did just now; a card that could sleep and does nothing is left alone from some time on."""
        if percent is None or percent > 0:
            self._quiet_since = None
            return
        if self._quiet_since is None:
            self._quiet_since = now
        elif now - self._quiet_since >= _QUIET_S and self._may_sleep():
            self._quiet_since, self._left_until = None, now + _LEFT_ALONE_S

    def _may_sleep(self) -> bool:
        if self.lit:
            return False
        try:
            return self.files.read(f"{self._folder}/power/control").strip() == b"auto"
        except OSError:
            return False
