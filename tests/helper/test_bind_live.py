# SPDX-License-Identifier: GPL-3.0-or-later
"""A device changes its driver while the computer runs only when nobody holds it, and goes back to whom it had."""

from __future__ import annotations

import os
import shutil
import signal
from dataclasses import replace

import pytest

from helper.bench import (
    CARD,
    DISK,
    NEXT_BOOT_ID,
    PLAN_ID,
    SOUND,
    apply_line,
    make_machine,
    plan_of,
    program,
    undo_line,
)
from helper.fake_kernel import PCI, Kernel
from helper.faults import Fault, copy_machine, run_broken
from helper.timeless import state_of
from vitrail.helper import bind_live
from vitrail.helper.door import answer_to
from vitrail.model.binding import VFIO, BindLive
from vitrail.model.host_step import Fixed, FixedFile, HostChange

pytestmark = pytest.mark.real
TO_VMS = (BindLive(CARD, "nouveau", VFIO), BindLive(SOUND, "snd_hda_intel", VFIO))
ADDRESSES = (CARD.address, SOUND.address)


@pytest.fixture
def kernel(tmp_path, monkeypatch):
    kernel = Kernel(make_machine(tmp_path / "root"))
    monkeypatch.setattr(os, "write", kernel.write)
    return kernel


def plan(root, *changes: HostChange):
    return replace(plan_of(root, FixedFile(Fixed.DRACUT_CONF)), steps=changes)


def asked(kernel, line):
    return answer_to(state_of(kernel.root), line)


def applied(kernel, *changes: HostChange):
    return asked(kernel, apply_line(plan(kernel.root, *changes)))


def drivers(kernel):
    return [kernel.driver(address) for address in ADDRESSES]


def refusal(answer):
    assert not answer["ok"], answer
    return answer["error"]


class TestGivingAndBack:
    """Both ways, and what a plan says of it."""

    def test_a_card_that_nobody_holds_goes_to_vfio(self, kernel):
        answer = applied(kernel, *TO_VMS)
        assert answer["ok"], answer
        assert drivers(kernel) == [VFIO, VFIO]
        assert [step["subject"] for step in answer["result"]["steps"]] == [str(address) for address in ADDRESSES]
        assert {step["kind"] for step in answer["result"]["steps"]} == {"bind-live"}

    def test_undo_gives_it_back_to_whom_it_had(self, kernel):
        applied(kernel, *TO_VMS)
        answer = asked(kernel, undo_line(PLAN_ID))
        assert answer["result"][0]["result"] == "taken_back"
        assert drivers(kernel) == ["nouveau", "snd_hda_intel"]
        assert [kernel.override(address) for address in ADDRESSES] == ["(null)\n", "(null)\n"]

    def test_a_device_without_a_driver_has_none_again(self, kernel):
        kernel.give(CARD.address, None)
        assert applied(kernel, BindLive(CARD, None, VFIO))["ok"]
        asked(kernel, undo_line(PLAN_ID))
        assert kernel.driver(CARD.address) is None

    def test_somebody_s_own_override_is_put_back(self, kernel):
        (kernel.device(CARD.address) / "driver_override").write_text("nouveau\n")
        applied(kernel, BindLive(CARD, "nouveau", VFIO))
        asked(kernel, undo_line(PLAN_ID))
        assert kernel.override(CARD.address) == "nouveau\n"

    def test_back_to_the_driver_it_normally_has_is_a_step_too(self, kernel):
        kernel.give(CARD.address, VFIO)
        (kernel.device(CARD.address) / "driver_override").write_text("vfio-pci\n")
        assert applied(kernel, BindLive(CARD, VFIO, "nouveau"))["ok"]
        assert (kernel.driver(CARD.address), kernel.override(CARD.address)) == ("nouveau", "(null)\n")
        asked(kernel, undo_line(PLAN_ID))
        assert (kernel.driver(CARD.address), kernel.override(CARD.address)) == (VFIO, "vfio-pci\n")

    def test_after_a_restart_there_is_nothing_to_give_back(self, kernel):
        applied(kernel, *TO_VMS)
        (kernel.root / "proc/sys/kernel/random/boot_id").write_text(f"{NEXT_BOOT_ID}\n")
        (kernel.root / "kernel-log").unlink()
        answer = asked(kernel, undo_line(PLAN_ID))
        assert [step["result"] for step in answer["result"][0]["steps"]] == ["same", "same"]
        assert not (kernel.root / "kernel-log").exists()

    def test_a_driver_that_somebody_else_chose_meanwhile_is_left(self, kernel):
        applied(kernel, *TO_VMS)
        kernel.give(SOUND.address, "nvme")
        answer = asked(kernel, undo_line(PLAN_ID))
        assert [step["result"] for step in answer["result"][0]["steps"]] == ["taken_back", "left"]
        assert kernel.driver(SOUND.address) == "nvme"
        (kernel.root / PCI / "drivers/nvme/unbind").write_text("")
        asked(kernel, undo_line(PLAN_ID, force=True))
        assert drivers(kernel) == ["nouveau", "snd_hda_intel"]

    def test_vfio_is_loaded_where_it_is_not(self, kernel):
        shutil.rmtree(kernel.root / PCI / "drivers/vfio-pci")
        program(kernel.root, "usr/sbin/modprobe", f"[ $1 = vfio-pci ] || exit 1\n: > /{PCI}/drivers/vfio-pci\n")
        assert applied(kernel, *TO_VMS)["ok"]
        assert drivers(kernel) == [VFIO, VFIO]

    def test_where_it_cannot_be_loaded_nothing_is_touched(self, kernel):
        shutil.rmtree(kernel.root / PCI / "drivers/vfio-pci")
        program(kernel.root, "usr/sbin/modprobe", "exit 1\n")
        assert refusal(applied(kernel, *TO_VMS))["args"]["reason"] == "tool-missing"
        assert drivers(kernel) == ["nouveau", "snd_hda_intel"]
        assert not (kernel.root / "kernel-log").exists()


class TestWhoHoldsIt:
    """Named, with what kind of holder it is; and nothing is written."""

    @pytest.fixture(autouse=True)
    def nodes(self, kernel):
        kernel.node(CARD.address, "drm/card1", "dri/card1")
        kernel.node(CARD.address, "drm/renderD129", "dri/renderD129")
        kernel.node(CARD.address, "i2c-5/i2c-dev/i2c-5", "i2c-5")
        kernel.node(SOUND.address, "sound/card2/controlC2", "snd/controlC2")
        kernel.node(SOUND.address, "sound/card2/pcmC2D3p", "snd/pcmC2D3p")

    @pytest.mark.parametrize(
        ("pid", "name", "file", "address"),
        [
            (700, "gnome-shell", "/dev/dri/card1", CARD.address),
            (701, "firefox", "/dev/dri/renderD129", CARD.address),
            (702, "ddcutil", "/dev/i2c-5", CARD.address),
            (703, "alsamixer", "/dev/snd/controlC2", SOUND.address),
            (704, "mpv", "/dev/snd/pcmC2D3p (deleted)", SOUND.address),
        ],
    )
    def test_a_program(self, kernel, pid, name, file, address):
        kernel.hold(pid, name, "/dev/null", file)
        error = refusal(applied(kernel, *TO_VMS))
        assert error["kind"] == "held"
        assert error["args"] == {
            "address": str(address),
            "holders": f"{name} ({pid})",
            "kinds": "program",
            "count": 1,
        }
        assert drivers(kernel) == ["nouveau", "snd_hda_intel"]
        assert not (kernel.root / "kernel-log").exists()

    def test_the_desktop_s_sound_service_is_told_apart(self, kernel):
        kernel.hold(703, "wireplumber", "/dev/snd/controlC2")
        args = refusal(applied(kernel, *TO_VMS))["args"]
        assert (args["holders"], args["kinds"]) == ("wireplumber (703)", "sound")

    def test_the_files_of_another_card_hold_nothing(self, kernel):
        kernel.hold(700, "gnome-shell", "/dev/dri/card0", "/dev/dri/card10", "/dev/snd/controlC0", "/dev/vfio/vfio")
        assert applied(kernel, *TO_VMS)["ok"]

    def test_a_vm_on_the_way_back(self, kernel):
        applied(kernel, *TO_VMS)
        (kernel.device(CARD.address) / "iommu_group").symlink_to("/sys/kernel/iommu_groups/14")
        (kernel.root / "sys/kernel/iommu_groups/14").mkdir(parents=True)
        kernel.hold(
            900, "qemu-system-x86", "/dev/vfio/14", line="/usr/bin/qemu-system-x86_64\0-name\0guest=win,debug=on\0"
        )
        answer = asked(kernel, undo_line(PLAN_ID))
        assert answer["result"][0]["result"] == "incomplete"
        (step,) = [step for step in answer["result"][0]["steps"] if step["result"] == "failed"]
        assert (step["subject"], step["detail"]) == (str(CARD.address), "held")
        assert kernel.driver(CARD.address) == VFIO
        error = refusal(
            asked(kernel, apply_line(replace(plan(kernel.root, BindLive(CARD, VFIO, "nouveau")), plan_id="f" * 16)))
        )
        assert error["args"].get("holders") == "win (900)"

    def test_a_nvidia_card_by_its_own_number(self, kernel):
        kernel.give(CARD.address, "nvidia")
        (kernel.root / PCI / "drivers/nvidia").mkdir()
        information = kernel.root / f"proc/driver/nvidia/gpus/{CARD.address}"
        information.mkdir(parents=True)
        (information / "information").write_text("Model: \t X\nDevice Minor: \t 1\n")
        kernel.hold(10, "other", "/dev/nvidia0", "/dev/nvidiactl")
        kernel.hold(11, "ollama", "/dev/nvidia1")
        error = refusal(applied(kernel, BindLive(CARD, "nvidia", VFIO)))
        assert error["args"]["holders"] == "ollama (11)"

    def test_the_text_console_on_the_first_frame_buffer(self, kernel):
        (kernel.device(CARD.address) / "graphics/fb0").mkdir(parents=True)
        (kernel.root / "sys/class/graphics/fb0").mkdir(parents=True)
        console = kernel.root / "sys/class/vtconsole/vtcon1"
        console.mkdir(parents=True)
        (console / "name").write_text("(M) frame buffer device\n")
        (console / "bind").write_text("1\n")
        assert refusal(applied(kernel, *TO_VMS))["args"]["kinds"] == "console"
        (console / "bind").write_text("0\n")
        assert applied(kernel, *TO_VMS)["ok"]

    def test_a_second_frame_buffer_shows_no_console(self, kernel):
        (kernel.device(CARD.address) / "graphics/fb1").mkdir(parents=True)
        for name in ("fb0", "fb1"):
            (kernel.root / f"sys/class/graphics/{name}").mkdir(parents=True)
        assert applied(kernel, *TO_VMS)["ok"]

    def test_the_firmware_s_picture_in_the_first_card(self, kernel):
        (kernel.root / "sys/bus/platform/drivers/simple-framebuffer/simple-framebuffer.0").mkdir(parents=True)
        assert applied(kernel, *TO_VMS)["ok"]
        asked(kernel, undo_line(PLAN_ID))
        (kernel.device(CARD.address) / "boot_vga").write_text("1\n")
        assert refusal(applied(kernel, *TO_VMS))["args"]["kinds"] == "boot-screen"

    @pytest.mark.parametrize(
        ("path", "kind"),
        [
            ("usb3/3-1", "usb"),
            ("usb3/3-1/3-1.4", "usb"),
            ("host4/target4:0:0/4:0:0:0/block/sda", "disk"),
            ("net/eth0", "network"),
        ],
    )
    def test_what_hangs_on_it(self, kernel, path, kind):
        (kernel.device(SOUND.address) / path).mkdir(parents=True)
        assert refusal(applied(kernel, *TO_VMS))["args"]["kinds"] == kind

    def test_a_process_that_cannot_be_looked_into_is_a_no(self, kernel):
        (kernel.root / "proc/800").mkdir()
        (kernel.root / "proc/800/fd").symlink_to("/root")
        assert refusal(applied(kernel, *TO_VMS))["kind"] in ("unread", "place")

    def test_who_comes_in_between_is_seen_too(self, kernel, monkeypatch):
        looks = []
        real = bind_live.holds_on

        def later(*arguments: object):
            looks.append(1)
            if len(looks) == 4:
                kernel.hold(700, "steam", "/dev/dri/card1")
            return real(*arguments)

        monkeypatch.setattr(bind_live, "holds_on", later)
        error = refusal(applied(kernel, BindLive(CARD, "nouveau", VFIO)))
        assert (error["kind"], error["args"]["reason"]) == ("apply-failed", "held")
        assert error["args"]["result"] == "taken_back"
        assert (kernel.driver(CARD.address), kernel.override(CARD.address)) == ("nouveau", "(null)\n")


class TestWhatIsRefused:
    """Before anything is written."""

    def test_another_driver_than_was_shown(self, kernel):
        assert refusal(applied(kernel, BindLive(CARD, "nvidia", VFIO)))["kind"] == "subject-changed"

    def test_another_device_than_was_shown(self, kernel):
        (kernel.device(CARD.address) / "device").write_text("0x1111\n")
        assert refusal(applied(kernel, *TO_VMS))["kind"] == "other-device"

    def test_a_disk(self, kernel):
        change = BindLive(DISK, "nvme", VFIO)
        given = replace(plan(kernel.root, change), identities=(DISK,))
        error = refusal(asked(kernel, apply_line(given)))
        assert (error["kind"], error["args"]["rule"]) == ("rule", "no-card")

    def test_a_device_that_the_plan_is_not_about(self, kernel):
        given = replace(plan(kernel.root, *TO_VMS), identities=(CARD,))
        assert refusal(asked(kernel, apply_line(given)))["args"]["rule"] == "cards"

    @pytest.mark.parametrize("code", ["0x108000", "0x060400", "0x020000", "0x010802", "0x050000"])
    def test_what_is_no_part_of_a_card(self, kernel, code):
        (kernel.device(SOUND.address) / "class").write_text(f"{code}\n")
        assert refusal(applied(kernel, *TO_VMS))["args"]["rule"] == "no-card"

    @pytest.mark.parametrize(
        ("before", "after"),
        [("nouveau", "nvidia"), (VFIO, VFIO), (None, None), ("../x", VFIO), ("", VFIO), ("a b", VFIO), ("a\n", VFIO)],
    )
    def test_drivers_that_are_none(self, before, after):
        with pytest.raises(ValueError, match="driver"):
            BindLive(CARD, before, after)


class TestAKernelThatDoesNotDoIt:
    """It refuses, does nothing, or never returns."""

    @pytest.fixture(autouse=True)
    def brief(self, monkeypatch):
        monkeypatch.setattr(bind_live, "_FILE_SECONDS", 0.3)
        monkeypatch.setattr(bind_live, "_DRIVER_SECONDS", 0.3)

    @pytest.mark.parametrize("file", ["nouveau/unbind", "pci/drivers_probe", f"{CARD.address}/driver_override"])
    def test_a_write_that_is_refused_ends_as_before(self, kernel, file):
        kernel.refused.add(file)
        error = refusal(applied(kernel, BindLive(CARD, "nouveau", VFIO)))
        assert error["kind"] == "apply-failed"
        kernel.refused.clear()
        asked(kernel, undo_line(PLAN_ID))
        assert (kernel.driver(CARD.address), kernel.override(CARD.address)) == ("nouveau", "(null)\n")

    def test_a_write_that_never_returns_is_told_and_the_rest_lives(self, kernel):
        kernel.stuck.add("nouveau/unbind")
        error = refusal(applied(kernel, *TO_VMS))
        assert (error["kind"], error["args"]["reason"]) == ("apply-failed", "stuck")
        assert kernel.driver(SOUND.address) == "snd_hda_intel"
        status = asked(kernel, b'{"protocol":1,"id":"s","verb":"status"}\n')
        assert status["ok"]

    def test_after_the_restart_that_it_needs_nothing_is_left_to_undo(self, kernel):
        kernel.stuck.add("nouveau/unbind")
        applied(kernel, *TO_VMS)
        kernel.stuck.clear()
        (kernel.root / "proc/sys/kernel/random/boot_id").write_text(f"{NEXT_BOOT_ID}\n")
        answer = asked(kernel, undo_line(PLAN_ID))
        assert answer["ok"] or answer["error"]["kind"] == "no-run"

    def test_one_that_nobody_can_end_holds_neither_the_lock_nor_the_answer(self, kernel, monkeypatch):
        monkeypatch.setattr(signal, "pidfd_send_signal", lambda *_: None)
        kernel.stuck.add("nouveau/unbind")
        reader, writer = os.pipe()
        applied(kernel, BindLive(CARD, "nouveau", VFIO))
        os.close(writer)
        child = int((kernel.root / "stuck").read_text())
        try:
            assert os.read(reader, 1) == b""
            with state_of(kernel.root).lock():
                os.kill(child, 0)
        finally:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            os.close(reader)


@pytest.mark.timeout(600)
def test_killed_at_any_call_undo_gives_everything_back(tmp_path):
    fresh = make_machine(tmp_path / "fresh")
    Kernel(fresh)

    def life(root, line):
        kernel = Kernel.__new__(Kernel)
        kernel.root, kernel.stuck, kernel.refused, kernel._write = root, set(), set(), os.write
        os.write = kernel.write
        # The child of a killed helper has the lock until it is gone.
        while answer_to(state_of(root), line).get("error", {}).get("kind") == "locked":
            os.sched_yield()

    whole = copy_machine(fresh, tmp_path / "whole")
    line = apply_line(plan(fresh, *TO_VMS))
    calls = run_broken(lambda: life(whole, line))
    assert calls is not None
    assert calls > 15
    for fault in (Fault.KILL, Fault.KILL_HALFWAY):
        for at in range(1, calls + 1):
            shutil.rmtree(tmp_path / "broken", ignore_errors=True)
            root = copy_machine(fresh, tmp_path / "broken")
            run_broken(lambda root=root: life(root, line), fault, at)
            assert run_broken(lambda root=root: life(root, undo_line())) is not None
            links = [root / f"sys/devices/pci0000:00/{address}/driver" for address in ADDRESSES]
            overrides = [link.with_name("driver_override").read_text() for link in links]
            assert overrides == ["(null)\n", "(null)\n"], at
            assert [link.readlink().name for link in links] == ["nouveau", "snd_hda_intel"], at
