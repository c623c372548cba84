# SPDX-License-Identifier: GPL-3.0-or-later
"""`scan --json`: the machine as one document."""

from __future__ import annotations

from typing import Any

from vitrail.cli.json_values import Json, json_reading, json_unknown, say
from vitrail.model.machine import Gpu, Holder, Holders, Host, IommuGroup, Output, PciDevice
from vitrail.model.pci import PciClass
from vitrail.model.text import text
from vitrail.model.verdict import GroupVerdict
from vitrail.model.vm import Vm, VmGraphics


def json_scan(host: Host, verdicts: tuple[GroupVerdict, ...]) -> Json:
    """Everything that was seen, and what each IOMMU group allows."""
    verdict_of = {verdict.number: verdict for verdict in verdicts}
    return {
        "host": _host(host),
        "gpus": json_reading(host.gpus, lambda cards: [_gpu(card) for card in cards]),
        "groups": json_reading(host.groups, lambda groups: [_group(group, verdict_of) for group in groups]),
        "vms": json_reading(host.vms, lambda vms: [_vm(vm) for vm in vms]),
    }


def _host(host: Host) -> Json:
    return {
        "kernel": json_reading(host.kernel),
        "cmdline": json_reading(host.cmdline),
        "virtual": json_reading(host.virtual),
        "iommu": {"active": json_reading(host.iommu.active), "kind": json_reading(host.iommu.kind)},
        "boot": {
            "loader": json_reading(host.boot.loader),
            "stack": json_reading(host.boot.stack),
            "initramfs": json_reading(host.boot.initramfs),
            "secure_boot": json_reading(host.boot.secure_boot),
        },
    }


def json_id(number: int | None) -> Any:
    """A vendor's or device's id in four digits, as lspci prints it."""
    return json_unknown(text("cli.not-in-listing")) if number is None else f"{number:04x}"


def json_class(pci_class: PciClass) -> Any:
    """Base class and subclass in four digits, `0300` for VGA, as lspci prints them."""
    return json_id(pci_class.short)


def _gpu(gpu: Gpu) -> Json:
    device = gpu.device
    return {
        "address": str(gpu.address),
        "vendor_id": json_id(device.identity.vendor_id),
        "device_id": json_id(device.identity.device_id),
        "vendor": json_reading(device.vendor_name),
        "name": json_reading(device.name),
        "class": json_class(device.pci_class),
        "driver": json_reading(device.driver),
        "boot_vga": json_reading(gpu.boot_vga),
        "vram_mib": json_reading(gpu.vram_mib),
        "outputs": json_reading(gpu.outputs, lambda outputs: [_output(output) for output in outputs]),
        "iommu_group": json_reading(device.group),
        "functions": [
            {"address": str(function.address), "class": json_class(function.pci_class)} for function in gpu.functions
        ],
        "physical_function": None if device.physical_function is None else str(device.physical_function),
        "reset_methods": json_reading(gpu.reset_methods, list),
        "used_by": json_reading(gpu.holders, _holders),
    }


def _output(output: Output) -> Json:
    return {
        "connector": output.connector,
        "status": json_reading(output.status),
        "display": json_reading(output.display),
    }


def _holders(holders: Holders) -> Any:
    if not holders.seen and holders.processes_not_seen:
        # An empty list would say that nobody uses the card; some processes could not be asked.
        return json_unknown(text("cli.processes-not-seen", count=holders.processes_not_seen))
    return [_holder(holder) for holder in holders.seen]


def _holder(holder: Holder) -> Json:
    return {"kind": holder.kind.value, "name": holder.name, "pid": holder.pid, "uuid": holder.uuid}


def _group(group: IommuGroup, verdict_of: dict[int | None, GroupVerdict]) -> Json:
    verdict = verdict_of[group.number]
    return {
        "number": group.number,
        "members": [_member(device) for device in group.members],
        "verdict": verdict.isolation.value,
        "reasons": [say(reason) for reason in verdict.reasons],
    }


def _member(device: PciDevice) -> Json:
    return {
        "address": str(device.address),
        "class": json_class(device.pci_class),
        "name": json_reading(device.name),
        "driver": json_reading(device.driver),
    }


def _vm(vm: Vm) -> Json:
    return {
        "uuid": vm.uuid,
        "name": vm.name,
        "state": json_reading(vm.state),
        "graphics": [json_graphics(item) for item in vm.graphics],
    }


def json_graphics(item: VmGraphics) -> Json:
    """One thing that gives the VM a picture."""
    return {
        "mode": "other" if item.mode is None else item.mode.value,
        "gpu": None if item.gpu is None else str(item.gpu),
        "detail": say(item.detail),
    }
