# SPDX-License-Identifier: GPL-3.0-or-later
"""The early script as a shell runs it in an initramfs: by token, by address, by identity, or not at all."""

from __future__ import annotations

import subprocess

import pytest

from helper.bench import CARD, CARDS, PLAN_ID, SOUND, make_machine, program
from vitrail.model.boot import InitramfsTool
from vitrail.model.early_script import CARRIED, TRIAL_EARLY
from vitrail.model.host_step import Fixed, FixedFile
from vitrail.model.render import render

pytestmark = pytest.mark.real

TOKEN = f"vitrail.plan={PLAN_ID}"


@pytest.fixture
def machine(tmp_path):
    root = make_machine(tmp_path / "root")
    (root / "etc/vitrail").mkdir()
    (root / "etc/vitrail/reserved-cards").write_bytes(render(CARDS, None))
    (root / "dev/kmsg").write_text("")
    (root / "sys/bus/pci/drivers_probe").write_text("")
    for identity in (CARD, SOUND):
        (device(root, identity) / "driver_override").write_text("(null)\n")
    program(root, "usr/sbin/modprobe", "")
    for which in (Fixed.INITRAMFS_TOOLS_EARLY, Fixed.DRACUT_EARLY, Fixed.MKINITCPIO_HOOK):
        path = root / which.value
        path.write_bytes(render(FixedFile(which), None))
        path.chmod(0o755)
    return root


def device(root, identity):
    return root / f"sys/devices/pci0000:00/{identity.address}"


def start(root, line, which=Fixed.INITRAMFS_TOOLS_EARLY):
    """The drivers that are asked for after a start with this command line."""
    (root / "proc/cmdline").write_text(f"BOOT_IMAGE=/vmlinuz root=/dev/vda1 {line}\n")
    way = f". /{which.value}; run_earlyhook" if which is Fixed.MKINITCPIO_HOOK else f". /{which.value}"
    subprocess.run(["chroot", root, "/bin/sh", "-ec", way], check=True, env={"PATH": "/usr/sbin"})
    return [(device(root, identity) / "driver_override").read_text().strip() for identity in (CARD, SOUND)]


@pytest.mark.parametrize("which", [Fixed.INITRAMFS_TOOLS_EARLY, Fixed.DRACUT_EARLY, Fixed.MKINITCPIO_HOOK])
def test_with_the_token_the_cards_are_reserved(machine, which):
    assert start(machine, TOKEN, which) == ["vfio-pci", "vfio-pci"]
    assert "modprobe -a vfio_pci vfio_iommu_type1" in (machine / "calls").read_text()


@pytest.mark.parametrize(
    "line", ["", "vitrail.plan=", f"{TOKEN}0", f"x{TOKEN}", f"{TOKEN} vitrail=off", "vitrail.plan=ffffffffffffffff"]
)
def test_without_the_token_nothing_is_done(machine, line):
    assert start(machine, line) == ["(null)", "(null)"]
    assert not (machine / "calls").exists()


@pytest.mark.parametrize("name", ["vendor", "device", "subsystem_device"])
def test_another_device_at_one_address_stops_the_whole_plan(machine, name):
    (device(machine, CARD) / name).write_text("0x1234\n")
    assert start(machine, TOKEN) == ["(null)", "(null)"]
    assert "nothing is done" in (machine / "dev/kmsg").read_text()


def test_a_device_that_is_gone_stops_the_whole_plan(machine):
    (machine / f"sys/bus/pci/devices/{SOUND.address}").unlink()
    assert start(machine, TOKEN) == ["(null)", "(null)"]


def test_a_device_that_has_a_driver_stops_the_whole_plan(machine):
    (machine / "sys/bus/pci/drivers/nouveau").mkdir(parents=True)
    (device(machine, CARD) / "driver").symlink_to("/sys/bus/pci/drivers/nouveau")
    assert start(machine, TOKEN) == ["(null)", "(null)"]


def test_without_a_table_nothing_is_done(machine):
    (machine / "etc/vitrail/reserved-cards").unlink()
    assert start(machine, TOKEN) == ["(null)", "(null)"]


class TestInATrial:
    """The same script, with its modules along and insmod in place of modprobe."""

    @pytest.fixture(params=TRIAL_EARLY)
    def script(self, request, machine):
        path = machine / "trial"
        path.write_text(TRIAL_EARLY[request.param])
        carried = machine / CARRIED
        carried.mkdir(parents=True)
        for name in ("10-irqbypass", "11-vfio", "12-vfio_pci_core", "13-vfio_pci"):
            (carried / f"{name}.ko").write_text("")
        (machine / "sys/module/irqbypass").mkdir(parents=True)
        program(machine, f"{CARRIED}/insmod", "")
        return ". /trial; run_earlyhook" if request.param is InitramfsTool.MKINITCPIO else ". /trial"

    def start(self, machine, script, line):
        (machine / "proc/cmdline").write_text(f"BOOT_IMAGE=/vmlinuz root=/dev/vda1 {line}\n")
        subprocess.run(["chroot", machine, "/bin/sh", "-ec", script], check=True, env={"PATH": "/usr/sbin"})
        return [(device(machine, identity) / "driver_override").read_text().strip() for identity in (CARD, SOUND)]

    def test_the_cards_are_reserved_and_modules_loaded_in_their_order(self, machine, script):
        assert self.start(machine, script, f"{TOKEN} vfio_pci.disable_vga=1 x=*") == ["vfio-pci", "vfio-pci"]
        assert (machine / "calls").read_text().splitlines() == [
            f"insmod /{CARRIED}/11-vfio.ko",
            f"insmod /{CARRIED}/12-vfio_pci_core.ko",
            f"insmod /{CARRIED}/13-vfio_pci.ko disable_vga=1",
        ]

    @pytest.mark.parametrize("line", ["", f"{TOKEN} vitrail=off", f"{TOKEN}0", f"vitrail.refused={PLAN_ID}"])
    def test_without_the_token_nothing_is_loaded(self, machine, script, line):
        assert self.start(machine, script, line) == ["(null)", "(null)"]
        assert not (machine / "calls").exists()

    def test_another_device_stops_the_whole_plan(self, machine, script):
        (device(machine, CARD) / "vendor").write_text("0x1234\n")
        assert self.start(machine, script, TOKEN) == ["(null)", "(null)"]
        assert "nothing is done" in (machine / "dev/kmsg").read_text()

    def test_a_module_that_cannot_be_loaded_is_told_and_the_start_goes_on(self, machine, script):
        program(machine, f"{CARRIED}/insmod", "exit 1\n")
        assert self.start(machine, script, TOKEN) == ["vfio-pci", "vfio-pci"]
        assert "vfio_pci could not be loaded" in (machine / "dev/kmsg").read_text()


@pytest.mark.parametrize("family", TRIAL_EARLY)
def test_a_trial_s_script_parses(tmp_path, family):
    path = tmp_path / "script"
    path.write_text(TRIAL_EARLY[family])
    for shell in ("sh", "dash", "bash"):
        subprocess.run([shell, "-n", path], check=True)
