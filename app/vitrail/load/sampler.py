# SPDX-License-Identifier: GPL-3.0-or-later
"""One tick: every card and every VM of this machine, each asked of whoever can tell.

What the machine is (cards, VMs, who has what) comes in with `know` and is worked out then; a tick only reads numbers.
For one thread. Nothing here raises for a card or process that is gone: it is left out, or says so.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace

from vitrail.load.card_source import NO_SHARE, CardSource, Company
from vitrail.load.clients import ClientSampler, Drawings
from vitrail.load.context import ContextSampler, of_vm
from vitrail.load.nvidia import Nvidia
from vitrail.load.nvidia_turn import PATIENCE_S, NvidiaTurn
from vitrail.load.ports import DomainStats, GuestAsk, RootFeed
from vitrail.load.processes import VmProcesses
from vitrail.load.tenancy import SampledCard, Tenancy, Tenant, Way, cards_of, tenants_of
from vitrail.load.vm_source import drawn_samples, given_sample
from vitrail.model.machine import Host
from vitrail.model.pci import PciAddress
from vitrail.model.reading import Known, Reading, Unknown
from vitrail.model.sample import CardSample, Sample, VmContext, VmSample
from vitrail.model.text import text
from vitrail.source.kept_files import KeptFiles
from vitrail.source.nvml_live import NvmlLive
from vitrail.source.root import Root

_PROCESSES_S = 5.0
_NOT_YET = Unknown(text("load.stale.first-look"))


class LoadSampler:
    """Reads the load of one machine again and again.

    `silent`: why nothing of it can be measured, as of a recording. `patience_s`: how long NVIDIA's
    library is waited for.
    """

    def __init__(
        self,
        root: Root,
        live: Callable[[], NvmlLive | None] = lambda: None,
        *,
        feed: RootFeed | None = None,
        guests: GuestAsk | None = None,
        stats: DomainStats | None = None,
        silent: Unknown | None = None,
        patience_s: float = PATIENCE_S,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._clock, self._wall = clock, wall
        self._files = KeptFiles(root)
        self._processes = VmProcesses(root)
        self._processes_at: float | None = None
        self._clients = ClientSampler(root, self._files, self._processes, feed)
        self._context = ContextSampler(stats)
        self.nvidia = Nvidia(live)
        self._turn = NvidiaTurn(self.nvidia, patience_s)
        self._silent = silent
        self._company = Company(root, self._files, self.nvidia, feed, guests, silent)
        self._cards: dict[PciAddress, CardSource] = {}
        self._nvidia_cards: tuple[CardSource, ...] = ()
        self._nvidia_ways: tuple[tuple[CardSource, set[Way]], ...] = ()
        self._drawing: tuple[str, ...] = ()
        self._cards_read: Reading[tuple[SampledCard, ...]] = _NOT_YET
        self._tenants: Reading[tuple[Tenant, ...]] = _NOT_YET

    def know(self, host: Host) -> None:
        """The machine as it is from now on."""
        self._cards_read, self._tenants = cards_of(host), tenants_of(host)
        cards = self._cards_read.value if isinstance(self._cards_read, Known) else ()
        before, self._cards = self._cards, {}
        for card in cards:
            kept = before.pop(card.address, None)
            if kept is not None and kept.card == card:
                self._cards[card.address] = kept
                continue
            if kept is not None:
                kept.close()
            self._cards[card.address] = CardSource(card, self._company)
        for gone in before.values():
            gone.close()
        self._nvidia_cards = tuple(card for card in self._cards.values() if card.shares is not None)
        # A card is asked only for what somebody wants to know of it.
        self._nvidia_ways = self._find_ways()
        tenants = self._tenants.value if isinstance(self._tenants, Known) else ()
        self._drawing = tuple(one.uuid for one in tenants if any(use.way is Way.DRAWN for use in one.uses))
        self._processes_at = None

    def step_aside(self) -> None:
        """Let go of every card: functions, instances or drivers are about to change. Until `resume`."""
        self._turn.step_aside()
        for card in self._cards.values():
            card.close()

    def resume(self) -> None:
        """Ask the cards again."""
        self._turn.resume()

    def tick(self) -> Sample:
        """What everything does now."""
        now = self._clock()
        tenants = self._tenants.value if isinstance(self._tenants, Known) else ()
        for card in self._cards.values():
            card.begin(now)
        if self._nvidia_ways:
            self._turn.take(self._nvidia_ways, now)
        cards = tuple(card.sample(now) for card in self._cards.values())
        contexts = self._context.tick()
        drawings = self._draw(tenants, now)
        vms = tuple(
            sample
            for tenant in tenants
            for sample in self._of_tenant(
                tenant, drawings, contexts if contexts is None else of_vm(contexts, tenant.uuid), now
            )
        )
        return Sample(self._wall(), self._cards_reading(cards), self._vms_reading(vms))

    def _cards_reading(self, cards: tuple[CardSample, ...]) -> Reading[tuple[CardSample, ...]]:
        return self._cards_read if isinstance(self._cards_read, Unknown) else Known(cards, self._cards_read.source)

    def _vms_reading(self, vms: tuple[VmSample, ...]) -> Reading[tuple[VmSample, ...]]:
        return self._tenants if isinstance(self._tenants, Unknown) else Known(vms, self._tenants.source)

    def _find_ways(self) -> tuple[tuple[CardSource, set[Way]], ...]:
        """NVIDIA's cards with the kinds of use that VMs make of each."""
        ways: dict[PciAddress | None, set[Way]] = {}
        for tenant in self._tenants.value if isinstance(self._tenants, Known) else ():
            for use in tenant.uses:
                ways.setdefault(use.card, set()).add(use.way)
        anywhere = ways.get(None, set())
        return tuple((card, ways.get(card.card.address, set()) | anywhere) for card in self._nvidia_cards)

    def _draw(self, tenants: tuple[Tenant, ...], now: float) -> Mapping[str, Reading[Drawings]]:
        if self._silent is not None:
            return dict.fromkeys((tenant.uuid for tenant in tenants), self._silent)
        drawing = self._drawing
        if drawing and (self._processes_at is None or now - self._processes_at >= _PROCESSES_S):
            self._processes.refresh()
            self._processes_at = now
        return self._clients.tick(drawing, now)

    def _of_tenant(
        self, tenant: Tenant, drawings: Mapping[str, Reading[Drawings]], context: VmContext | None, now: float
    ) -> tuple[VmSample, ...]:
        found: list[VmSample] = []
        has_shares = False
        for use in tenant.uses:
            if use.way is Way.DRAWN:
                pids = self._processes.of(tenant.uuid) if self._nvidia_cards else ()
                found += drawn_samples(
                    tenant, use, drawings[tenant.uuid], self._cards, nvidia=self._nvidia_cards, pids=pids
                )
            elif use.way is Way.SHARE:
                # They are told together: which of several is which, only their driver knows.
                found += () if has_shares else self._shares_of(tenant, now)
                has_shares = True
            else:
                card = None if use.card is None else self._cards.get(use.card)
                found.append(given_sample(tenant, use, card, now))
        if not found:
            found = [VmSample(tenant.uuid, tenant.name)]
        return tuple(found) if context is None else tuple(replace(one, context=context) for one in found)

    def _shares_of(self, tenant: Tenant, now: float) -> list[VmSample]:
        shares = tuple(use for use in tenant.uses if use.way is Way.SHARE)
        mdevs = tuple(use.mdev_uuid for use in shares if use.mdev_uuid)
        on = {use.card for use in shares}
        cards = [card for address, card in self._cards.items() if None in on or address in on]
        found = [one for card in cards for one in card.shares_of(tenant.uuid, tenant.name, mdevs, now)]
        for use in shares:
            if not any(one.gpu == use.card or use.card is None for one in found):
                silent = self._why_no_share(use)
                found.append(VmSample(tenant.uuid, tenant.name, use.card, None, silent, silent, silent))
        return found

    def _why_no_share(self, use: Tenancy) -> Unknown:
        if use.card is None:
            return NO_SHARE
        card = self._cards.get(use.card)
        return _NO_CARD if card is None else card.why_no_share()

    def close(self) -> None:
        """Let go of every file, counter and library."""
        for card in self._cards.values():
            card.close()
        self._clients.close()
        self._turn.close()
        self._files.close()


_NO_CARD = Unknown(text("load.failed.gone"))
