# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab machine: one QEMU process a power-on, emulated throughout, with a disk that forgets nothing but its own run.

A reset ends the process and a new one is the next power-on: a warm reset under emulation takes several times as long,
and so every start is counted. A power cut is a killed process: what was not flushed a moment before is lost.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import shlex
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from lab.image import ROOT_LABEL, Start, image, words_of
from lab.mailbox import COMMAND_LIMIT_S, PAUSE_S, Answer, GuestDiedError, LabError, LateError, Mailbox
from lab.monitor import Monitor
from lab.place import FIRMWARE, runs
from lab.share import share
from lab.wiring import Hardware

READY_LIMIT_S = 420.0
OFF_LIMIT_S = 300.0
"""systemd gives a service 90 s to stop, and emulated everything takes longer."""
RESET, SHUT_DOWN = "guest-reset", "guest-shutdown"
"""How a machine comes to its end by itself, in QEMU's words."""
PARTING_S = 10.0
MEMORY_MIB = 2048
OVERLAY = "run.qcow2"
_LAST_WORDS = ("end Kernel panic", "Attempted to kill init")
_numbers = itertools.count(1)


class Machine:
    """The machine and what a user does to it. Addresses are as the machine shows them, `0000:01:00.0`."""

    def __init__(self, hardware: Hardware, folder: Path, start: Start, memory_mib: int) -> None:
        self.hardware = hardware
        self.folder = folder
        self.start = start
        self.memory_mib = memory_mib
        self.starts = 0
        self.boot_id = ""
        self.keeps_consoles = False
        self._process: subprocess.Popen[bytes] | None = None
        self._monitor: Monitor | None = None
        self._mailbox = Mailbox(folder / "mailbox", self._alive)

    # ---- power -----------------------------------------------------------------------------------------------------

    def power_on(self) -> None:
        """A fresh process; returns at once."""
        if self._process is not None and self._process.poll() is None:
            raise LabError("the machine is already on")
        self._mailbox.empty()
        self.starts += 1
        if self._monitor is not None:
            self._monitor.end()
        self._monitor = Monitor()
        command = [*self._command(), *self._monitor.arguments()]
        with (self.folder / "qemu.log").open("ab") as log:
            self._process = subprocess.Popen(
                command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, pass_fds=[self._monitor.fd]
            )
        self._monitor.started()
        (self.folder / "pid").write_text(f"{self._process.pid}\n")

    def wait_ready(self, limit_s: float = READY_LIMIT_S, *, resets: int = 0) -> float:
        """Wait until this start answers; a machine may reset itself that often first. Seconds it took."""
        began = time.monotonic()
        while (ready := self._mailbox.ready()) is None:
            if resets and not self.is_on():
                resets -= 1
                self.wait_off(OFF_LIMIT_S, RESET)
                self.power_on()
            self._alive()
            if time.monotonic() - began > limit_s:
                raise LateError(f"not ready after {limit_s:.0f} s; the console ends with:\n{self.console()[-1500:]}")
            time.sleep(PAUSE_S)
        if ready[1] == self.boot_id:
            raise LabError("the boot's id is that of the start before: there was no restart")
        self.boot_id = ready[1]
        return round(time.monotonic() - began, 1)

    def restart(self, limit_s: float = READY_LIMIT_S, *, resets: int = 0) -> float:
        """Restart as a user does, and wait until the machine answers again."""
        self.begin_restart()
        return self.wait_ready(limit_s, resets=resets)

    def begin_restart(self) -> None:
        """Restart as a user does; the next start is not waited for."""
        self._mailbox.send("sync; echo b >/proc/sysrq-trigger" if self.start.kernel else "systemctl --no-block reboot")
        self.wait_off(OFF_LIMIT_S, RESET)
        self.power_on()

    def wait_off(self, limit_s: float, how: str) -> None:
        """Wait until the machine has ended by itself, in this way: RESET or SHUT_DOWN."""
        try:
            status = self._running().wait(limit_s)
        except subprocess.TimeoutExpired:
            raise LateError(
                f"still on after {limit_s:.0f} s; the console ends with:\n{self.console()[-800:]}"
            ) from None
        if status:
            raise GuestDiedError(f"QEMU ended with {status}: {words_of(self.folder / 'qemu.log')[-800:]}")
        ended_by = self._heard_to_the_end().ended_by
        if ended_by != how:
            raise LabError(f"it ended by {ended_by or 'nothing known'}, not by {how}:\n{self.console()[-800:]}")

    def shut_down(self) -> None:
        """Shut it down as a user does; what it does at its next start is its own affair."""
        self._mailbox.send("systemctl --no-block poweroff")
        self.wait_off(OFF_LIMIT_S, SHUT_DOWN)

    def as_start(self) -> Start:
        """What another machine starts from: this one's disk and firmware as they are. It must stay off from now on."""
        if self.is_on():
            raise LabError("the machine is on; its disk is still being written")
        variables = self.folder / "variables.fd"
        return Start(self.folder / OVERLAY, "qcow2", variables if variables.exists() else None, self.start.kernel)

    def power_cut(self) -> None:
        """What the machine had not written is lost."""
        process = self._running()
        process.kill()
        process.wait()

    def note_processors(self) -> None:
        """Write down what its processors do now, for whoever asks later why it fell silent."""
        if self._monitor and self.is_on():
            with contextlib.suppress(OSError):
                (self.folder / "processors").write_text(self._monitor.ask("info registers -a"))

    def is_on(self) -> bool:
        """Whether its process runs."""
        return self._process is not None and self._process.poll() is None

    def off(self) -> None:
        """End it, whatever state it is in."""
        if self.is_on():
            self.power_cut()
        if self._monitor is not None:
            self._monitor.end()

    # ---- what is seen and done ------------------------------------------------------------------------------------

    def run(self, command: str | Sequence[str], *, ok: bool = True, limit_s: float = COMMAND_LIMIT_S) -> Answer:
        """Run a command as root; a text goes through bash."""
        return self._mailbox.run(command, ok=ok, limit_s=limit_s)

    def begin(self, command: str | Sequence[str]) -> str:
        """Start a command and do not wait, for a cut in the middle of it; its name for `ended`."""
        return self._mailbox.send(command)

    def ended(self, name: str) -> int | None:
        """The status of a command that was begun; None while it runs."""
        return self._mailbox.ended(name)

    def vitrail(self, *arguments: str, ok: bool = True, limit_s: float = COMMAND_LIMIT_S) -> Answer:
        """Vitrail's own command line."""
        return self.run(("vitrail", *arguments), ok=ok, limit_s=limit_s)

    def cmdline(self) -> str:
        """The running kernel's arguments."""
        return self.read("/proc/cmdline").strip()

    def read(self, path: str) -> str:
        """A file's content."""
        return self.run(("cat", path)).output

    def exists(self, path: str) -> bool:
        """Whether there is something of that name."""
        return self.run(("test", "-e", path), ok=False).status == 0

    def driver_of(self, address: str) -> str | None:
        """The driver that a PCI device is bound to."""
        said = self.run(f"readlink /sys/bus/pci/devices/{shlex.quote(address)}/driver || true").output.strip()
        return said.rpartition("/")[2] or None

    def drivers(self) -> dict[str, str | None]:
        """Every wired function with its driver."""
        return {wired.address: self.driver_of(wired.address) for wired in self.hardware.wired()}

    def console(self) -> str:
        """What this start has written to its serial port."""
        path = self._console()
        return words_of(path) if path.exists() else ""

    def wait_console(self, words: str, limit_s: float = READY_LIMIT_S) -> None:
        """Wait until the serial port has shown these words in this start; the machine may have ended after them."""
        began = time.monotonic()
        while words not in self.console():
            if not self.is_on() and words not in self.console():
                raise GuestDiedError(f"ended without {words!r}; the console ends with:\n{self.console()[-800:]}")
            if time.monotonic() - began > limit_s:
                raise LateError(f"no {words!r} after {limit_s:.0f} s; the console ends with:\n{self.console()[-800:]}")
            time.sleep(PAUSE_S)

    # ---- inside ----------------------------------------------------------------------------------------------------

    def _console(self) -> Path:
        return self.folder / f"serial.{self.starts}"

    def _heard_to_the_end(self) -> Monitor:
        if self._monitor is None:
            raise LabError("the machine was never switched on")
        self._monitor.end()
        return self._monitor

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise LabError("the machine was never switched on")
        return self._process

    def _alive(self) -> None:
        process = self._running()
        status = process.poll()
        if status is None and self._monitor and (lost := self._monitor.no_longer_writes):
            # Its process may be on its way out.
            with contextlib.suppress(subprocess.TimeoutExpired):
                status = process.wait(PARTING_S)
            if status is None:
                raise LabError(f"the machine runs and its drive no longer writes out: {lost}")
        if status is not None:
            log = words_of(self.folder / "qemu.log")[-800:]
            raise GuestDiedError(f"QEMU ended with {status}. {log}\nThe console ends with:\n{self.console()[-1500:]}")
        if any(words in self.console() for words in _LAST_WORDS):
            raise GuestDiedError(f"its kernel gave up; the console ends with:\n{self.console()[-1500:]}")

    def _command(self) -> list[str]:
        # What was flushed is this computer's to keep, and this computer stays on: nothing waits for its own disk.
        drive = f"if=none,id=disk,file={self.folder / OVERLAY},cache=unsafe"
        return [
            # Whatever ends the lab ends its machines.
            *("setpriv", "--pdeathsig", "KILL"),
            *("qemu-system-x86_64", "-name", self.folder.name, "-nodefaults", "-no-user-config"),
            *("-accel", "tcg,thread=multi,tb-size=1024", "-cpu", "max", "-action", "reboot=shutdown"),
            *("-smp", os.environ.get("VITRAIL_LAB_CPUS", "2"), "-m", str(self.memory_mib)),
            *("-display", "none", "-vga", "none", "-serial", f"file:{self._console()}"),
            *self.hardware.arguments_of_qemu(),
            *("-drive", drive, "-device", "virtio-blk-pci,drive=disk", "-device", "virtio-rng-pci"),
            *_shared("mailbox", self.folder / "mailbox", readonly=False),
            *_shared("lab", share(), readonly=True),
            *self._firmware(),
            *self._kernel(),
        ]

    def _firmware(self) -> list[str]:
        if self.start.variables is None:
            return []
        code = f"if=pflash,format=raw,readonly=on,file={FIRMWARE}"
        return ["-drive", code, "-drive", f"if=pflash,format=raw,file={self.folder / 'variables.fd'}"]

    def _kernel(self) -> list[str]:
        if not self.start.kernel:
            return []
        base = image()
        # On a loaded computer the emulated timer may be late when the kernel tests it, and the kernel would panic.
        words = ("console=ttyS0", "no_timer_check", "quiet", "panic=-1", "init=/usr/local/sbin/lab-shares")
        given = " ".join((f"root=LABEL={ROOT_LABEL}", "rw", *words, *self.hardware.arguments.split()))
        return ["-kernel", str(base.kernel), "-initrd", str(base.initramfs), "-append", given]


_now: list[Machine] = []
"""Every machine whose block has not ended."""
_kept: set[Path] = set()


def keep_consoles() -> None:
    """A test has failed: what the machines of this moment wrote is not thrown away at their end."""
    for one in _now:
        one.keeps_consoles = True


def kept_consoles() -> list[Path]:
    """The folders of the machines that were on when a test failed."""
    return sorted(_kept)


def _shared(tag: str, folder: Path, *, readonly: bool) -> list[str]:
    access = ",readonly=on" if readonly else ""
    return [
        *("-fsdev", f"local,id={tag},path={folder},security_model=none,multidevs=remap{access}"),
        *("-device", f"virtio-9p-pci,fsdev={tag},mount_tag={tag}"),
    ]


@contextlib.contextmanager
def running(
    hardware: Hardware, start: Start, name: str, *, on: bool = True, memory_mib: int = MEMORY_MIB
) -> Iterator[Machine]:
    """A machine that is on and answers. Its folder with every console stays when the block ends in an error."""
    folder = runs() / f"{name}-{os.getpid()}-{next(_numbers)}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    overlay = folder / OVERLAY
    below = ("-b", str(start.below), "-F", start.below_kind)
    subprocess.run(("qemu-img", "create", "-q", "-f", "qcow2", *below, str(overlay)), check=True)
    if start.variables:
        shutil.copy(start.variables, folder / "variables.fd")
    made = Machine(hardware, folder, start, memory_mib)
    _now.append(made)
    try:
        if on:
            made.power_on()
            made.wait_ready()
        yield made
    except BaseException as error:
        made.keeps_consoles = True
        made.note_processors()
        error.add_note(f"consoles: {folder}")
        raise
    finally:
        made.off()
        _now.remove(made)
        overlay.unlink()
        if made.keeps_consoles:
            _kept.add(folder)
        else:
            shutil.rmtree(folder)
