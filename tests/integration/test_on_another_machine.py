# SPDX-License-Identifier: GPL-3.0-or-later
"""Modes that need a card, on a real libvirtd: the card's machine is a tree of files, what is written is real.

Starting such a VM needs the card and is no part of this.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from fakes.sysfs import HDA, VGA, Connector, Tree
from integration.conftest import Guest
from integration.private_libvirt import PrivateLibvirt
from vitrail.model.choice import Choice, Passthrough, Virgl
from vitrail.model.errors import Refused
from vitrail.model.machine import MachineKind
from vitrail.model.outcome import PromiseResult, RunResult
from vitrail.model.pci import PciAddress
from vitrail.model.plan import Plan
from vitrail.model.text import text
from vitrail.service.libvirt_session import Session
from vitrail.service.libvirt_store import LibvirtStore
from vitrail.service.place import Place
from vitrail.service.state import StateFolder
from vitrail.service.uri import read_uri
from vitrail.service.workplace import Workplace
from vitrail.source.names import Names
from vitrail.source.root import FolderRoot

pytestmark = pytest.mark.real

CARD = PciAddress.parse("0000:01:00.0")


def _machine(folder: Path, driver: str = "vfio-pci") -> FolderRoot:
    """A desktop whose second card waits for a VM."""
    tree = Tree(folder).kernel().cpu().dmi().uefi().grub().iommu("ivhd0")
    tree.pci("0000:00:02.0", VGA, 0x1002, 0x1638, driver="amdgpu", group=1, boot_vga=True)
    tree.drm("0000:00:02.0", (Connector("DP-1", "connected", "DELL U2720Q"),))
    tree.pci("0000:01:00.0", VGA, 0x10DE, 0x2783, driver=driver, group=14, boot_vga=False)
    tree.pci("0000:01:00.1", HDA, 0x10DE, 0x22BC, driver=driver, group=14)
    tree.process(1, "systemd").file("dev/kvm").file("dev/vfio/vfio")
    return FolderRoot(folder)


def _open(daemon: PrivateLibvirt, root: FolderRoot, state: Path) -> Workplace:
    store = LibvirtStore(Session(read_uri(daemon.uri)))
    kind = MachineKind.REAL
    return Workplace(
        Place(kind, daemon.uri, text("service.place.here"), root, Names(root), None, store, StateFolder(state))
    )


@pytest.fixture
def workplace(daemon: PrivateLibvirt, tmp_path: Path, state: Path) -> Iterator[Workplace]:
    opened = _open(daemon, _machine(tmp_path / "machine"), state)
    yield opened
    opened.close()


def _plan(workplace: Workplace, guest: Guest, choice: Choice) -> Plan:
    host = workplace.read()
    return workplace.plan(host, workplace.find_vm(host, guest.name), choice)


@pytest.mark.parametrize("choice", [Passthrough(CARD), Virgl()])
def test_a_mode_with_a_card_is_applied_verified_and_taken_back_to_the_byte(
    workplace: Workplace, guest: Guest, choice: Choice
):
    before = guest.text()
    plan = _plan(workplace, guest, choice)
    assert workplace.apply(plan).result is RunResult.APPLIED
    after = guest.text()
    if isinstance(choice, Passthrough):
        assert after.count("<hostdev mode='subsystem' type='pci' managed='yes'>") == 2
    else:
        assert "accel3d='yes'" in after
    assert {outcome.result for outcome in workplace.verify()} == {PromiseResult.KEPT}
    (outcome,) = workplace.undo(plan.plan_id)
    assert outcome.result is RunResult.TAKEN_BACK
    assert guest.text() == before


@pytest.mark.parametrize("choice", [Passthrough(CARD), Virgl()])
def test_killed_right_after_the_define_then_undone(workplace: Workplace, guest: Guest, choice: Choice):
    before = guest.text()
    plan = _plan(workplace, guest, choice)
    workplace.close()
    child = os.fork()
    if child == 0:
        store = workplace._place.store
        define = store.define

        def dying(uuid: str, words: str, *, strict: bool) -> None:
            define(uuid, words, strict=strict)
            os.kill(os.getpid(), signal.SIGKILL)

        store.define = dying  # type: ignore[method-assign]
        try:
            workplace.apply(plan)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    assert guest.text() != before
    (outcome,) = workplace.undo()
    assert outcome.result is RunResult.TAKEN_BACK
    assert guest.text() == before


def test_a_card_that_this_computer_uses_is_planned_and_not_applied(
    daemon: PrivateLibvirt, guest: Guest, tmp_path: Path, state: Path
):
    workplace = _open(daemon, _machine(tmp_path / "machine", driver="nouveau"), state)
    before = guest.text()
    plan = _plan(workplace, guest, Passthrough(CARD))
    assert not plan.writable
    with pytest.raises(Refused) as caught:
        workplace.apply(plan)
    assert caught.value.findings
    assert guest.text() == before
    assert workplace.history() == ()
    workplace.close()


def test_a_card_that_went_away_since_the_plan_is_refused(
    daemon: PrivateLibvirt, guest: Guest, tmp_path: Path, state: Path, workplace: Workplace
):
    before = guest.text()
    plan = _plan(workplace, guest, Passthrough(CARD))
    workplace.close()
    later = _open(daemon, _machine(tmp_path / "later", driver="nouveau"), state)
    with pytest.raises(Refused):
        later.apply(plan)
    assert guest.text() == before
    later.close()


def test_a_port_that_libvirt_made_goes_with_the_card_when_others_edited_on(workplace: Workplace, guest: Guest):
    before = guest.text()
    plan = _plan(workplace, guest, Passthrough(CARD))
    workplace.apply(plan)
    guest.edit("<vcpu placement='static'>1<", "<vcpu placement='static'>2<")
    (preview,) = workplace.preview_undo()
    assert preview.merges
    (outcome,) = workplace.undo()
    assert outcome.result is RunResult.TAKEN_BACK
    assert guest.text() == before.replace("<vcpu placement='static'>1<", "<vcpu placement='static'>2<")
