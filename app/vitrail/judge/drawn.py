# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures that this computer draws for the VM: virtio, virgl, Venus, native context, QXL and the plainest ones.

They work on nearly every machine; what decides is what this QEMU was built with, a card to draw on, and what runs
inside.
"""

from __future__ import annotations

import re
from typing import assert_never

from vitrail.judge.card import VFIO, bound_to, whole_cards
from vitrail.judge.conclude import failed, not_known, passed, seen
from vitrail.judge.qemu import Capabilities, offers_screen, offers_video
from vitrail.judge.vmstate import system_name
from vitrail.judge.words import card_name
from vitrail.model.choice import Basic, NativeContext, Qxl, Venus, Virgl, Virtio
from vitrail.model.finding import Evidence, Finding, Severity, Status
from vitrail.model.machine import Gpu, Host
from vitrail.model.mode import DRAWS_ON_A_CARD
from vitrail.model.pci import PciAddress
from vitrail.model.reading import Known, Unknown
from vitrail.model.text import text
from vitrail.model.vm import GuestSystem, Vm

Drawn = Virtio | Virgl | Venus | NativeContext | Qxl | Basic

_NVIDIA_ID = 0x10DE
_BASIC_MODELS = ("vga", "bochs", "ramfb")
_MACHINE_VERSION = re.compile(r"-(\d+)\.(\d+)$")
_VENUS_SINCE = (9, 2)
_NATIVE_SINCE = (11, 1)


def drawn_findings(host: Host, vm: Vm, choice: Drawn, capabilities: Capabilities) -> tuple[Finding, ...]:
    """Everything that was looked at for a picture drawn by this computer."""
    match choice:
        case Virtio(screen=screen):
            return (*offers_video(capabilities, ("virtio",)), *_screen(vm, screen, capabilities), *_virtio_driver(vm))
        case Qxl(screen=screen):
            return (*offers_video(capabilities, ("qxl",)), *_screen(vm, screen, capabilities))
        case Basic(screen=screen):
            return (*offers_video(capabilities, _BASIC_MODELS), *_screen(vm, screen, capabilities))
        case Virgl(gpu=gpu, screen=screen):
            ways = (screen,) if screen == "spice" else ("egl-headless",)
            return (*_drawn_in_3d(host, vm, gpu, capabilities, ways), _proof_of_3d())
        case Venus(gpu=gpu):
            base = _drawn_in_3d(host, vm, gpu, capabilities, ("egl-headless", "spice", "dbus"))
            return (*base, *_new_enough(capabilities, _VENUS_SINCE), _venus_doubts())
        case NativeContext(gpu=gpu):
            base = _drawn_in_3d(host, vm, gpu, capabilities, ("egl-headless", "spice", "dbus"))
            return (*base, *_new_enough(capabilities, _NATIVE_SINCE), _native_doubts())
        case _:
            assert_never(choice)


def _screen(vm: Vm, screen: str, capabilities: Capabilities) -> tuple[Finding, ...]:
    if screen != "keep":
        return offers_screen(capabilities, (screen,))
    # With nothing to keep, VNC on loopback is added.
    return () if vm.screens else offers_screen(capabilities, ("vnc",))


def _virtio_driver(vm: Vm) -> tuple[Finding, ...]:
    if isinstance(vm.guest, Known) and vm.guest.value is GuestSystem.WINDOWS:
        title = text("judge.guest.virtio-windows")
        remedy = text("judge.guest.virtio-windows-remedy")
        return (failed("guest.driver", Severity.INFO, title, remedy, seen(vm.guest)),)
    return ()


def _drawn_in_3d(
    host: Host, vm: Vm, gpu: PciAddress | None, capabilities: Capabilities, ways: tuple[str, ...]
) -> tuple[Finding, ...]:
    return (
        *offers_video(capabilities, ("virtio",)),
        *offers_screen(capabilities, ways),
        *_a_card_draws(host, gpu or _draws_now(host, vm)),
        _linux_inside(vm),
    )


def _linux_inside(vm: Vm) -> Finding:
    name = "guest.fits"
    if isinstance(vm.guest, Unknown):
        title = text("judge.guest.3d-unknown", reason=vm.guest.reason)
        return not_known(name, Severity.WARNS, title, text("judge.guest.3d-unknown-remedy"))
    match vm.guest.value:
        case GuestSystem.LINUX:
            return passed(name, Severity.WARNS, text("judge.guest.3d-linux"), seen(vm.guest))
        case GuestSystem.WINDOWS:
            title = text("judge.guest.3d-windows")
            return failed(name, Severity.WARNS, title, text("judge.guest.3d-other-way"), seen(vm.guest))
        case GuestSystem.MACOS | GuestSystem.BSD:
            title = text("judge.guest.3d-other", system=system_name(vm.guest.value))
            return failed(name, Severity.WARNS, title, text("judge.guest.3d-other-way"), seen(vm.guest))


def _draws_now(host: Host, vm: Vm) -> PciAddress | None:
    """The card of this machine that the VM draws on by its definition: a plan that names none leaves it so."""
    named = (one.gpu for one in vm.graphics if one.mode in DRAWS_ON_A_CARD)
    return next((one for one in named if one is not None and host.gpu_at(one) is not None), None)


def _a_card_draws(host: Host, address: PciAddress | None) -> tuple[Finding, ...]:
    if address is not None:
        gpu = host.gpu_at(address)
        # That there is no such card is said by whoever looks the card up.
        return draws(gpu) if gpu is not None else ()
    if isinstance(host.gpus, Unknown):
        title = text("judge.draws.no-cards-read", reason=host.gpus.reason)
        return (not_known("card.draws", Severity.WARNS, title, text("judge.draws.look")),)
    each = [draws(card) for card in whole_cards(host)]
    if not each:
        return (failed("card.draws", Severity.WARNS, text("judge.draws.no-card"), text("judge.draws.plug-in")),)
    # Which one draws is QEMU's pick; a card that is known to do it well shows that it can be done.
    able = [found for found in each if found[0].status is Status.PASS]
    ready = min(able, key=len, default=None)
    open_ones = next((found for found in each if found[0].status == "unknown"), None)
    if ready is not None:
        return (*ready, *_doubtful_pick(able)) if len(ready) == 1 else ready
    if open_ones is not None:
        return open_ones
    return (failed("card.draws", Severity.WARNS, text("judge.draws.none"), text("judge.draws.none-remedy")),)


def _doubtful_pick(able: list[tuple[Finding, ...]]) -> tuple[Finding, ...]:
    """Beside a card that draws well, one that often does not: QEMU may take either."""
    doubtful = next((found for found in able if len(found) > 1), None)
    if doubtful is None:
        return ()
    title = text("judge.draws.nvidia-maybe", doubt=doubtful[1].title)
    return (failed(doubtful[1].id, Severity.WARNS, title, text("judge.draws.name-card")),)


def draws(gpu: Gpu) -> tuple[Finding, ...]:
    """Whether this card can draw for a VM: it has a render node. The first finding is the verdict."""
    name = "card.draws"
    card = card_name(gpu)
    if bound_to(gpu.device, VFIO):
        title = text("judge.draws.kept-free", card=card)
        return (failed(name, Severity.BLOCKS, title, text("judge.draws.other-card"), seen(gpu.device.driver)),)
    if isinstance(gpu.render_node, Unknown):
        title = text("judge.draws.unknown", card=card, reason=gpu.render_node.reason)
        return (not_known(name, Severity.WARNS, title, text("judge.draws.look")),)
    if gpu.render_node.value is None:
        title = text("judge.draws.no", card=card)
        return (failed(name, Severity.BLOCKS, title, text("judge.draws.other-card"), seen(gpu.device.driver)),)
    found = [passed(name, Severity.BLOCKS, text("judge.draws.yes", card=card), seen(gpu.render_node))]
    if bound_to(gpu.device, "nvidia"):
        title = text("judge.draws.nvidia", card=card)
        found.append(failed("card.draws-nvidia", Severity.WARNS, title, text("judge.draws.other-card")))
    return tuple(found)


def _proof_of_3d() -> Finding:
    # Domain capabilities are silent about 3D; libvirt refuses at define where the device is missing.
    return passed("drawn.proof", Severity.INFO, text("judge.draws.proof"))


def _new_enough(capabilities: Capabilities, since: tuple[int, int]) -> tuple[Finding, ...]:
    name = "drawn.needs"
    wanted = ".".join(str(part) for part in since)
    version = _at_least(capabilities)
    if version is not None and version >= since:
        evidence = (Evidence("machine", ".".join(str(part) for part in version)),)
        return (passed(name, Severity.WARNS, text("judge.draws.new-enough", version=wanted), evidence),)
    title = text("judge.draws.version-unknown", version=wanted)
    return (not_known(name, Severity.WARNS, title, text("judge.draws.version-remedy")),)


def _at_least(capabilities: Capabilities) -> tuple[int, int] | None:
    """The QEMU version that the newest machine type proves; the VM's own type may be older than the program."""
    if isinstance(capabilities, Unknown):
        return None
    match = _MACHINE_VERSION.search(capabilities.value.machine)
    return (int(match[1]), int(match[2])) if match else None


def _venus_doubts() -> Finding:
    return not_known("drawn.needs", Severity.WARNS, text("judge.venus.doubt"), text("judge.venus.remedy"))


def _native_doubts() -> Finding:
    return not_known("drawn.needs", Severity.WARNS, text("judge.native.doubt"), text("judge.native.remedy"))


def native_on(gpu: Gpu) -> tuple[Finding, ...]:
    """Native context besides: NVIDIA's driver does not take part."""
    found = draws(gpu)
    if gpu.device.identity.vendor_id == _NVIDIA_ID:
        title = text("judge.native.nvidia")
        found = (
            *found,
            failed("card.native", Severity.BLOCKS, title, text("judge.draws.other-card"), seen(gpu.device.driver)),
        )
    return found
