# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with the load now and lately: the past of each card and VM, judged. To be asked now and then."""

from __future__ import annotations

from dataclasses import dataclass

from vitrail.judge.trouble import judge_full, judge_growth, judge_saturation, judge_unused
from vitrail.load.history import History, card_key, vm_key
from vitrail.model.finding import Finding
from vitrail.model.machine import Host
from vitrail.model.pci import PciAddress
from vitrail.model.reading import Known, Reading
from vitrail.model.sample import LoadPoint, LoadSource, Sample, VmSample

_SHARES = (LoadSource.NVML_SHARE, LoadSource.PMU)


@dataclass(frozen=True, slots=True)
class Trouble:
    """A finding with the points that it rests on, and what of them it judges."""

    finding: Finding
    key: str
    card: PciAddress
    points: tuple[LoadPoint, ...]
    of_memory: bool = False
    total_mib: int | None = None


def findings_of_load(sample: Sample, history: History, host: Host) -> tuple[Finding, ...]:
    """Warnings about every card and VM of this sample, the cards first."""
    return tuple(trouble.finding for trouble in troubles_of_load(sample, history, host))


def troubles_of_load(sample: Sample, history: History, host: Host) -> tuple[Trouble, ...]:
    """The same with what can be plotted as evidence."""
    cards = sample.cards.value if isinstance(sample.cards, Known) else ()
    vms = sample.vms.value if isinstance(sample.vms, Known) else ()
    found: list[Trouble] = []
    for card in cards:
        key = card_key(card.address)
        fine = history.fine(key)
        finding = judge_saturation(_name(host, card.address), fine)
        found += () if finding is None else (Trouble(finding, key, card.address, fine),)
    for vm in vms:
        found += _of_vm(vm, history)
    return tuple(found)


def _of_vm(vm: VmSample, history: History) -> list[Trouble]:
    if vm.gpu is None:
        return []
    key = vm_key(vm.uuid, vm.gpu)
    fine, total = history.fine(key), _total(vm.memory_share_mib)
    grows = judge_full(vm.name, fine, total) or judge_growth(vm.name, fine, total)
    found = [] if grows is None else [Trouble(grows, key, vm.gpu, fine, of_memory=True, total_mib=total)]
    if vm.source in _SHARES:
        minutes = history.condensed(key)
        unused = judge_unused(vm.name, minutes)
        found += [] if unused is None else [Trouble(unused, key, vm.gpu, minutes)]
    return found


def _total(share: Reading[int] | None) -> int | None:
    return share.value if isinstance(share, Known) else None


def _name(host: Host, address: PciAddress) -> str:
    gpu = host.gpu_at(address)
    return (gpu.device.common_name if gpu is not None else None) or address.short
