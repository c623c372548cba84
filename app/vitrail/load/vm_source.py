# SPDX-License-Identifier: GPL-3.0-or-later
"""The load of VMs that NVIDIA's driver does not count: virtual functions, whole cards, and what QEMU draws."""

from __future__ import annotations

from collections.abc import Mapping

from vitrail.load.card_source import CardSource
from vitrail.load.clients import Drawing, Drawings
from vitrail.load.tenancy import Tenancy, Tenant, Way
from vitrail.model.pci import PciAddress
from vitrail.model.reading import Known, Reading, Unknown
from vitrail.model.sample import EngineLoad, LoadSource, VmSample
from vitrail.model.text import text

_GONE = Unknown(text("load.failed.gone"))
_NO_AGENT = Unknown(text("load.needs-agent.whole"))
_MEDIATED = Unknown(text("load.unsupported.mediated"))
_NO_NUMBER = Unknown(text("load.unsupported.function-number"))
_OF_SHARE_ONLY = Unknown(text("load.unsupported.of-card"))
_NO_FUNCTION_MEMORY = Unknown(text("load.unsupported.function-memory"))
_DRAWS_NOTHING = Unknown(text("load.idle.draws-nothing"))


def given_sample(tenant: Tenant, use: Tenancy, card: CardSource | None, now: float) -> VmSample:
    """The load of a VM on a card, or on a part of one, that it was given."""
    if card is None:
        return VmSample(tenant.uuid, tenant.name, use.card, None, _GONE, memory_used_mib=_GONE)
    match use.way:
        case Way.WHOLE:
            return _whole(tenant, use, card)
        case Way.FUNCTION:
            return _function(tenant, use, card, now)
    return VmSample(tenant.uuid, tenant.name, use.card, None, _MEDIATED, _MEDIATED, _MEDIATED)


def _whole(tenant: Tenant, use: Tenancy, card: CardSource) -> VmSample:
    told = card.guests.latest(tenant.uuid, card.card.address) if card.guests is not None else _NO_AGENT
    if isinstance(told, Unknown):
        return VmSample(tenant.uuid, tenant.name, use.card, None, told, told, told)
    load = told.value
    return VmSample(
        tenant.uuid,
        tenant.name,
        use.card,
        LoadSource.GUEST,
        load.load_percent,
        load.load_percent,
        load.memory_used_mib,
        load.memory_total_mib,
    )


def _function(tenant: Tenant, use: Tenancy, card: CardSource, now: float) -> VmSample:
    load: Reading[float]
    engines: tuple[EngineLoad, ...] = ()
    if card.silent is not None:
        load = card.silent
    elif card.counters is None or card.driver != "xe":
        load = Unknown(text("load.unsupported.function", driver=card.driver or "-"))
    elif use.function_number is None:
        load = _NO_NUMBER
    else:
        counted = card.counters.tick(use.function_number, now)
        if isinstance(counted, Unknown):
            load = counted
        else:
            load = Known(counted.value.percent, counted.source)
            engines = counted.value.engines
    # The kernel counts against the time slices of the function, so what it is of the card nobody tells.
    of_card = _OF_SHARE_ONLY if isinstance(load, Known) else load
    source = LoadSource.PMU if isinstance(load, Known) else None
    memory = card.silent or _NO_FUNCTION_MEMORY
    return VmSample(tenant.uuid, tenant.name, use.card, source, of_card, load, memory, engines=engines)


def drawn_samples(
    tenant: Tenant,
    use: Tenancy,
    drawings: Reading[Drawings],
    cards: Mapping[PciAddress, CardSource],
    *,
    nvidia: tuple[CardSource, ...],
    pids: tuple[int, ...],
) -> list[VmSample]:
    """The load of what QEMU draws for a VM, a sample for each card that it draws on. `nvidia`: those of the cards."""
    counted = () if isinstance(drawings, Unknown) else drawings.value
    if nvidia:
        # Their driver opens the same files and counts nothing in them.
        others = {card.card.address for card in nvidia}
        counted = tuple(one for one in counted if one[0] not in others)
    found = [_on_card(tenant, address, drawing) for address, drawing in counted]
    for card in nvidia:
        if card.shares is not None and card.silent is None:
            sample = card.shares.of_processes(tenant.uuid, tenant.name, pids)
            if sample is not None:
                found.append(sample)
    if found:
        return found
    silent = _why_nothing(use, drawings, cards)
    return [VmSample(tenant.uuid, tenant.name, use.card, None, silent, memory_used_mib=silent)]


def _on_card(tenant: Tenant, address: PciAddress | None, drawing: Drawing) -> VmSample:
    return VmSample(
        tenant.uuid,
        tenant.name,
        address,
        LoadSource.FDINFO,
        drawing.percent,
        None,
        Known(drawing.memory_mib, "/proc/PID/fdinfo"),
        None,
        drawing.engines,
    )


def _why_nothing(use: Tenancy, drawings: Reading[Drawings], cards: Mapping[PciAddress, CardSource]) -> Unknown:
    card = cards.get(use.card) if use.card is not None else None
    if card is not None and card.silent is not None:
        return card.silent
    return drawings if isinstance(drawings, Unknown) else _DRAWS_NOTHING
