# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the IOMMU works for a card, and what would make it work: an argument, the firmware, or nothing needed.

Separate because the answer differs by processor and kernel, and because guides get it wrong: AMD needs no argument
ever, Intel often none, and translation is judged from sysfs, never from the command line.
"""

from __future__ import annotations

from dataclasses import dataclass

from vitrail.judge.card import is_integrated_intel
from vitrail.model.machine import CpuVendor, Gpu, Host, IommuKind
from vitrail.model.reading import Known, Unknown
from vitrail.model.text import Text, text

INTEL_ON = "intel_iommu=on"
_OFF_WORDS = ("iommu=off", "amd_iommu=off")
"""Arguments that no later argument undoes."""


@dataclass(frozen=True, slots=True)
class IommuNeed:
    """What the IOMMU lacks for a card. All empty: nothing, or (`doubt`) it could not be told."""

    arguments: tuple[str, ...] = ()
    firmware: Text | None = None
    """What only the user can change, in the firmware's setup or in a place that Vitrail does not write."""
    doubt: bool = False


def arguments_now(host: Host) -> tuple[str, ...]:
    """The words of the running kernel's command line, none where it was not read."""
    return tuple(host.cmdline.value.split()) if isinstance(host.cmdline, Known) else ()


def intel_setting(host: Host) -> tuple[str, ...]:
    """What `intel_iommu=` says, all its values in their order; the kernel lets the last one win."""
    values: list[str] = []
    for word in arguments_now(host):
        key, _, value = word.partition("=")
        if key == "intel_iommu":
            values += value.split(",")
    return tuple(values)


def _said_on(host: Host) -> bool:
    decisive = [value for value in intel_setting(host) if value in ("on", "off")]
    return bool(decisive) and decisive[-1] == "on"


def _said_off(host: Host) -> bool:
    decisive = [value for value in intel_setting(host) if value in ("on", "off")]
    return bool(decisive) and decisive[-1] == "off"


def iommu_need(host: Host, gpu: Gpu | None) -> IommuNeed:
    """What has to change before devices of this machine, this card if one is named, can be given to a VM."""
    if isinstance(host.iommu.active, Unknown):
        return IommuNeed(doubt=True)
    if host.iommu.active.value:
        left_out = gpu is not None and _integrated_left_out(host, gpu)
        return IommuNeed(arguments=(INTEL_ON,)) if left_out else IommuNeed()
    return _need_when_off(host)


def _integrated_left_out(host: Host, gpu: Gpu) -> bool:
    if not is_integrated_intel(gpu.device) or _said_on(host):
        return False
    default = host.config.intel_iommu_default_on
    if isinstance(default, Known):
        return default.value == "except-integrated"
    # The kernel's build is not known, but a function in no group while the IOMMU is on says the same.
    return isinstance(gpu.device.group, Known) and gpu.device.group.value is None


def _need_when_off(host: Host) -> IommuNeed:
    switched_off = next((word for word in arguments_now(host) if word in _OFF_WORDS), None)
    if switched_off is not None:
        return IommuNeed(firmware=text("judge.iommu.remove-argument", argument=switched_off))
    match host.iommu.offered:
        # Before the processor's maker is asked: in a VM it tells nothing of the IOMMU that the hypervisor gave it.
        case Known(value=IommuKind.INTEL):
            return _intel_need(host)
        case Known(value=IommuKind.AMD):
            return IommuNeed(firmware=text("judge.iommu.firmware-amd"))
    if isinstance(host.virtual, Known) and host.virtual.value is not None:
        return IommuNeed(firmware=text("judge.iommu.ask-outer", hypervisor=host.virtual.value))
    return _need_by_processor(host)


def _need_by_processor(host: Host) -> IommuNeed:
    if isinstance(host.cpu.vendor, Unknown):
        return IommuNeed(doubt=True)
    match host.cpu.vendor.value:
        case CpuVendor.INTEL if isinstance(host.iommu.offered, Known):
            # The firmware describes none: an argument would switch nothing on.
            return IommuNeed(firmware=text("judge.iommu.firmware-intel"))
        case CpuVendor.INTEL:
            return _intel_need(host)
        case CpuVendor.AMD:
            return IommuNeed(firmware=text("judge.iommu.firmware-amd"))
        case CpuVendor.OTHER:
            return IommuNeed(firmware=text("judge.iommu.firmware-other"))


def _intel_need(host: Host) -> IommuNeed:
    default = host.config.intel_iommu_default_on
    on_by_itself = isinstance(default, Known) and default.value in ("on", "except-integrated")
    if _said_on(host) or (on_by_itself and not _said_off(host)):
        return IommuNeed(firmware=text("judge.iommu.firmware-intel"))
    return IommuNeed(arguments=(INTEL_ON,))
