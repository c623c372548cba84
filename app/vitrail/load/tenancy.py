# SPDX-License-Identifier: GPL-3.0-or-later
"""Which VM has which part of which card, and so who can tell its load.

Worked out once for each look at the machine, not each second. Nothing is measured here.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from vitrail.model.machine import Gpu, Host
from vitrail.model.mode import Mode
from vitrail.model.pci import PciAddress
from vitrail.model.reading import Known, Reading, known_or
from vitrail.model.vm import Hostdev, Vm, VmState

_DRAWN = (Mode.VIRGL, Mode.VENUS, Mode.NATIVE_CONTEXT)
_ON = (VmState.RUNNING, VmState.PAUSED)


class Way(StrEnum):
    """How a VM uses a card, as far as its load is told differently."""

    SHARE = "share"
    """A share that NVIDIA's driver cut off (vGPU)."""
    FUNCTION = "function"
    """A virtual function (SR-IOV) of another driver."""
    MEDIATED = "mediated"
    """A mediated device of another driver (GVT-g)."""
    WHOLE = "whole"
    """The card itself, given to the VM."""
    DRAWN = "drawn"
    """QEMU, or a process of it, draws for the VM."""


@dataclass(frozen=True, slots=True)
class Tenancy:
    """One use of a card. `card` is the whole card; None where only the open files of QEMU will tell it."""

    way: Way
    card: PciAddress | None
    function: PciAddress | None = None
    function_number: int | None = None
    mdev_uuid: str | None = None


@dataclass(frozen=True, slots=True)
class Tenant:
    """A VM that is on, with every card it uses."""

    uuid: str
    name: str
    uses: tuple[Tenancy, ...]


@dataclass(frozen=True, slots=True)
class SampledCard:
    """A card as the samplers need it."""

    address: PciAddress
    driver: Reading[str | None]
    part_of: PciAddress | None
    lit: bool
    """Whether it feeds a screen, and so never sleeps."""


def cards_of(host: Host) -> Reading[tuple[SampledCard, ...]]:
    """Every card; virtual functions are parts of one and are no cards of their own."""
    if not isinstance(host.gpus, Known):
        return host.gpus
    cards = (
        SampledCard(gpu.address, gpu.device.driver, gpu.device.physical_function, _lit(gpu)) for gpu in host.gpus.value
    )
    return Known(tuple(card for card in cards if card.part_of is None), host.gpus.source)


def tenants_of(host: Host) -> Reading[tuple[Tenant, ...]]:
    """Every VM that is on, or of which that is not known."""
    if not isinstance(host.vms, Known):
        return host.vms
    on = (vm for vm in host.vms.value if not isinstance(vm.state, Known) or vm.state.value in _ON)
    return Known(tuple(Tenant(vm.uuid, vm.name, uses_of(vm, host)) for vm in on), host.vms.source)


def uses_of(vm: Vm, host: Host) -> tuple[Tenancy, ...]:
    """Everything through which this VM uses a card."""
    found = [use for use in (_given(hostdev, host) for hostdev in vm.hostdevs) if use is not None]
    drawn = [one.gpu for one in vm.graphics if one.mode in _DRAWN]
    if drawn or any(screen.gl for screen in vm.screens):
        found.append(Tenancy(Way.DRAWN, drawn[0] if drawn else None))
    return tuple(found)


def _lit(gpu: Gpu) -> bool:
    outputs = gpu.outputs.value if isinstance(gpu.outputs, Known) else ()
    return any(known_or(output.enabled, otherwise=False) for output in outputs)


def _given(hostdev: Hostdev, host: Host) -> Tenancy | None:
    if hostdev.mdev_uuid is not None:
        return _mediated(hostdev.mdev_uuid.lower(), host)
    device = None if hostdev.pci is None else host.device_at(hostdev.pci)
    if device is None:
        return None
    whole = device.physical_function
    card = host.gpu_at(device.address if whole is None else whole)
    if card is None:
        return None
    if whole is None:
        return Tenancy(Way.WHOLE, card.address)
    return _function(card, device.address)


def _function(card: Gpu, function: PciAddress) -> Tenancy:
    if _driver(card) == "nvidia":
        return Tenancy(Way.SHARE, card.address, function)
    functions = card.sriov.value.functions if isinstance(card.sriov, Known) and card.sriov.value is not None else ()
    number = functions.index(function) + 1 if function in functions else None
    return Tenancy(Way.FUNCTION, card.address, function, number)


def _mediated(uuid: str, host: Host) -> Tenancy | None:
    device = next((one for one in known_or(host.mediated_devices, ()) if one.uuid.lower() == uuid), None)
    if device is None:
        return Tenancy(Way.SHARE, None, mdev_uuid=uuid)
    card = host.gpu_at(device.parent)
    if card is None:
        # The mediated device sits on a virtual function, or on something that is no card.
        on = host.device_at(device.parent)
        whole = None if on is None else on.physical_function
        card = None if whole is None else host.gpu_at(whole)
    if card is None:
        return None
    if card.device.physical_function is not None:
        card = host.gpu_at(card.device.physical_function) or card
    return Tenancy(Way.SHARE if _driver(card) == "nvidia" else Way.MEDIATED, card.address, mdev_uuid=uuid)


def _driver(card: Gpu) -> str | None:
    return known_or(card.device.driver, None)
