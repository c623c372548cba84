# SPDX-License-Identifier: GPL-3.0-or-later
"""Domain documents that nobody here wrote: each is read, and keeps whatever an edit does not name."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from lxml import etree

from corpus.documents import CARD, ROWS, host_with_the_cards_of, words_of
from fakes import hosts
from vitrail.model.choice import Basic, Choice, Passthrough, Qxl, Virgl, Virtio
from vitrail.model.errors import Unreadable
from vitrail.model.reading import Known
from vitrail.model.vm import Vm
from vitrail.plan.make import draft_vm, ground_of
from vitrail.xmldoc.document import parse, walk
from vitrail.xmldoc.edits import Element, Insert, Remove, SetAttribute, element
from vitrail.xmldoc.spans import locate
from vitrail.xmldoc.splice import edit
from vitrail.xmldoc.take_back import take_back
from vitrail.xmldoc.vm import read_vm

pytestmark = pytest.mark.corpus

if not ROWS:
    pytest.skip("the shared corpus is not beside the checkout", allow_module_level=True)

# Well-formed, but another of libvirt's documents.
OTHER_ROOTS = ("domainsnapshot", "node")
HIDDEN = Passthrough(CARD.address, emulated_screen="drop", hide_kvm=True)
CHOICES: tuple[Choice, ...] = (
    Virtio(),
    Virtio(screen="vnc"),
    Virtio(screen="spice"),
    Virgl(gpu=CARD.address),
    Virgl(screen="spice"),
    Qxl(),
    Basic(),
    Passthrough(CARD.address),
    HIDDEN,
)


def for_each_choice(test: Callable[[str, Choice], None]) -> Callable[[str], None]:
    """One test a document, not one a document and choice: thousands of tests would be mostly pytest."""

    def all_choices(words: str) -> None:
        for choice in CHOICES:
            test(words, choice)

    all_choices.__name__ = test.__name__
    return all_choices


EDITED = {"video", "graphics", "audio", "hostdev", "shmem"}
SEEN = hosts.UNREAD


def read(words: str) -> Vm:
    return read_vm(words, state=SEEN, has_managed_save=SEEN, autostart=SEEN)


def domains() -> list[object]:
    found = []
    for row in ROWS:
        try:
            root = etree.fromstring(words_of(row).encode())
        except etree.XMLSyntaxError:
            continue
        if root.tag == "domain":
            found.append(pytest.param(words_of(row), id=row["file"]))
    return found


def after(words: str, choice: Choice) -> str:
    vm = read(words)
    ground = ground_of(host_with_the_cards_of(vm), vm, Known(hosts.capabilities(), "test"))
    return edit(words, draft_vm(ground, choice).edits)


def cut(node: etree._Element) -> None:
    """Take an element out and leave the text behind it."""
    parent, before = node.getparent(), node.getprevious()
    assert parent is not None
    if before is not None:
        before.tail = (before.tail or "") + (node.tail or "")
    else:
        parent.text = (parent.text or "") + (node.tail or "")
    parent.remove(node)


def survivors(words: str, choice: Choice) -> str:
    """The document without what the choice may edit, in canonical form: order, comments and namespaces count."""
    root = etree.fromstring(words.encode())
    for node in root.xpath("devices/*"):
        if node.tag in EDITED:
            cut(node)
    for path in ("features/kvm/hidden", "features/kvm[not(*)]", "features[not(*)]") if choice == HIDDEN else ():
        for node in root.xpath(path):
            cut(node)
    return etree.tostring(root, method="c14n2", with_comments=True, strip_text=True).decode()


@pytest.mark.parametrize("row", [pytest.param(row, id=row["file"]) for row in ROWS])
def test_every_document_is_read_or_refused_with_the_place(row: dict[str, str]) -> None:
    try:
        vm = read(words_of(row))
    except Unreadable as refusal:
        arguments = dict(refusal.what.args)
        if refusal.what.id == "xmldoc.not-a-domain":
            assert arguments["root"] in OTHER_ROOTS
        else:
            assert row["category"] == "malformed"
            assert arguments["line"] > 1
            assert arguments["column"] >= 1
        return
    assert row["category"] != "malformed"
    assert vm.name
    assert vm.memory_kib > 0
    assert ("looking-glass" in row["category"]) <= vm.looking_glass


@pytest.mark.parametrize("words", domains())
@for_each_choice
def test_what_a_mode_does_not_name_survives(words: str, choice: Choice) -> None:
    changed = after(words, choice)
    assert survivors(changed, choice) == survivors(words, choice)
    assert (
        changed.count("\r\n") == changed.count("\n") or "\r\n" not in words or words.count("\r\n") < words.count("\n")
    )
    for kept in (words[: words.index("<domain")], words[words.rindex("</domain>") :]):
        assert kept in changed


@pytest.mark.parametrize("words", domains())
@for_each_choice
def test_lines_outside_the_edited_elements_stay_byte_for_byte(words: str, choice: Choice) -> None:
    spans = locate(words, parse(words))
    edited = [spans[node.path] for node in walk(parse(words)) if node.tag in EDITED and len(node.path) <= 2]
    if choice == HIDDEN:
        edited += [spans[node.path] for node in parse(words).all("features")]
    changed = iter(after(words, choice).splitlines(keepends=True))
    start = 0
    for line in words.splitlines(keepends=True):
        end = start + len(line)
        if not any(span.start < end and start < span.end for span in edited):
            # Lines come in their order, so `in` uses up those before.
            assert line in changed
        start = end


@pytest.mark.parametrize("words", domains())
@for_each_choice
def test_a_second_plan_changes_nothing(words: str, choice: Choice) -> None:
    once = after(words, choice)
    vm = read(once)
    ground = ground_of(host_with_the_cards_of(read(words)), vm, Known(hosts.capabilities(), "test"))
    assert draft_vm(ground, choice).edits == ()


@pytest.mark.parametrize("words", domains())
@for_each_choice
def test_taking_back_restores_every_byte(words: str, choice: Choice) -> None:
    changed = after(words, choice)
    taken = take_back(words, changed, changed)
    assert taken.text == words
    assert taken.left == ()


@pytest.mark.parametrize("words", domains())
@for_each_choice
def test_taking_back_keeps_what_somebody_else_added(words: str, choice: Choice) -> None:
    def theirs(document: str) -> str:
        root = parse(document)
        devices = root.find("devices")
        assert devices is not None
        rng = element("rng", Element("backend", (("model", "random"),), text="/dev/urandom"), model="virtio")
        memory = root.find("memory")
        assert memory is not None
        return edit(
            document,
            (Insert(devices.path, len(devices.children) - 1, rng), SetAttribute(memory.path, "dumpCore", "off")),
        )

    taken = take_back(words, after(words, choice), theirs(after(words, choice)))
    assert taken.left == ()
    assert etree.tostring(etree.fromstring(taken.text.encode()), method="c14n2", strip_text=True) == etree.tostring(
        etree.fromstring(theirs(words).encode()), method="c14n2", strip_text=True
    )


@pytest.mark.parametrize("words", domains())
def test_an_element_taken_out_and_put_back_by_taking_back_is_what_it_was(words: str) -> None:
    root = parse(words)
    devices = root.find("devices")
    assert devices is not None
    for node in devices.children:
        without = edit(words, (Remove(node.path),))
        assert take_back(words, without, without).text == words
