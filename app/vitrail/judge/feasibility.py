# SPDX-License-Identifier: GPL-3.0-or-later
"""An honest word on each of the fourteen modes for one VM on this machine, and the findings for a chosen one.

The families of modes are judged in files of their own (whole, shares, drawn); here they are asked, put in the order of
the user's purpose, and summed up. Modes that this version does not write are judged like the others.
"""

from __future__ import annotations

from typing import assert_never

from vitrail.judge.card import whole_cards
from vitrail.judge.conclude import failed, not_known
from vitrail.judge.drawn import Drawn, drawn_findings, draws, native_on
from vitrail.judge.passthrough import host_needs, passthrough_findings
from vitrail.judge.qemu import Capabilities, capabilities_read
from vitrail.judge.reports import management_findings
from vitrail.judge.shares import share
from vitrail.judge.situation import Situation
from vitrail.judge.usage import only_screen
from vitrail.judge.vmstate import vm_findings
from vitrail.judge.weigh import decisive, weigh, without_repeats
from vitrail.judge.whole import whole_card
from vitrail.judge.words import card_name, listed, plain
from vitrail.model.choice import (
    Basic,
    Choice,
    GvtD,
    GvtG,
    LookingGlass,
    MigVgpu,
    NativeContext,
    Passthrough,
    Qxl,
    SingleGpu,
    Sriov,
    Venus,
    Vgpu,
    Virgl,
    Virtio,
    gpu_of,
    mode_of,
)
from vitrail.model.finding import Evidence, Finding, Severity
from vitrail.model.knowledge import Knowledge
from vitrail.model.machine import Gpu, Host
from vitrail.model.mode import DRAWS_ON_A_CARD, NEEDS_A_CARD, WRITTEN_BY_THIS_VERSION, Mode
from vitrail.model.pci import PciAddress
from vitrail.model.reading import Unknown
from vitrail.model.text import Text, text
from vitrail.model.verdict import CardVerdict, Feasibility, ModeVerdict
from vitrail.model.vm import Vm

_ORDER = (Feasibility.READY, Feasibility.AFTER_CHANGES, Feasibility.UNKNOWN, Feasibility.IMPOSSIBLE)
_NOT_OF_A_CARD = ("guest.fits", "capabilities.video", "capabilities.screen", "capabilities.read")
_WHOLE = (Mode.PASSTHROUGH, Mode.SINGLE_GPU, Mode.LOOKING_GLASS, Mode.GVT_D)


def judge_modes(
    host: Host, vm: Vm, capabilities: Capabilities, knowledge: Knowledge, purpose: str
) -> tuple[ModeVerdict, ...]:
    """Every mode for this VM, the one that fits the purpose best first; `rank` counts from 1."""
    situation = Situation(host, vm, capabilities, knowledge)
    of_cards = {gpu.address: passthrough_findings(host, vm, gpu, knowledge) for gpu in whole_cards(host)}
    judged = [_judge_mode(situation, mode, of_cards) for mode in Mode]
    ordered = sorted(judged, key=lambda one: _place(one, knowledge, purpose))
    return tuple(
        ModeVerdict(one.mode, one.feasible, one.available, one.reasons, one.needs, one.cards, rank)
        for rank, one in enumerate(ordered, start=1)
    )


def _place(verdict: ModeVerdict, knowledge: Knowledge, purpose: str) -> tuple[bool, bool, int, int, int]:
    fits = dict(knowledge.traits_of(verdict.mode).fits)
    return (
        verdict.feasible is Feasibility.IMPOSSIBLE,
        not verdict.available,
        -fits.get(purpose, fits.get("unknown", 0)),
        _ORDER.index(verdict.feasible),
        tuple(Mode).index(verdict.mode),
    )


def _judge_mode(situation: Situation, mode: Mode, of_cards: dict[PciAddress, tuple[Finding, ...]]) -> ModeVerdict:
    if mode in NEEDS_A_CARD:
        cards = tuple(_on_card(situation, mode, gpu, of_cards[gpu.address]) for gpu in whole_cards(situation.host))
        return _with_cards(situation.host, mode, cards)
    return _drawn(situation, mode)


def _on_card(situation: Situation, mode: Mode, gpu: Gpu, of_card: tuple[Finding, ...]) -> CardVerdict:
    if mode in _WHOLE:
        return whole_card(situation, gpu, mode, of_card)
    return share(situation.host, gpu, mode, situation.knowledge)


def _with_cards(host: Host, mode: Mode, cards: tuple[CardVerdict, ...]) -> ModeVerdict:
    available = mode in WRITTEN_BY_THIS_VERSION
    if not cards:
        if isinstance(host.gpus, Unknown):
            unread = text("judge.mode.cards-unread", reason=host.gpus.reason)
            return ModeVerdict(mode, Feasibility.UNKNOWN, available, (unread,), (text("judge.draws.look"),), (), 0)
        return ModeVerdict(
            mode,
            Feasibility.IMPOSSIBLE,
            available,
            (text("judge.mode.no-card"),),
            (text("judge.draws.plug-in"),),
            (),
            0,
        )
    feasible = min((one.feasible for one in cards), key=_ORDER.index)
    best = _easiest(host, mode, _ordinary(tuple(one for one in cards if one.feasible is feasible)))
    causes = _of_all(tuple(_causes(one) for one in best))
    reasons = _why(host, best, causes)
    steps = (step for one in best for step in _steps(host, mode, one))
    remedies = (one.remedy for found in causes for one in found)
    return ModeVerdict(mode, feasible, available, reasons, without_repeats((*steps, *remedies)), cards, 0)


def _ordinary(best: tuple[CardVerdict, ...]) -> tuple[CardVerdict, ...]:
    """The cards without the management controller's screen, which would only lengthen every no; it alone if alone."""
    found = tuple(one for one in best if all(finding.id != "card.management" for finding in one.findings))
    return found or best


def _easiest(host: Host, mode: Mode, best: tuple[CardVerdict, ...]) -> tuple[CardVerdict, ...]:
    """Of equally possible cards those that take the fewest changes: the others' changes are not what the mode needs."""
    fewest = min(len(_steps(host, mode, one)) for one in best)
    return tuple(one for one in best if len(_steps(host, mode, one)) == fewest)


def _causes(verdict: CardVerdict) -> tuple[Finding, ...]:
    return () if verdict.feasible is Feasibility.READY else decisive(verdict.findings)


def _of_all(causes: tuple[tuple[Finding, ...], ...]) -> tuple[tuple[Finding, ...], ...]:
    """Where something that no card decides stands against every card, only that: the rest would not help."""
    general = {one.title for one in causes[0] if one.id in _NOT_OF_A_CARD}
    for found in causes[1:]:
        general &= {one.title for one in found}
    return tuple(tuple(one for one in found if not general or one.title in general) for found in causes)


def _why(host: Host, best: tuple[CardVerdict, ...], causes: tuple[tuple[Finding, ...], ...]) -> tuple[Text, ...]:
    cards = [_name(host, one.address) for one in best]
    match best[0].feasible:
        case Feasibility.READY:
            return (text("judge.mode.ready-on", card=listed(cards)),)
        case Feasibility.AFTER_CHANGES:
            return (text("judge.mode.changes-on", card=listed(cards)),)
        case Feasibility.IMPOSSIBLE | Feasibility.UNKNOWN:
            return _said_once(cards, causes)


def _said_once(cards: list[Text], causes: tuple[tuple[Finding, ...], ...]) -> tuple[Text, ...]:
    """Each reason once, with the cards that it is about."""
    about: dict[Text, list[Text]] = {}
    alone: set[Text] = set()
    for card, found in zip(cards, causes, strict=True):
        for one in found:
            about.setdefault(one.title, []).append(card)
            if one.id in _NOT_OF_A_CARD:
                alone.add(one.title)
    return tuple(
        title if title in alone else text("judge.mode.on-card", card=listed(concerned), reason=title)
        for title, concerned in about.items()
    )


def _name(host: Host, address: PciAddress) -> Text:
    gpu = host.gpu_at(address)
    return card_name(gpu) if gpu is not None else plain(address.short)


def _steps(host: Host, mode: Mode, verdict: CardVerdict) -> tuple[Text, ...]:
    """What a plan would change on this computer before this card can be given."""
    gpu = host.gpu_at(verdict.address)
    if verdict.feasible is not Feasibility.AFTER_CHANGES or gpu is None or mode not in _WHOLE:
        return ()
    needs = host_needs(host, gpu)
    steps = []
    if needs.arguments:
        steps.append(text("judge.needs.argument", arguments=" ".join(needs.arguments)))
    if needs.reserve and mode is not Mode.SINGLE_GPU:
        steps.append(text("judge.needs.reserve", card=card_name(gpu)))
        screen = only_screen(host, gpu)
        if screen.remedy is not None:
            steps.append(screen.remedy)
    return tuple(steps)


def _default_drawn(mode: Mode, gpu: PciAddress | None) -> Drawn:
    match mode:
        case Mode.VIRGL:
            return Virgl(gpu)
        case Mode.VENUS:
            return Venus(gpu)
        case Mode.NATIVE_CONTEXT:
            return NativeContext(gpu)
        case Mode.QXL:
            return Qxl()
        case Mode.BASIC:
            return Basic()
        case _:
            return Virtio()


def _drawn(situation: Situation, mode: Mode) -> ModeVerdict:
    host, vm, capabilities = situation.host, situation.vm, situation.capabilities
    found = (*drawn_findings(host, vm, _default_drawn(mode, None), capabilities), *capabilities_read(capabilities))
    cards = (
        tuple(_draws_on(situation, gpu, mode, found) for gpu in whole_cards(host)) if mode in DRAWS_ON_A_CARD else ()
    )
    feasible = weigh(found)
    if cards and all(one.feasible is Feasibility.IMPOSSIBLE for one in cards):
        feasible = Feasibility.IMPOSSIBLE
    reasons: tuple[Text, ...]
    if feasible is Feasibility.READY:
        reasons = (text("judge.mode.ready"),)
        needs: tuple[Text, ...] = ()
    else:
        causes = decisive(found) or decisive(one for card in cards for one in card.findings)
        reasons = without_repeats(one.title for one in causes)
        needs = without_repeats(one.remedy for one in causes)
    return ModeVerdict(mode, feasible, mode in WRITTEN_BY_THIS_VERSION, reasons, needs, cards, 0)


def _draws_on(situation: Situation, gpu: Gpu, mode: Mode, common: tuple[Finding, ...]) -> CardVerdict:
    drawing = native_on(gpu) if mode is Mode.NATIVE_CONTEXT else draws(gpu)
    own = (*management_findings(gpu, situation.knowledge), *drawing)
    shared = tuple(one for one in common if not one.id.startswith("card."))
    return CardVerdict(gpu.address, weigh((*own, *shared)), (*own, *shared))


def judge_choice(
    host: Host, vm: Vm, choice: Choice, capabilities: Capabilities, knowledge: Knowledge
) -> tuple[Finding, ...]:
    """Everything that speaks for, against or of this choice; a plan is made unless one of them blocks."""
    address = gpu_of(choice)
    gpu = host.gpu_at(address) if address is not None else None
    if address is not None and gpu is None:
        return (*_written(choice), _no_such_card(host, address), *vm_findings(vm))
    situation = Situation(host, vm, capabilities, knowledge)
    found = (*_written(choice), *_of_choice(situation, choice, gpu), *vm_findings(vm))
    asked = () if any(one.id == "capabilities.read" for one in found) else capabilities_read(capabilities)
    return (*found, *asked)


def _of_choice(situation: Situation, choice: Choice, gpu: Gpu | None) -> tuple[Finding, ...]:
    match choice:
        case Passthrough(hide_kvm=hidden):
            return (*_whole(situation, choice, gpu), *_settings(hidden=hidden))
        case SingleGpu() | LookingGlass() | GvtD():
            return _whole(situation, choice, gpu)
        case Vgpu() | Sriov() | MigVgpu() | GvtG():
            if gpu is None:
                return ()
            return share(situation.host, gpu, mode_of(choice), situation.knowledge).findings
        case Virtio() | Virgl() | Venus() | NativeContext() | Qxl() | Basic():
            stop = management_findings(gpu, situation.knowledge) if gpu is not None else ()
            return (*stop, *drawn_findings(situation.host, situation.vm, choice, situation.capabilities))
        case _:
            assert_never(choice)


def _whole(situation: Situation, choice: Choice, gpu: Gpu | None) -> tuple[Finding, ...]:
    if gpu is None:
        return ()
    of_card = passthrough_findings(situation.host, situation.vm, gpu, situation.knowledge)
    return whole_card(situation, gpu, mode_of(choice), of_card).findings


def _settings(*, hidden: bool) -> tuple[Finding, ...]:
    return (failed("vm.hidden", Severity.INFO, text("judge.setting.hidden"), None),) if hidden else ()


def _written(choice: Choice) -> tuple[Finding, ...]:
    mode = mode_of(choice)
    if mode in WRITTEN_BY_THIS_VERSION:
        return ()
    title = text("judge.mode.not-written", mode=mode.value)
    return (failed("mode.available", Severity.BLOCKS, title, text("judge.mode.not-written-remedy")),)


def _no_such_card(host: Host, address: PciAddress) -> Finding:
    name = "card.exists"
    if isinstance(host.gpus, Unknown):
        title = text("judge.mode.cards-unread", reason=host.gpus.reason)
        return not_known(name, Severity.BLOCKS, title, text("judge.draws.look"))
    device = host.device_at(address)
    if device is not None:
        evidence = (Evidence(str(address), str(device.pci_class)),)
        title = text("judge.card.no-card", address=address.short)
        return failed("card.display", Severity.BLOCKS, title, text("judge.card.choose-other"), evidence)
    evidence = (Evidence(host.gpus.source, ", ".join(str(one.address) for one in host.gpus.value) or "-"),)
    title = text("judge.card.absent", address=address.short)
    return failed(name, Severity.BLOCKS, title, text("judge.card.choose-other"), evidence)
