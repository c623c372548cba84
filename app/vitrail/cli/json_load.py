# SPDX-License-Identifier: GPL-3.0-or-later
"""`load --json`: one tick as one object. There are no nulls: what does not apply to a card or VM is left out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from vitrail.cli.json_runs import utc
from vitrail.cli.json_values import Json, json_reading
from vitrail.model.reading import Known, Unknown
from vitrail.model.sample import CardSample, Sample, VmSample

T = TypeVar("T")


def json_load(sample: Sample) -> Json:
    """Everything that was measured, and why the rest was not."""
    return {
        "taken_at": utc(sample.taken_at),
        "gpus": json_reading(sample.cards, lambda cards: [_card(card) for card in cards]),
        "vms": json_reading(sample.vms, lambda vms: [_vm(vm) for vm in vms]),
    }


def _card(card: CardSample) -> Json:
    told: Json = {"address": str(card.address)}
    _put(told, "load_percent", card.load_percent, _tenth)
    _put(told, "memory_used_mib", card.memory_used_mib)
    _put(told, "memory_total_mib", card.memory_total_mib)
    if card.engines:
        told["engines"] = [{"name": engine.name, "load_percent": _tenth(engine.percent)} for engine in card.engines]
    _put(told, "temperature_c", card.temperature_c, _tenth)
    _put(told, "power_w", card.power_w, _tenth)
    _put(told, "fan_percent", card.fan_percent)
    _put(told, "fan_rpm", card.fan_rpm)
    _put(told, "clock_mhz", card.clock_mhz)
    _put(told, "slowed_by", card.slowed_by, list)
    _put(told, "pcie_link", card.pcie_link)
    return told


def _vm(vm: VmSample) -> Json:
    told: Json = {"uuid": vm.uuid, "name": vm.name}
    if vm.gpu is not None:
        told["gpu"] = str(vm.gpu)
    if vm.source is not None:
        told["source"] = vm.source.value
    if vm.load is not None:
        load, of = vm.load
        _put(told, "load_percent", load, _tenth)
        told["of"] = of.value
    _put(told, "memory_used_mib", vm.memory_used_mib)
    _put(told, "frame_rate_fps", vm.frame_rate_fps, _tenth)
    _put(told, "latency_ms", vm.latency_ms, _tenth)
    return told


def _put(told: Json, key: str, reading: Known[T] | Unknown | None, form: Callable[[T], Any] | None = None) -> None:
    if reading is not None:
        told[key] = json_reading(reading, form)


def _tenth(value: float) -> float:
    return round(value, 1)
