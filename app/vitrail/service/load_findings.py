# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with the load now and lately: the past of each card and VM, judged. To be asked now and then."""

from __future__ import annotations

from vitrail.judge.trouble import judge_full, judge_growth, judge_saturation, judge_unused
from vitrail.load.history import History, card_key, vm_key
from vitrail.model.finding import Finding
from vitrail.model.machine import Host
from vitrail.model.pci import PciAddress
from vitrail.model.reading import Known, Reading
from vitrail.model.sample import LoadSource, Sample, VmSample

_SHARES = (LoadSource.NVML_SHARE, LoadSource.PMU)


def findings_of_load(sample: Sample, history: History, host: Host) -> tuple[Finding, ...]:
    """Warnings about every card and VM of this sample, the cards first."""
    cards = sample.cards.value if isinstance(sample.cards, Known) else ()
    vms = sample.vms.value if isinstance(sample.vms, Known) else ()
    found = [judge_saturation(_name(host, card.address), history.fine(card_key(card.address))) for card in cards]
    for vm in vms:
        found += _of_vm(vm, history)
    return tuple(finding for finding in found if finding is not None)


def _of_vm(vm: VmSample, history: History) -> list[Finding | None]:
    if vm.gpu is None:
        return []
    key = vm_key(vm.uuid, vm.gpu)
    fine, total = history.fine(key), _total(vm.memory_share_mib)
    found = [judge_full(vm.name, fine, total) or judge_growth(vm.name, fine, total)]
    if vm.source in _SHARES:
        found.append(judge_unused(vm.name, history.condensed(key)))
    return found


def _total(share: Reading[int] | None) -> int | None:
    return share.value if isinstance(share, Known) else None


def _name(host: Host, address: PciAddress) -> str:
    gpu = host.gpu_at(address)
    return (gpu.device.common_name if gpu is not None else None) or address.short
