# SPDX-License-Identifier: GPL-3.0-or-later
"""One tick in the OpenMetrics text format, for Prometheus and its kin. A format for programs: always English.

What is not known is left out: a zero would be a measurement. Names of VMs are whatever their owners chose, so they are
escaped and control characters in them are replaced.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from vitrail.model.reading import Known, Reading, Unknown
from vitrail.model.sample import CardSample, Sample, VmSample

_MIB = 1 << 20
_ESCAPED = {ord("\\"): "\\\\", ord('"'): '\\"', ord("\n"): "\\n"}

Labels = tuple[tuple[str, str], ...]
Number = float | int | None


@dataclass(frozen=True, slots=True)
class _Family:
    """One metric: its name ends in its unit, as the format demands."""

    name: str
    unit: str
    help: str


_CARD_LOAD = _Family("vitrail_card_load_ratio", "ratio", "How busy the card is, of all it can do.")
_CARD_ENGINE = _Family("vitrail_card_engine_load_ratio", "ratio", "How busy a part of the card is.")
_CARD_USED = _Family("vitrail_card_memory_used_bytes", "bytes", "Memory of the card in use.")
_CARD_TOTAL = _Family("vitrail_card_memory_size_bytes", "bytes", "Memory of the card in all.")
_CARD_HEAT = _Family("vitrail_card_temperature_celsius", "celsius", "Temperature of the card.")
_CARD_POWER = _Family("vitrail_card_power_watts", "watts", "Power that the card draws.")
_CARD_FAN = _Family("vitrail_card_fan_ratio", "ratio", "Speed of the card's fan, of its highest.")
_CARD_TURNS = _Family("vitrail_card_fan_rpm", "rpm", "Speed of the card's fan in turns a minute.")
_CARD_CLOCK = _Family("vitrail_card_clock_hertz", "hertz", "Clock of the card's graphics part.")
_VM_CARD = _Family("vitrail_vm_card_load_ratio", "ratio", "What the VM takes of the whole card.")
_VM_SHARE = _Family("vitrail_vm_share_load_ratio", "ratio", "What the VM takes of the share that it may use.")
_VM_USED = _Family("vitrail_vm_memory_used_bytes", "bytes", "Memory of the card that the VM uses.")
_VM_TOTAL = _Family("vitrail_vm_memory_share_bytes", "bytes", "Memory of the card that the VM may use.")
_VM_FRAMES = _Family("vitrail_vm_frame_rate_hertz", "hertz", "Pictures a second that leave the VM.")
_VM_LATENCY = _Family("vitrail_vm_frame_latency_seconds", "seconds", "Time that a picture takes out of the VM.")
_VM_CPU = _Family("vitrail_vm_cpu_ratio", "ratio", "Processor time of the VM, of one processor.")
_VM_WAIT = _Family("vitrail_vm_cpu_wait_ratio", "ratio", "Time that the VM's processors waited for one of the host.")
_VM_DISK = _Family("vitrail_vm_disk_wait_ratio", "ratio", "Time that the VM waited for its disks.")
_TAKEN = _Family("vitrail_sample_timestamp_seconds", "seconds", "When this was measured.")


def openmetrics(sample: Sample) -> bytes:
    """The whole text, with its end mark."""
    found: dict[_Family, dict[Labels, float | int]] = {_TAKEN: {(): round(sample.taken_at, 3)}}
    for family, labels, value in (*_cards(sample), *_vms(sample)):
        if value is not None:
            found.setdefault(family, {})[labels] = value
    lines = []
    for family, values in found.items():
        lines += [
            f"# TYPE {family.name} gauge",
            f"# UNIT {family.name} {family.unit}",
            f"# HELP {family.name} {family.help}",
            *(f"{family.name}{_labels(labels)} {value!r}" for labels, value in values.items()),
        ]
    return "\n".join((*lines, "# EOF", "")).encode("utf-8", "replace")


def _labels(labels: Labels) -> str:
    words = ",".join(f'{name}="{_escaped(value)}"' for name, value in labels)
    return f"{{{words}}}" if words else ""


def _escaped(value: str) -> str:
    visible = "".join(one if one == "\n" or one.isprintable() else "\ufffd" for one in value)
    return visible.translate(_ESCAPED)


_Row = tuple[_Family, Labels, Number]


def _cards(sample: Sample) -> Iterator[_Row]:
    if isinstance(sample.cards, Unknown):
        return
    for card in sample.cards.value:
        yield from _card(card, (("card", str(card.address)),))


def _card(card: CardSample, labels: Labels) -> Iterator[_Row]:
    yield _CARD_LOAD, labels, _ratio(card.load_percent)
    for engine in card.engines:
        yield _CARD_ENGINE, (*labels, ("engine", engine.name)), _part(engine.percent)
    yield _CARD_USED, labels, _bytes(card.memory_used_mib)
    yield _CARD_TOTAL, labels, _bytes(card.memory_total_mib)
    yield _CARD_HEAT, labels, _plain(card.temperature_c)
    yield _CARD_POWER, labels, _plain(card.power_w)
    yield _CARD_FAN, labels, _ratio(card.fan_percent)
    yield _CARD_TURNS, labels, _plain(card.fan_rpm)
    clock = _plain(card.clock_mhz)
    yield _CARD_CLOCK, labels, None if clock is None else clock * 1_000_000


def _vms(sample: Sample) -> Iterator[_Row]:
    if isinstance(sample.vms, Unknown):
        return
    times: dict[Labels, int] = {}
    told: set[str] = set()
    for vm in sample.vms.value:
        whose: Labels = (("vm", vm.name), ("uuid", vm.uuid))
        if vm.uuid not in told:
            told.add(vm.uuid)
            yield from _context(vm, whose)
        if vm.gpu is None:
            continue
        labels = (*whose, ("card", str(vm.gpu)), *((("told_by", vm.source.value),) if vm.source else ()))
        times[labels] = times.get(labels, 0) + 1
        # Two parts of one card in one VM: nothing else tells them apart.
        yield from _vm(vm, (*labels, ("part", str(times[labels]))) if times[labels] > 1 else labels)


def _vm(vm: VmSample, labels: Labels) -> Iterator[_Row]:
    yield _VM_CARD, labels, _ratio(vm.card_percent)
    yield _VM_SHARE, labels, _ratio(vm.share_percent)
    yield _VM_USED, labels, _bytes(vm.memory_used_mib)
    yield _VM_TOTAL, labels, _bytes(vm.memory_share_mib)
    yield _VM_FRAMES, labels, _plain(vm.frame_rate_fps)
    latency = _plain(vm.latency_ms)
    yield _VM_LATENCY, labels, None if latency is None else round(latency / 1000, 6)


def _context(vm: VmSample, labels: Labels) -> Iterator[_Row]:
    if vm.context is not None:
        yield _VM_CPU, labels, _ratio(vm.context.cpu_percent)
        yield _VM_WAIT, labels, _ratio(vm.context.vcpu_wait_percent)
        yield _VM_DISK, labels, _ratio(vm.context.disk_wait_percent)


def _plain(reading: Reading[float] | Reading[int] | None) -> Number:
    return reading.value if isinstance(reading, Known) else None


def _ratio(reading: Reading[float] | Reading[int] | None) -> Number:
    value = _plain(reading)
    return None if value is None else _part(value)


def _part(percent: float) -> float:
    return round(percent / 100, 5)


def _bytes(reading: Reading[int] | None) -> Number:
    return reading.value * _MIB if isinstance(reading, Known) else None
