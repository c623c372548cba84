# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's own negative controls: what must fail, fails, at once and for the right reason.

A lab whose tests cannot fail proves nothing. Each of these was a way in which an earlier harness reported success.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from lab.disks import machine
from lab.machine import SHUT_DOWN, Machine
from lab.mailbox import CommandFailedError, GuestDiedError, LabError, LateError
from lab.wiring import CARD, NIC, Hardware, Slot

ONE_CARD = Hardware((Slot((CARD,)),))


@pytest.fixture(scope="module")
def running() -> Iterator[Machine]:
    """One machine for the controls that leave it as it is."""
    with machine(ONE_CARD, name="controls") as made:
        yield made


def test_a_false_claim_fails(running):
    assert running.driver_of("0000:01:00.0") == "bochs-drm"
    with pytest.raises(AssertionError):
        assert running.driver_of("0000:01:00.0") == "vfio-pci"


def test_a_wrong_wiring_shows(running):
    def ids_fit(hardware: Hardware) -> bool:
        (wired,) = hardware.wired()
        seen = running.read(f"/sys/bus/pci/devices/{wired.address}/device").strip()
        return seen == f"0x{wired.part.device_id}"

    assert ids_fit(ONE_CARD)
    assert not ids_fit(Hardware((Slot((NIC,)),)))


def test_a_command_that_fails_is_an_error_with_its_words(running):
    with pytest.raises(CommandFailedError, match=r"status 3(.|\n)*said aloud"):
        running.run("echo said aloud >&2; exit 3")
    assert running.run("exit 3", ok=False).status == 3


def test_a_command_without_an_end_is_late(running):
    began = time.monotonic()
    with pytest.raises(LateError, match="no answer"):
        running.run("sleep 1000", limit_s=3)
    assert time.monotonic() - began < 20


def test_without_a_restart_a_wait_for_one_fails(running):
    with pytest.raises(LabError, match="no restart"):
        running.wait_ready(limit_s=5)


def test_a_machine_that_stays_silent_is_late_and_not_ready():
    with machine(ONE_CARD, name="silent", on=False) as made:
        made.power_on()
        with pytest.raises(LateError, match="not ready"):
            made.wait_ready(limit_s=1)


def test_a_machine_that_cannot_start_is_noticed():
    broken = Hardware((Slot((CARD,)),), qemu=("-device", "no-such-device"))
    with machine(broken, name="broken", on=False) as made:
        made.power_on()
        with pytest.raises(GuestDiedError, match="no-such-device"):
            made.wait_ready(limit_s=60)


def test_a_kernel_that_panics_is_noticed_before_the_limit():
    hopeless = Hardware((), arguments="root=LABEL=nowhere init=/nowhere rootdelay=1 panic=-1")
    began = time.monotonic()
    with machine(hopeless, name="panic", on=False) as made:
        made.power_on()
        with pytest.raises(GuestDiedError):
            made.wait_ready(limit_s=300)
    assert time.monotonic() - began < 200


def test_a_machine_that_dies_during_a_command_is_noticed_at_once():
    with machine(ONE_CARD, name="dies") as made:
        began = time.monotonic()
        with pytest.raises(GuestDiedError):
            made.run("echo o >/proc/sysrq-trigger; sleep 1000", limit_s=300)
        assert time.monotonic() - began < 60


def test_a_kernel_that_panics_after_it_answered_is_noticed():
    with machine(Hardware((Slot((CARD,)),), arguments="panic=0"), name="late-panic") as made:
        began = time.monotonic()
        with pytest.raises(GuestDiedError, match="gave up"):
            made.run("echo c >/proc/sysrq-trigger; sleep 1000", limit_s=300)
        assert time.monotonic() - began < 60


def test_a_reset_is_no_shut_down():
    with machine(ONE_CARD, name="reset") as made:
        made.begin("echo b >/proc/sysrq-trigger")
        with pytest.raises(LabError, match="ended by guest-reset"):
            made.wait_off(60, SHUT_DOWN)


def test_a_power_cut_loses_what_was_not_written_and_a_restart_has_another_boot(running):
    running.run("echo kept >/root/kept; sync; echo lost >/root/lost")
    first = running.boot_id
    running.power_cut()
    with pytest.raises(GuestDiedError):
        running.run("true")
    running.power_on()
    running.wait_ready()
    assert running.boot_id != first
    assert running.read("/root/kept") == "kept\n"
    assert not running.exists("/root/lost")
