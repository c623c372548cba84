# SPDX-License-Identifier: GPL-3.0-or-later
"""What this computer and the VM go without, from when and until when."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fakes.hosts import (
    DISPLAY_3D,
    INTEL,
    NVIDIA,
    SETUP,
    UNREAD,
    amd_integrated,
    at,
    device,
    given,
    gpu,
    holders,
    host,
    known,
    nvidia_card,
    output,
    process,
    vm,
)
from fakes.starts import started
from vitrail.judge.losses import losses
from vitrail.model.choice import CHOICE_OF, Choice, Passthrough, SingleGpu, Virgl, Virtio, make_choice
from vitrail.model.machine import Host
from vitrail.model.mode import Mode
from vitrail.model.plan import Loss
from vitrail.model.text import text
from vitrail.model.vm import Vm, VmGraphics

GIVE = Passthrough(at("01:00.0"))


def _what(machine: Host, choice: Choice = GIVE, of: Vm | None = None) -> dict[str, Loss]:
    return {one.what.id.removeprefix("judge.loss."): one for one in losses(machine, of or vm(), choice)}


def test_every_screen_is_named_with_its_monitor():
    card = nvidia_card(outputs=(output("DP-1"), output("DP-2", display=None), output("HDMI-A-1", connected=False)))
    screens = [one for one in losses(host(amd_integrated(), card), vm(), GIVE) if one.what.id == "judge.loss.screen"]
    assert [dict(one.what.args)["monitor"].id for one in screens] == ["judge.monitor.named", "judge.monitor.unnamed"]


def test_a_free_card_is_away_while_the_vm_runs():
    loss = _what(host(amd_integrated(), nvidia_card()))["sound"]
    assert (loss.when.id, loss.until.id) == ("judge.loss.from-vm-start", "judge.loss.until-vm-off")


def test_a_card_in_use_is_away_from_the_restart_until_it_is_taken_back():
    loss = _what(host(amd_integrated(), nvidia_card(outputs=(output(),))))["screen"]
    assert (loss.when.id, loss.until.id) == ("judge.loss.from-restart", "judge.loss.until-taken-back")


def test_the_only_card_takes_every_picture_along():
    assert "only-screen" in _what(host(nvidia_card(boot_vga=True)))


@pytest.mark.parametrize(("asks", "passphrase"), [(True, "passphrase"), (False, None), (UNREAD, "passphrase-perhaps")])
def test_where_logo_passphrase_and_login_will_be_seen_is_said(asks, passphrase):
    stays = amd_integrated(boot_vga=False)
    found = _what(host(stays, nvidia_card(boot_vga=True), setup=replace(SETUP, asks_passphrase=known(asks))))
    first, login = (dict(found[name].what.args)["where"] for name in ("logo", "login"))
    assert [dict(one.args)["address"] for one in (first, login)] == ["01:00.0", "15:00.0"]
    assert [name for name in found if name.startswith("passphrase")] == ([passphrase] if passphrase else [])


def test_what_a_trial_takes_is_away_for_one_start():
    trial = _what(started("grub-debian", amd_integrated(), nvidia_card(outputs=(output(),))))["screen"]
    assert (trial.when.id, trial.until.id) == ("judge.loss.from-restart", "judge.loss.until-trial-ends")


def test_usb_and_the_keyboard_on_it_are_named():
    machine = host(amd_integrated(), nvidia_card(), input_controllers=((at("15:00.3"), "Keyboard"),))
    found = _what(machine, Passthrough(at("15:00.0")))
    assert "usb" in found
    assert dict(found["device"].what.args)["name"] == "Keyboard"


def test_programs_that_use_the_card_are_named():
    machine = host(amd_integrated(), nvidia_card(holders=holders(*(process(f"p{n}", n) for n in range(9)))))
    assert "programs" in _what(machine)


def test_memory_and_saving_are_named_though_the_card_does_not_show_a_thing():
    silent = gpu(device("01:00.0", DISPLAY_3D, NVIDIA, 0x2235, group=14), outputs=())
    found = _what(host(amd_integrated(), silent))
    assert set(found) == {"memory", "saving"}
    assert dict(found["memory"].what.args) == {"mib": 8192}


def test_screens_that_were_not_read_are_said_to_be_unread():
    assert "screens-unread" in _what(host(amd_integrated(), nvidia_card(outputs=UNREAD)))


def test_dropping_the_emulated_screen_is_a_loss():
    assert "emulated-screen" in _what(host(amd_integrated(), nvidia_card()), Passthrough(at("01:00.0"), "drop"))


def test_a_single_card_comes_back_when_the_vm_stops():
    found = _what(host(nvidia_card(boot_vga=True, outputs=(output(),))), SingleGpu(at("01:00.0")))
    assert found["screen"].until.id == "judge.loss.until-vm-off"


def test_a_virtual_screen_takes_the_card_from_the_vm():
    machine = host(amd_integrated(), nvidia_card())
    found = _what(machine, Virtio(), vm(hostdevs=given("01:00.0", "01:00.1")))
    assert set(found) == {"vm-card"}


def test_a_vm_with_a_virtual_function_loses_that_one_only():
    whole = gpu(device("09:00.0", DISPLAY_3D, INTEL, 0xE212, group=15))
    parts = tuple(
        gpu(device(f"09:00.{number}", DISPLAY_3D, INTEL, 0xE212, group=15 + number, physical="09:00.0"))
        for number in (1, 2)
    )
    found = losses(host(amd_integrated(), whole, *parts), vm(hostdevs=given("09:00.1")), Virtio())
    assert [one.what.id for one in found] == ["judge.loss.vm-card"]
    assert dict(dict(found[0].what.args)["card"].args)["address"] == "09:00.1"


@pytest.mark.parametrize("choice", [Virtio(), Virgl()])
def test_a_vm_without_a_card_loses_nothing_by_a_virtual_screen(choice):
    assert losses(host(amd_integrated(), nvidia_card()), vm(), choice) == ()


def test_a_card_that_does_not_exist_loses_nothing():
    assert losses(host(), vm(), GIVE) == ()


@pytest.mark.parametrize("mode", Mode)
def test_every_mode_has_its_losses(mode):
    address = at("01:00.0") if "gpu" in CHOICE_OF[mode].__dataclass_fields__ else None
    losses(host(amd_integrated(), nvidia_card()), vm(), make_choice(mode, address, {}))


def test_another_card_instead_is_a_card_that_the_vm_gives_back():
    machine = host(amd_integrated(), nvidia_card(), nvidia_card("02", 15))
    found = losses(machine, vm(hostdevs=given("02:00.0", "02:00.1")), GIVE)
    assert [dict(dict(one.what.args)["card"].args)["address"] for one in found if one.what.id.endswith("vm-card")] == [
        "02:00.0"
    ]
    assert "vm-card" not in _what(machine, GIVE, vm(hostdevs=given("01:00.0", "01:00.1")))


def test_a_share_that_a_driver_cut_is_given_back_too():
    share = VmGraphics(Mode.VGPU, at("01:00.0"), text("tests.share"))
    assert "vm-share" in _what(host(amd_integrated(), nvidia_card()), Virtio(), vm(graphics=(share,)))


@pytest.mark.parametrize(("choice", "lost"), [(Virtio(), True), (Virgl(), False), (GIVE, False)])
def test_3d_is_lost_only_to_a_picture_without_it(choice: Choice, lost: bool):
    drawn = VmGraphics(Mode.VIRGL, at("0e:00.0"), text("tests.drawn"))
    assert ("vm-3d" in _what(host(amd_integrated(), nvidia_card()), choice, vm(graphics=(drawn,)))) is lost
