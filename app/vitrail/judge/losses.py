# SPDX-License-Identifier: GPL-3.0-or-later
"""What this computer, or the VM, goes without: named before the click, with from when and until when.

Separate from findings because a loss is not a fault: it is the price, and it comes back.
"""

from __future__ import annotations

from typing import assert_never

from vitrail.judge.card import VFIO, bound_to, bus_of, companions, other_screens, whole_cards
from vitrail.judge.guard import judge_guard
from vitrail.judge.hostuse import carried
from vitrail.judge.passthrough import host_needs
from vitrail.judge.usage import connected, holder_name, monitor_of, only_screen
from vitrail.judge.vmstate import uses_card
from vitrail.judge.words import card_name, is_sound, is_usb, listed, plain
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
)
from vitrail.model.finding import Status
from vitrail.model.machine import Gpu, Holder, HolderKind, Host
from vitrail.model.mode import DRAWS_ON_A_CARD, Mode
from vitrail.model.pci import PciAddress
from vitrail.model.plan import Loss
from vitrail.model.reading import Known, Unknown
from vitrail.model.text import Text, text
from vitrail.model.vm import Vm

_KIB_PER_MIB = 1024
_NAMED_PROGRAMS = 5
_CUT_BY_A_DRIVER = (Mode.VGPU, Mode.GVT_G)
"""Shares that are no PCI devices; a virtual function is a card of its own among the machine's cards."""


def losses(host: Host, vm: Vm, choice: Choice) -> tuple[Loss, ...]:
    """Every loss that this choice brings; empty where nobody goes without anything."""
    match choice:
        case Passthrough(gpu=gpu, emulated_screen=screen):
            dropped = _screen_dropped() if screen == "drop" else ()
            return (*_card_leaves(host, vm, gpu), *_vm_gives_back(host, vm, but=gpu), *dropped)
        case LookingGlass(gpu=gpu) | GvtD(gpu=gpu):
            return _card_leaves(host, vm, gpu)
        case SingleGpu(gpu=gpu):
            return _card_leaves(host, vm, gpu, reserved=False)
        case Vgpu() | Sriov() | MigVgpu() | GvtG():
            return (_memory(vm), _no_saving())
        case Virgl() | Venus() | NativeContext():
            return (*_vm_gives_back(host, vm), *_vm_leaves_glass(vm))
        case Virtio() | Qxl() | Basic():
            return (*_vm_gives_back(host, vm), *_vm_leaves_glass(vm), *_no_3d(vm))
        case _:
            assert_never(choice)


def _card_leaves(host: Host, vm: Vm, address: PciAddress, *, reserved: bool | None = None) -> tuple[Loss, ...]:
    gpu = host.gpu_at(address)
    if gpu is None:
        return ()
    from_start = host_needs(host, gpu).reserve if reserved is None else reserved
    when = text("judge.loss.from-restart") if from_start else text("judge.loss.from-vm-start", vm=vm.name)
    until = _until_back(host) if from_start else text("judge.loss.until-vm-off", vm=vm.name)
    what = (*_pictures(host, gpu), *_sound(host, gpu), *_usb(host, gpu), *_carried(host, gpu), *_programs(gpu))
    if bound_to(gpu.device, VFIO):
        # It is kept for VMs already: this computer has nothing of it to lose.
        what = _carried(host, gpu)
    if from_start:
        what += _places(host, gpu)
    return (*(Loss(one, when, until) for one in what), _memory(vm), _no_saving())


def _until_back(host: Host) -> Text:
    """A trial is for one start; Keep makes it last."""
    if judge_guard(host).one_shot is not None:
        return text("judge.loss.until-trial-ends")
    return text("judge.loss.until-taken-back")


def _places(host: Host, gpu: Gpu) -> tuple[Text, ...]:
    """Where what a start shows will be seen, one after the other; () where it will be seen nowhere."""
    others = other_screens(host, gpu)
    if not others:
        return ()
    lit = [one for one in others if connected(one)]
    stays = listed([card_name(one) for one in lit or others])
    first = next((one for one in whole_cards(host) if isinstance(one.boot_vga, Known) and one.boot_vga.value), None)
    logo = text("judge.loss.logo-as-now") if first is None else text("judge.loss.logo", where=card_name(first))
    asks = host.boot.setup.asks_passphrase
    if isinstance(asks, Unknown):
        return (logo, text("judge.loss.passphrase-perhaps", where=stays), text("judge.loss.login", where=stays))
    passphrase = (text("judge.loss.passphrase", where=stays),) if asks.value else ()
    return (logo, *passphrase, text("judge.loss.login", where=stays))


def _pictures(host: Host, gpu: Gpu) -> tuple[Text, ...]:
    found = [text("judge.loss.screen", monitor=monitor_of(one)) for one in connected(gpu)]
    if isinstance(gpu.outputs, Unknown):
        found.append(text("judge.loss.screens-unread", card=card_name(gpu)))
    if only_screen(host, gpu).status is Status.FAIL:
        found.append(text("judge.loss.only-screen"))
    return tuple(found)


def _sound(host: Host, gpu: Gpu) -> tuple[Text, ...]:
    # Sound behind the card's own switch stays with this computer, but without a screen it plays nowhere.
    sounding = [one for one in (*gpu.functions, *companions(bus_of(host), gpu.device)) if is_sound(one)]
    return (text("judge.loss.sound", card=card_name(gpu)),) if sounding else ()


def _usb(host: Host, gpu: Gpu) -> tuple[Text, ...]:
    controllers = [one for one in gpu.functions if is_usb(one)]
    if not controllers:
        return ()
    found = [text("judge.loss.usb", card=card_name(gpu))]
    if isinstance(host.input_controllers, Unknown):
        found.append(text("judge.loss.inputs-unread"))
    return tuple(found)


def _carried(host: Host, gpu: Gpu) -> tuple[Text, ...]:
    things = carried(host, gpu.functions)
    return tuple(text("judge.loss.device", name=name, address=address.short) for address, name, _ in things)


def _programs(gpu: Gpu) -> tuple[Text, ...]:
    seen: tuple[Holder, ...] = gpu.holders.value.seen if isinstance(gpu.holders, Known) else ()
    programs = [one for one in seen if one.kind is HolderKind.PROCESS]
    if not programs:
        return ()
    names = [holder_name(one) for one in programs[:_NAMED_PROGRAMS]]
    if len(programs) > _NAMED_PROGRAMS:
        names.append(text("judge.held.others", len(programs) - _NAMED_PROGRAMS))
    return (text("judge.loss.programs", who=listed(names)),)


def _memory(vm: Vm) -> Loss:
    what = text("judge.loss.memory", mib=vm.memory_kib // _KIB_PER_MIB)
    return Loss(what, text("judge.loss.from-vm-start", vm=vm.name), text("judge.loss.until-vm-off", vm=vm.name))


def _no_saving() -> Loss:
    return Loss(text("judge.loss.saving"), text("judge.loss.from-next-vm-start"), text("judge.loss.until-other-mode"))


def _screen_dropped() -> tuple[Loss, ...]:
    what = text("judge.loss.emulated-screen")
    return (Loss(what, text("judge.loss.from-next-vm-start"), text("judge.loss.until-put-back")),)


def _vm_gives_back(host: Host, vm: Vm, *, but: PciAddress | None = None) -> tuple[Loss, ...]:
    cards = host.gpus.value if isinstance(host.gpus, Known) else ()
    mine = [card for card in cards if card.address != but and uses_card(vm, card)]
    names = [card_name(card) for card in mine]
    read = {card.address for card in mine}
    names += [
        plain(one.gpu.short)
        for one in vm.graphics
        if one.gpu is not None and one.gpu not in read and one.gpu != but and _is_given(vm, one.gpu)
    ]
    found = [text("judge.loss.vm-card", vm=vm.name, card=name) for name in names]
    shared = [host.gpu_at(one.gpu) for one in vm.graphics if one.mode in _CUT_BY_A_DRIVER and one.gpu is not None]
    found += [text("judge.loss.vm-share", vm=vm.name, card=card_name(card)) for card in shared if card is not None]
    return _from_next_start(*found)


def _vm_leaves_glass(vm: Vm) -> tuple[Loss, ...]:
    return _from_next_start(text("judge.loss.looking-glass")) if vm.looking_glass else ()


def _from_next_start(*found: Text) -> tuple[Loss, ...]:
    when, until = text("judge.loss.from-next-vm-start"), text("judge.loss.until-given-again")
    return tuple(Loss(one, when, until) for one in found)


def _no_3d(vm: Vm) -> tuple[Loss, ...]:
    if all(one.mode not in DRAWS_ON_A_CARD for one in vm.graphics):
        return ()
    what, when = text("judge.loss.vm-3d", vm=vm.name), text("judge.loss.from-next-vm-start")
    return (Loss(what, when, text("judge.loss.until-other-mode")),)


def _is_given(vm: Vm, address: PciAddress) -> bool:
    return any(one.pci == address for one in vm.hostdevs)
