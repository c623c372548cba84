# SPDX-License-Identifier: GPL-3.0-or-later
"""From a fresh Debian to a VM with its card: real facts, the real plan, the real helper; only the restart is played.

A recorded computer becomes one that programs run on. Its VMs stay recorded: what is written to them is a copy.
"""

from __future__ import annotations

import json
import re
import shutil
import time
from pathlib import Path

import pytest

from fakes import contract
from fakes.core_client import CoreClient
from helper.bench import NEXT_BOOT_ID, snapshot
from helper.trial_bench import BLOCK, KERNEL, UUID, make_trial_machine, system_image
from vitrail.__main__ import main
from vitrail.helper.guard_story import note_seen, seen_now
from vitrail.helper.journal import readable_runs
from vitrail.helper.state import State
from vitrail.helper.tree import Tree
from vitrail.model.choice import Passthrough
from vitrail.model.errors import Refused
from vitrail.model.host_step import arguments_of
from vitrail.model.host_story import CLOCK_FILE, GuardClock, GuardPhase, WhyBack
from vitrail.model.kernel_argument import words_of
from vitrail.model.machine import Host, MachineKind
from vitrail.model.outcome import PromiseResult, RunResult, RunState
from vitrail.model.pci import PciAddress
from vitrail.model.plan import GuardStrength, Plan, When
from vitrail.model.resume import ResumeStage
from vitrail.model.step import HostStep
from vitrail.model.text import text
from vitrail.model.wire import canonical
from vitrail.service.host_here import HostHere
from vitrail.service.place import Place
from vitrail.service.recording_store import RecordingStore
from vitrail.service.state import StateFolder
from vitrail.service.workplace import Workplace
from vitrail.source.names import Names
from vitrail.source.recording import open_recording
from vitrail.source.root import FolderRoot

pytestmark = pytest.mark.real

MACHINE = Path(__file__).resolve().parents[1] / "machines" / "debian-bios"
RELEASE = "6.12.48+deb13-amd64"
CARD = PciAddress.parse("01:00.0")
VM = "win11"
NOT_HERE = ("modules", "dracut", "mkinitcpio", "grubby", "kernelstub", "kernel-install", "sdboot-manage", "proxmox-*")
"""Programs of other distributions."""
MODULES = {"vfio": (), "vfio-pci-core": ("vfio",), "vfio-pci": ("vfio-pci-core", "vfio"), "vfio_iommu_type1": ("vfio",)}


def make_real(root: Path, programs: Path, file_system: str) -> None:
    """Programs, a kernel with its modules, an initramfs that is one, GRUB's block."""
    for name in ("bin", "lib", "lib64", "usr"):
        if (programs / name).is_dir():
            shutil.copytree(programs / name, root / name, dirs_exist_ok=True, ignore=shutil.ignore_patterns(*NOT_HERE))
    for script in (*(root / "usr/sbin").iterdir(), *(root / "usr/bin").iterdir()):
        words = script.read_bytes()
        if words.startswith(b"#!"):
            words = words.replace(b"/boot/initrd.img-6.2.0", b"").replace(KERNEL.encode(), RELEASE.encode())
            words = words.replace(b"echo gpt", b"echo msdos")
            script.write_bytes(words.replace(UUID.encode(), file_system.encode()))
    (root / "dev/null").write_text("")
    for told in (root / "sys/devices").rglob("uevent"):
        _files_of(told)
    modules = root / f"usr/lib/modules/{RELEASE}"
    (modules / "kernel").mkdir()
    rows = []
    for name, needs in MODULES.items():
        (modules / f"kernel/{name}.ko").write_bytes(b"\x7fELF" + name.encode())
        rows.append(f"kernel/{name}.ko:{''.join(f' kernel/{need}.ko' for need in needs)}\n")
    (modules / "modules.dep").write_text("".join(rows))
    (modules / "modules.builtin").write_text("")
    (root / "lib/modules").symlink_to("../usr/lib/modules")
    (root / f"boot/vmlinuz-{RELEASE}").write_bytes(b"kernel")
    (root / f"boot/initrd.img-{RELEASE}").write_bytes(system_image(RELEASE))
    (root / "boot/grub/grubenv").write_bytes(BLOCK)


def _files_of(told: Path) -> None:
    """The kernel shows a device's ids as files too; a recording needs only the one that tells them all."""
    facts = dict(line.partition("=")[::2] for line in told.read_text().splitlines())
    for pair, names in (("PCI_ID", ("vendor", "device")), ("PCI_SUBSYS_ID", ("subsystem_vendor", "subsystem_device"))):
        for name, number in zip(names, facts.get(pair, "").split(":"), strict=False):
            if number:
                (told.parent / name).write_text(f"0x{number.lower()}\n")
    if "PCI_CLASS" in facts:
        (told.parent / "class").write_text(f"0x{int(facts['PCI_CLASS'], 16):06x}\n")


class Computer:
    """The machine, its user's view of it, and its restarts."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("XDG_CONFIG_HOME", str(folder / "config"))
        self.root = folder / "root"
        shutil.copytree(MACHINE / "root", self.root, symlinks=True)
        mounted = (self.root / "proc/cmdline").read_text().split("root=UUID=")[1].split()[0]
        make_real(self.root, make_trial_machine(folder / "programs"), mounted)
        self.client = CoreClient(self.root)
        self.state = StateFolder(folder / "state")
        self.line = (self.root / "proc/cmdline").read_text()

    def open(self) -> Workplace:
        recording = open_recording(MACHINE)
        root = FolderRoot(self.root)
        store = RecordingStore(recording, self.state, "qemu:///system")
        host = HostHere(root, self.client)  # type: ignore[arg-type]
        names = Names(root, recording.names)
        label = text("service.place.here")
        return Workplace(
            Place(MachineKind.REAL, "qemu:///system", label, root, names, None, store, self.state, host=host)
        )

    def restart(self, *words: str, driver: str) -> None:
        """Another start: its id, the kernel's line, the card's driver, and nobody who has it open yet."""
        (self.root / "proc/sys/kernel/random/boot_id").write_text(f"{NEXT_BOOT_ID}\n")
        (self.root / "proc/cmdline").write_text(" ".join([*self.line.split(), *words]) + "\n")
        (self.root / "boot/grub/grubenv").write_bytes(BLOCK)
        for device in (self.root / "sys/devices/pci0000:00/0000:00:01.0").glob("0000:01:00.*"):
            (device / "driver").unlink()
            (device / "driver").symlink_to(f"../../../../bus/pci/drivers/{driver}")
            told = device / "uevent"
            told.write_text(re.sub(r"DRIVER=.*", f"DRIVER={driver}", told.read_text()))
            shutil.rmtree(device / "drm", ignore_errors=True)
        (self.root / f"sys/bus/pci/drivers/{driver}").mkdir(parents=True, exist_ok=True)
        for card in (self.root / "sys/class/drm").glob("*"):
            if not card.exists():
                card.unlink()
        shutil.rmtree(self.root / "proc/1201", ignore_errors=True)


@pytest.fixture
def computer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Computer:
    return Computer(tmp_path, monkeypatch)


def _plan(workplace: Workplace) -> tuple[Host, Plan]:
    host = workplace.read()
    return host, workplace.plan(host, workplace.find_vm(host, VM), Passthrough(CARD))


def _trial_words(plan: Plan) -> tuple[str, ...]:
    steps = [step for phase in plan.phases if phase.when is When.APPLY for step in phase.steps]
    found = [words_of(arguments_of(step.change)) for step in steps if isinstance(step, HostStep)]
    return tuple(word for words in found for word in words)


def test_a_first_card_by_apply_restart_and_keep(computer):
    before = snapshot(computer.root)
    workplace = computer.open()
    definition = workplace.find_vm(workplace.read(), VM).text
    _host, plan = _plan(workplace)
    assert plan.guard is not None
    assert plan.guard.strength is GuardStrength.AUTOMATIC
    assert workplace.apply(plan).result is RunResult.AWAITING_KEEP
    assert workplace.resume_state().stage is ResumeStage.RESTART_DUE
    assert (computer.root / f"boot/vitrail/{plan.plan_id}.img").exists()
    assert f"vitrail-{plan.plan_id}".encode() in (computer.root / "boot/grub/grubenv").read_bytes()
    assert workplace.find_vm(workplace.read(), VM).text == definition

    computer.restart(*_trial_words(plan), driver="vfio-pci")
    workplace = computer.open()
    assert workplace.resume_state().stage is ResumeStage.TRIAL
    assert {one.result for one in workplace.verify()} == {PromiseResult.KEPT}
    (kept,) = workplace.keep()
    assert kept.result is RunResult.APPLIED
    assert [step.result.value for step in kept.steps if step.kind == "edit-vm"] == ["done"]
    assert workplace.find_vm(workplace.read(), VM).text != definition
    assert workplace.awaiting() == ()
    assert [entry.state for entry in workplace.history()] == [RunState.APPLIED]

    (undone,) = workplace.undo()
    assert undone.result is RunResult.TAKEN_BACK
    assert workplace.still_acting() == (plan.plan_id,)
    assert workplace.find_vm(workplace.read(), VM).text == definition
    changed = {path for path, was in snapshot(computer.root).items() if before.get(path) != was}
    made = {"boot/grub/grub.cfg", f"boot/initrd.img-{RELEASE}"}
    assert {path for path in changed if path.startswith(("etc/", "boot/", "usr/"))} <= made
    assert not any(b"vitrail" in (computer.root / path).read_bytes() for path in made)


def test_a_second_plan_waits_until_the_first_is_answered(computer):
    workplace = computer.open()
    workplace.apply(_plan(workplace)[1])
    again = _plan(workplace)[1]
    with pytest.raises(Refused):
        workplace.apply(again)


@pytest.fixture
def terminal(computer, monkeypatch, capsys):
    """The commands on this computer."""
    for command in ("apply", "status", "verify", "history", "keep", "undo", "plan"):
        monkeypatch.setattr(f"vitrail.cli.{command}.open_from", lambda _request: computer.open())

    def run(*words: str) -> tuple[int, str]:
        code = main(list(words))
        return code, capsys.readouterr().out

    return run


def _clock(computer: Computer, plan_id: str, seconds: float) -> None:
    now = time.clock_gettime(time.CLOCK_BOOTTIME)
    clock = GuardClock(plan_id, NEXT_BOOT_ID, GuardPhase.COUNTING, now, now + seconds, 0, up=True)
    path = computer.root / CLOCK_FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(canonical(clock))


def test_the_terminal_tells_what_to_do_at_every_point(computer, terminal):
    choice = ("--vm", VM, "--mode", "passthrough", "--gpu", str(CARD))
    code, said = terminal("apply", *choice, "--yes")
    assert code == 0
    assert "vitrail-guard.service" in said
    assert "Restart this computer when you are ready" in said
    assert "SIMULATED" not in said
    code, said = terminal("status", "--json")
    waiting = json.loads(said)
    assert (code, contract.wrong(contract.STATUS, waiting)) == (1, [])
    plan_id = waiting["awaiting"][0]["plan_id"]
    assert "unknown" in waiting["awaiting"][0]["until"]
    assert terminal("verify")[0] == 2
    words = (f"vitrail.plan={plan_id}", "panic=30", "systemd.wants=vitrail-guard.service")

    computer.restart(*words, driver="vfio-pci")
    _clock(computer, plan_id, 290)
    code, said = terminal("status", "--json")
    assert (code, contract.wrong(contract.STATUS, json.loads(said))) == (1, [])
    assert json.loads(said)["awaiting"][0]["until"].endswith("Z")
    assert "You have 5 more minutes" in terminal("status")[1]
    assert terminal("keep", "--more-time")[0] == 0
    assert "You have 20 more minutes" in terminal("status")[1]
    code, said = terminal("verify", "--json")
    assert (code, contract.wrong(contract.VERIFY, json.loads(said))) == (0, [])
    code, said = terminal("keep", "--json")
    kept = json.loads(said)
    assert (code, contract.wrong(contract.RUN, kept)) == (0, [])
    assert (kept["plan_id"], kept["result"]) == (plan_id, "applied")
    assert terminal("status", "--json")[0] == 0
    code, said = terminal("undo", "--yes")
    assert code == 0
    assert "Restart, and it is gone" in " ".join(said.split())
    code, said = terminal("history", "--json")
    assert [(one["state"], one["vm"]) for one in json.loads(said)["plans"]] == [("taken_back", VM)]


def test_what_did_not_last_is_told_with_what_was_seen(computer, terminal):
    terminal("apply", "--vm", VM, "--mode", "passthrough", "--gpu", str(CARD), "--yes")
    plan_id = json.loads(terminal("status", "--json")[1])["awaiting"][0]["plan_id"]
    computer.restart(f"vitrail.plan={plan_id}", driver="vfio-pci")
    state = State(Tree(str(computer.root)))
    run = next(run for run in readable_runs(state.tree) if run.plan.plan_id == plan_id)
    note_seen(state, run.name, seen_now(state.tree, run, WhyBack.NOT_KEPT))
    computer.client.undo(plan_id)
    code, said = terminal("status")
    assert code == 0
    assert f"Taken back: {plan_id} ({VM})" in said
    assert "nobody said “Keep” in time" in " ".join(said.split())
    assert f"0000:{CARD.short}: vfio-pci" in said
    assert computer.open().resume_state().stage is ResumeStage.TAKEN_BACK
    computer.open().settle(plan_id)
    assert computer.open().resume_state().stage is ResumeStage.NOTHING
    assert f"Taken back: {plan_id} ({VM})" in terminal("status")[1]
