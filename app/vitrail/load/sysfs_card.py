# SPDX-License-Identifier: GPL-3.0-or-later
"""Card values that a driver shows as files: amdgpu's load and memory, every driver's sensors (hwmon), the PCIe link.

Which files a card has is looked up once; after that a tick reads those and no others.
"""

from __future__ import annotations

from dataclasses import dataclass

from vitrail.load.numbers import mib, read_number, scaled
from vitrail.load.power import PCI
from vitrail.model.pci import PciAddress
from vitrail.model.reading import Known, Reading, Unknown
from vitrail.model.sample import CardSample
from vitrail.model.text import text
from vitrail.source.kept_files import KeptFiles
from vitrail.source.root import Root

_POWER = ("power1_average", "power1_input")
_MICRO, _MILLI, _MHZ = 1_000_000, 1_000, 1_000_000
_MOST_PWM = 255
_NO_TOTAL = Unknown(text("load.unsupported.memory"))


@dataclass(frozen=True, slots=True)
class _Sensors:
    """Which of its sensors a card has, as paths."""

    temperature: str | None
    power: str | None
    fan: str | None
    pwm: str | None
    clock: str | None


class SysfsCard:
    """One card, by its files."""

    def __init__(self, root: Root, files: KeptFiles, address: PciAddress, driver: str | None) -> None:
        self._files = files
        self._address = address
        self._folder = f"{PCI}/{address}"
        self._driver = driver or "-"
        self._busy = driver == "amdgpu"
        self._used, self._total = (f"{self._folder}/mem_info_vram_{name}" for name in ("used", "total"))
        self._percent = f"{self._folder}/gpu_busy_percent"
        self._sensors = _find_sensors(root, self._folder)
        self._has_link = root.exists(f"{self._folder}/current_link_speed")

    def sample(self, load: Reading[float] | None = None) -> CardSample:
        """What it does now. `load`: from whoever else knows it."""
        sensors, read = self._sensors, self._number
        return CardSample(
            self._address,
            load if load is not None else self._load(),
            mib(read(self._used)) if self._busy else _NO_TOTAL,
            mib(read(self._total)) if self._busy else _NO_TOTAL,
            temperature_c=scaled(read(sensors.temperature), _MILLI) if sensors.temperature else None,
            power_w=scaled(read(sensors.power), _MICRO) if sensors.power else None,
            fan_percent=_percent_of(read(sensors.pwm)) if sensors.pwm else None,
            fan_rpm=read(sensors.fan) if sensors.fan else None,
            clock_mhz=_mhz(read(sensors.clock)) if sensors.clock else None,
            pcie_link=self.link(),
        )

    def _number(self, path: str) -> Reading[int]:
        return read_number(self._files, path)

    def _load(self) -> Reading[float]:
        if not self._busy:
            return Unknown(text("load.unsupported.card", driver=self._driver))
        return scaled(self._number(self._percent), 1)

    def link(self) -> Reading[str] | None:
        """The PCIe link as it is now, None where this card has none. Reading it wakes the card."""
        if not self._has_link:
            return None
        path = f"{self._folder}/current_link_speed"
        try:
            speed = self._files.read(path).decode("ascii", "replace").strip()
            width = self._files.read(f"{self._folder}/current_link_width").decode("ascii", "replace").strip()
        except OSError:
            return Unknown(text("load.unsupported.no-file", path=f"/{path}"))
        return Known(f"{speed} x{width}", f"/{path}")


def _find_sensors(root: Root, folder: str) -> _Sensors:
    try:
        places = [f"{folder}/hwmon/{name}" for name in root.names(f"{folder}/hwmon")]
        found = {name: f"{place}/{name}" for place in places[::-1] for name in root.names(place)}
    except OSError:
        found = {}
    power = next((found[name] for name in _POWER if name in found), None)
    return _Sensors(
        found.get("temp1_input"), power, found.get("fan1_input"), found.get("pwm1"), found.get("freq1_input")
    )


def _percent_of(pwm: Reading[int]) -> Reading[int]:
    return pwm if isinstance(pwm, Unknown) else Known(round(pwm.value * 100 / _MOST_PWM), pwm.source)


def _mhz(hertz: Reading[int]) -> Reading[int]:
    return hertz if isinstance(hertz, Unknown) else Known(hertz.value // _MHZ, hertz.source)
