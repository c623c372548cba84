# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of a VM's host devices are graphics cards of this machine: what its XML alone cannot tell.

Apart from reading either side, because it joins the two: the same VM read against another machine has other graphics.
"""

from __future__ import annotations

from dataclasses import replace

from vitrail.model.machine import Host
from vitrail.model.mode import Mode
from vitrail.model.reading import Known, known_or
from vitrail.model.text import text
from vitrail.model.vm import Hostdev, Vm, VmGraphics

_GVT_G = "i915-GVTg"


def with_host_facts(vm: Vm, host: Host) -> Vm:
    """The VM with its cards on this host among its graphics, cards first; the same VM where nothing is to be added."""
    if not vm.hostdevs and not any(one.mode is Mode.VGPU for one in vm.graphics):
        return vm
    given = tuple(one for one in (_given(hostdev, host) for hostdev in vm.hostdevs) if one is not None)
    mediated = _mediated(host)
    other = tuple(
        mediated.get(_uuid(one), one) if one.mode is Mode.VGPU else one for one in vm.graphics if one not in given
    )
    return replace(vm, graphics=given + other) if given + other != vm.graphics else vm


def with_cards_of_vms(host: Host) -> Host:
    """The host with all its VMs read against it."""
    if not isinstance(host.vms, Known):
        return host
    vms = tuple(with_host_facts(vm, host) for vm in host.vms.value)
    return replace(host, vms=Known(vms, host.vms.source))


def _given(hostdev: Hostdev, host: Host) -> VmGraphics | None:
    if hostdev.pci is None:
        return None
    device = host.device_at(hostdev.pci)
    whole = device.physical_function if device is not None else None
    cards = {card.address for card in known_or(host.gpus, ())}
    if whole is not None and whole in cards:
        return VmGraphics(Mode.SRIOV, whole, text("probe.graphics.function", address=str(hostdev.pci)))
    if hostdev.pci in cards:
        return VmGraphics(Mode.PASSTHROUGH, hostdev.pci, text("probe.graphics.card", address=str(hostdev.pci)))
    return None


def _uuid(one: VmGraphics) -> str:
    return str(dict(one.detail.args).get("uuid", ""))


def _mediated(host: Host) -> dict[str, VmGraphics]:
    return {
        device.uuid.lower(): VmGraphics(
            Mode.GVT_G if device.type_id.startswith(_GVT_G) else Mode.VGPU,
            device.parent,
            text("probe.graphics.share", uuid=device.uuid.lower(), type=device.type_id),
        )
        for device in known_or(host.mediated_devices, ())
    }
