# SPDX-License-Identifier: GPL-3.0-or-later
"""Domain documents that nobody here wrote, on a real libvirtd: it takes every planned text, keeps it, gives it back.

One test a mode and not one a document: thousands of tests would be mostly pytest. What libvirt refuses before any
change (another processor, a machine type or a device that this QEMU lacks) is no matter of ours.
"""

from __future__ import annotations

import uuid as uuids
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import libvirt
import pytest
from lxml import etree

from corpus.documents import CARD, ROWS, host_with_the_cards_of, words_of
from fakes import hosts
from integration.private_libvirt import PrivateLibvirt
from vitrail.model.capabilities import DomainCapabilities
from vitrail.model.choice import Basic, Choice, Passthrough, Qxl, Virgl, Virtio, mode_of
from vitrail.model.errors import Refused
from vitrail.model.knowledge import Knowledge
from vitrail.model.machine import Host
from vitrail.model.plan import Plan
from vitrail.model.reading import Known, known_or
from vitrail.model.step import EditVm
from vitrail.model.vm import Vm
from vitrail.plan.make import make_plan
from vitrail.probe.vm_graphics import with_host_facts
from vitrail.service.undoing_vm import _only_filled_in
from vitrail.xmldoc.capabilities import read_domain_capabilities
from vitrail.xmldoc.compare import differences
from vitrail.xmldoc.take_back import take_back
from vitrail.xmldoc.vm import read_vm

pytestmark = [pytest.mark.real, pytest.mark.corpus]
if not ROWS:
    pytest.skip("the shared corpus is not beside the checkout", allow_module_level=True)

EMULATOR = "/usr/bin/qemu-system-x86_64"
KNOWLEDGE = Knowledge("test", (), ())
CHOICES: tuple[Choice, ...] = (Virtio(), Virgl(), Qxl(), Basic(), Passthrough(CARD.address))
ENOUGH = 90


@dataclass(frozen=True, slots=True)
class Taken:
    """A document that libvirt accepted as it is, in the words that libvirt made of it."""

    file: str
    uuid: str
    text: str
    flags: int
    """Strict where libvirt's schema had nothing against the document before us."""


class Libvirt:
    """The daemon, past Vitrail: what it holds is what libvirt itself says."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._capabilities: dict[tuple[str, str], Known[DomainCapabilities]] = {}

    def define(self, words: str, flags: int = 0) -> str:
        """The definition as libvirt reads it back."""
        domain = self._connection.defineXMLFlags(words, flags)
        return str(domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE | libvirt.VIR_DOMAIN_XML_SECURE))

    def undefine(self, uuid: str) -> None:
        """Gone, as before."""
        self._connection.lookupByUUIDString(uuid).undefineFlags(libvirt.VIR_DOMAIN_UNDEFINE_KEEP_NVRAM)

    def count(self) -> int:
        """How many domains there are."""
        return len(self._connection.listAllDomains(0))

    def has_qxl(self) -> bool:
        """Whether this QEMU was built with it."""
        words = self._connection.getDomainCapabilities(None, "x86_64", "q35", "qemu", 0)
        return "qxl" in known_or(read_domain_capabilities(words).video_models, ())

    def capabilities(self, vm: Vm) -> Known[DomainCapabilities]:
        """What this QEMU can do for a VM on this board; asked once a board, for it is slow."""
        board = (vm.arch, vm.machine)
        if board not in self._capabilities:
            words = self._connection.getDomainCapabilities(None, vm.arch, vm.machine, "qemu", 0)
            self._capabilities[board] = Known(read_domain_capabilities(words), "libvirt")
        return self._capabilities[board]


@pytest.fixture(scope="module")
def there(daemon: PrivateLibvirt) -> Iterator[Libvirt]:
    libvirt.registerErrorHandler(lambda _context, _error: None, None)
    connection = libvirt.open(daemon.uri)
    yield Libvirt(connection)
    connection.close()


def runnable_here(words: str, uuid: str) -> str | None:
    """The document with the name, the identity and the emulator of this test; None for what is no domain."""
    try:
        root = etree.fromstring(words.encode())
    except etree.XMLSyntaxError:
        return None
    if root.tag != "domain":
        return None
    root.set("type", "qemu")
    for path in ("uuid", "devices/emulator", "name"):
        for node in root.findall(path):
            node.getparent().remove(node)
    for tag, value in (("uuid", uuid), ("name", f"corpus-{uuid[:8]}")):
        node = etree.Element(tag)
        node.text = value
        root.insert(0, node)
    devices = root.find("devices")
    if devices is not None:
        emulator = etree.Element("emulator")
        emulator.text = EMULATOR
        devices.insert(0, emulator)
    return etree.tostring(root, encoding="unicode")


@pytest.fixture(scope="module")
def taken(there: Libvirt) -> tuple[Taken, ...]:
    """Every document that this libvirt takes before any change of ours."""
    found = []
    for row in ROWS:
        uuid = str(uuids.uuid5(uuids.NAMESPACE_URL, row["file"]))
        words = runnable_here(words_of(row), uuid)
        if words is None:
            continue
        try:
            # Twice, for libvirt rounds some numbers one step further each time.
            before = there.define(there.define(words))
        except libvirt.libvirtError:
            continue
        try:
            there.define(before, libvirt.VIR_DOMAIN_DEFINE_VALIDATE)
            flags = libvirt.VIR_DOMAIN_DEFINE_VALIDATE
        except libvirt.libvirtError:
            flags = 0
        there.undefine(uuid)
        found.append(Taken(row["file"], uuid, before, flags))
    return tuple(found)


def seen_on(host: Host, words: str) -> Vm:
    vm = read_vm(words, state=hosts.UNREAD, has_managed_save=hosts.UNREAD, autostart=hosts.UNREAD)
    return with_host_facts(vm, host)


def with_free_cards(host: Host) -> Host:
    """The same machine with its cards bound to vfio-pci, so that giving one takes no step on the host."""
    cards = tuple(
        replace(card, device=functions[0], functions=functions)
        for card in host.gpus.value  # type: ignore[union-attr]
        for functions in [tuple(replace(one, driver=Known("vfio-pci", "test")) for one in card.functions)]
    )
    return replace(host, gpus=Known(cards, "test"))


def planned(there: Libvirt, host: Host, words: str, choice: Choice) -> Plan | None:
    vm = seen_on(host, words)
    try:
        return make_plan(host, vm, choice, there.capabilities(vm), KNOWLEDGE)
    except Refused:
        return None


def edited_on(words: str) -> str:
    """What somebody else does to the definition meanwhile."""
    if "<title>" in words:
        return words.replace("<title>", "<title>their ", 1)
    return words.replace("</uuid>", "</uuid>\n  <title>theirs</title>", 1)


def faults(there: Libvirt, one: Taken, host: Host, plan: Plan, choice: Choice) -> Iterator[str]:
    """What is not as it should be on the way there and back."""
    step = next((step for step in plan.steps if isinstance(step, EditVm)), None)
    if step is None:
        return
    try:
        seen = there.define(step.after, one.flags)
    except libvirt.libvirtError as error:
        yield f"refused: {error}"
        return
    yield from (f"not kept: {lost}" for lost in differences(step.after, seen, step.before))
    if not _only_filled_in(step.before, step.after, seen):
        yield "after a crash it would count as edited by somebody else"
    again = planned(there, host, seen, choice)
    if again is None or again.steps:
        yield "a second plan is not empty"
    merged = take_back(step.before, seen, there.define(edited_on(seen), one.flags))
    yield from (f"left behind: {path}" for path in merged.left)
    try:
        back = there.define(merged.text, one.flags)
    except libvirt.libvirtError as error:
        yield f"what was taken back is refused: {error}"
    else:
        wanted = there.define(edited_on(step.before), one.flags)
        yield from (f"not back: {lost}" for lost in differences(wanted, back))
        yield from (f"too much: {more}" for more in differences(back, wanted))
    if there.define(one.text, one.flags) != one.text:
        yield "the former definition is not what it was"


@pytest.mark.parametrize("choice", CHOICES, ids=lambda choice: mode_of(choice).value)
def test_libvirt_takes_keeps_and_gives_back_what_was_planned(
    there: Libvirt, taken: tuple[Taken, ...], choice: Choice
) -> None:
    if isinstance(choice, Qxl) and not there.has_qxl():
        pytest.skip("this QEMU has no qxl")
    wrong: list[str] = []
    changed = 0
    for one in taken:
        there.define(one.text, one.flags)
        host = host_with_the_cards_of(seen_on(hosts.host(), one.text))
        if isinstance(choice, Passthrough):
            host = with_free_cards(host)
        plan = planned(there, host, one.text, choice)
        if plan is not None:
            changed += bool(plan.steps)
            wrong += [f"{one.file}: {fault}" for fault in faults(there, one, host, plan, choice)]
        there.undefine(one.uuid)
    assert wrong == []
    assert len(taken) >= ENOUGH
    assert changed >= ENOUGH
    assert there.count() == 0
