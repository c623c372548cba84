# SPDX-License-Identifier: GPL-3.0-or-later
"""What could keep a restart from ending at a login: a warning where the former start returns by itself, else a stop."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from fakes import hosts
from fakes.hosts import UNREAD, known, output
from machines.build import place_of
from vitrail.judge.guard import judge_guard
from vitrail.judge.restart import restart_findings
from vitrail.model.boot import BootFile
from vitrail.model.finding import Finding, Severity, Status
from vitrail.model.machine import Gpu, Host
from vitrail.model.plan import Guard, GuardStrength
from vitrail.model.trial import OneShot
from vitrail.service.places import open_place

AUTOMATIC = Guard(GuardStrength.AUTOMATIC, OneShot.GRUB, ())
ALONE = Guard(GuardStrength.GUARD_UNIT, None, ())
LIT = (output("HDMI-A-1"),)
DARK = (output(connected=False),)


def machine(first: str = "staying", staying: Any = LIT, **said: Any) -> tuple[Host, Gpu]:
    """Two cards; `first` is the one with the firmware's picture. Facts of the setup may be said."""
    given = hosts.nvidia_card(boot_vga=first == "given", outputs=LIT)
    other = hosts.amd_integrated(boot_vga=first == "staying", outputs=staying)
    host = hosts.host(given, other)
    setup = replace(host.boot.setup, **{key: known(value) if key != "files" else value for key, value in said.items()})
    return replace(host, boot=replace(host.boot, setup=setup)), given


def found(name: str, at: tuple[Host, Gpu], guard: Guard = ALONE) -> Finding:
    (finding,) = (one for one in restart_findings(*at, guard) if one.id == f"restart.{name}")
    return finding


def test_a_plan_without_a_restart_has_nothing_to_say():
    assert restart_findings(*machine(asks_passphrase=True), None) == ()


def test_a_plain_machine_passes_everything():
    assert {one.status for one in restart_findings(*machine(), ALONE)} == {Status.PASS}


def test_a_prompt_on_a_card_that_stays_passes():
    finding = found("passphrase-dark", machine(asks_passphrase=True))
    assert (finding.status, finding.title.id) == (Status.PASS, "judge.restart.prompt-stays")


@pytest.mark.parametrize("fact", ["asks_passphrase", "sealed_unlock"])
@pytest.mark.parametrize(
    ("first", "staying", "title"),
    [
        ("given", LIT, "prompt-moves"),
        ("given", DARK, "prompt-dark"),
        ("staying", DARK, "prompt-dark"),
        ("neither", LIT, "prompt-moves"),
    ],
)
def test_a_prompt_that_may_be_on_a_dark_screen_stops(fact, first, staying, title):
    finding = found("passphrase-dark", machine(first, staying, **{fact: True}))
    assert (finding.title.id, finding.stops) == (f"judge.restart.{title}", True)


def test_a_prompt_that_may_be_dark_only_warns_where_the_former_start_returns():
    finding = found("passphrase-dark", machine("given", DARK, asks_passphrase=True), AUTOMATIC)
    assert (finding.status, finding.severity) == (Status.FAIL, Severity.WARNS)


def test_a_card_that_is_kept_for_vms_shows_no_prompt():
    host, given = machine(asks_passphrase=True)
    other = next(one for one in host.gpus.value if one is not given)  # type: ignore[union-attr]
    kept = replace(other, device=replace(other.device, driver=known("vfio-pci")))
    finding = found("passphrase-dark", (replace(host, gpus=known((given, kept))), given))
    assert finding.stops


def test_a_prompt_that_nobody_could_tell_of_stops_where_it_would_be_dark():
    finding = found("passphrase-dark", machine("given", DARK, asks_passphrase=UNREAD))
    assert (finding.status, finding.stops) == (Status.UNKNOWN, True)
    assert found("passphrase-dark", machine(asks_passphrase=UNREAD)).status is Status.PASS


@pytest.mark.parametrize(("value", "status"), [(True, Status.FAIL), (UNREAD, Status.UNKNOWN)])
def test_a_disk_that_depends_on_the_start(value, status):
    at = machine(sealed_unlock=value)
    assert (found("sealed-unlock", at).status, found("sealed-unlock", at).stops) == (status, True)
    assert (found("sealed-unlock", at, AUTOMATIC).status, found("sealed-unlock", at, AUTOMATIC).stops) == (
        status,
        False,
    )


def test_another_one_shot_that_is_pending_stops_and_is_named():
    finding = found("one-shot-pending", machine(one_shot="memtest"), AUTOMATIC)
    assert finding.stops
    assert ("entry", "memtest") in finding.title.args


def test_a_one_shot_that_could_not_be_looked_for_warns():
    finding = found("one-shot-pending", machine(one_shot=UNREAD))
    assert (finding.status, finding.stops) == (Status.UNKNOWN, False)


def test_files_that_only_root_reads_are_named():
    files = (BootFile("boot/grub/grubenv", UNREAD), BootFile("etc/default/grub", known("GRUB_TIMEOUT=5")))
    finding = found("boot-unreadable", machine(files=files))
    assert (finding.status, finding.severity) == (Status.UNKNOWN, Severity.WARNS)
    assert [one.source for one in finding.evidence] == ["/boot/grub/grubenv"]


def test_images_that_could_not_be_listed_are_said():
    assert found("boot-unreadable", machine(images=UNREAD)).status is Status.UNKNOWN


RECORDED = {
    "fedora-sealed": {"sealed-unlock": Severity.WARNS},
    "arch-grub": {"passphrase-dark": Severity.WARNS},
    "cachyos-limine": {"passphrase-dark": Severity.BLOCKS},
    "pop-two": {},
    "ubuntu-lvm": {},
    "demo": {},
}


@pytest.mark.parametrize("name", RECORDED)
def test_recorded_machines(name, tmp_path):
    host = open_place("demo" if name == "demo" else str(place_of(name)), None, state_folder=tmp_path).read()
    given = host.gpu_at(hosts.at("01:00.0")) or host.gpu_at(hosts.at("09:00.0"))
    assert given is not None
    findings = restart_findings(host, given, judge_guard(host))
    said = {one.id.removeprefix("restart."): one.severity for one in findings if one.status is not Status.PASS}
    assert said == RECORDED[name]
