# SPDX-License-Identifier: GPL-3.0-or-later
"""Edits touch what they name; taking back undoes them, others' work kept; secrets never show."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vitrail.xmldoc.compare import Difference, differences
from vitrail.xmldoc.diff import masked, shown_diff
from vitrail.xmldoc.document import parse
from vitrail.xmldoc.edits import Edit, Insert, Remove, SetAttribute, element
from vitrail.xmldoc.splice import edit
from vitrail.xmldoc.take_back import take_back

PLAIN = """<!-- made by hand -->
<domain type='kvm'>
  <devices>
    <!-- the screen -->
    <video>
      <model type="qxl" ram='65536'  heads='1'/> <!-- old -->
    </video>
    <sound model='ich9'/>
  </devices>
</domain>
"""
DEVICES = (0,)
VIDEO = (0, 0)
MODEL = (0, 0, 0)
SOUND = (0, 1)


def test_no_edits_give_the_same_string() -> None:
    assert edit(PLAIN, ()) is PLAIN


def test_an_attribute_keeps_its_quotes_and_its_neighbours() -> None:
    after = edit(PLAIN, (SetAttribute(MODEL, "type", "virtio"), SetAttribute(MODEL, "ram", None)))
    assert """<model type="virtio"  heads='1'/> <!-- old -->""" in after


def test_a_value_is_escaped() -> None:
    after = edit(PLAIN, (SetAttribute(MODEL, "type", "a\"<&'\n"),))
    assert parse(after).find("devices", "video", "model").get("type") == "a\"<&'\n"  # type: ignore[union-attr]


def test_an_element_goes_with_its_line_and_its_comment_stays() -> None:
    assert edit(PLAIN, (Remove(VIDEO),)) == PLAIN.replace(
        PLAIN[PLAIN.index("    <video") : PLAIN.index("    <sou")], ""
    )


def test_a_new_element_is_indented_like_its_neighbours() -> None:
    after = edit(PLAIN, (Insert(DEVICES, 1, element("graphics", element("listen", type="none"), type="spice")),))
    new = "    <graphics type='spice'>\n      <listen type='none'/>\n    </graphics>\n"
    assert after == PLAIN.replace("  </devices>", new + "  </devices>")


def test_line_ends_of_a_document_are_its_own() -> None:
    after = edit(PLAIN.replace("\n", "\r\n"), (Insert(DEVICES, 0, element("a", element("b"))),))
    assert after.count("\n") == after.count("\r\n")


def test_tabs_are_kept_as_indentation() -> None:
    after = edit(PLAIN.replace("  ", "\t"), (Insert(VIDEO, 0, element("a")),))
    assert "\t\t\t<a/>\n" in after


def test_an_element_written_empty_is_opened() -> None:
    assert edit("<domain>\n  <devices/>\n</domain>", (Insert((0,), None, element("a")),)) == (
        "<domain>\n  <devices>\n    <a/>\n  </devices>\n</domain>"
    )


def test_an_element_that_loses_all_is_closed() -> None:
    words = "<domain>\n  <a>\n    <b/>\n  </a>\n</domain>"
    assert edit(words, (Remove((0, 0)),)) == "<domain>\n  <a/>\n</domain>"


def test_a_document_on_one_line_stays_on_one_line() -> None:
    assert edit("<domain><a/><b/></domain>", (Insert((), 0, element("c", element("d"))),)) == (
        "<domain><a/><c><d/></c><b/></domain>"
    )


def test_markup_inside_comments_and_cdata_is_no_element() -> None:
    words = "<domain><!-- <a/> --><![CDATA[<b/>]]><c d='>'/><e/></domain>"
    assert edit(words, (Remove((1,)),)) == words.replace("<e/>", "")


def test_taking_back_what_nobody_touched_gives_every_byte() -> None:
    after = edit(PLAIN, (SetAttribute(MODEL, "type", "virtio"), Remove(SOUND)))
    assert take_back(PLAIN, after, after).text == PLAIN


def test_taking_back_keeps_what_others_did() -> None:
    after = edit(PLAIN, (SetAttribute(MODEL, "type", "virtio"), Remove(SOUND)))
    theirs = edit(after, (SetAttribute((), "type", "qemu"), Insert(DEVICES, 0, element("rng"))))
    taken = take_back(PLAIN, after, theirs)
    assert taken.text == edit(PLAIN, (SetAttribute((), "type", "qemu"), Insert(DEVICES, 0, element("rng")))).replace(
        "    <rng/>\n    <sound model='ich9'/>\n", "    <sound model='ich9'/>\n    <rng/>\n"
    )
    assert taken.left == ()


def test_what_others_changed_further_is_left_and_named() -> None:
    after = edit(PLAIN, (SetAttribute(MODEL, "type", "virtio"),))
    theirs = edit(after, (SetAttribute(MODEL, "type", "vga"),))
    taken = take_back(PLAIN, after, theirs)
    assert taken.text == theirs
    assert taken.left == ("devices/video/model/@type",)


def test_taking_back_twice_changes_nothing() -> None:
    after = edit(PLAIN, (SetAttribute(MODEL, "type", "virtio"),))
    assert take_back(PLAIN, after, PLAIN).text == PLAIN


def test_a_returning_device_gives_up_a_place_that_is_taken() -> None:
    address = "<address type='pci' bus='0x05' slot='0x00'/>"
    before = f"<domain><devices><sound>{address}</sound></devices></domain>"
    after = "<domain><devices/></domain>"
    theirs = f"<domain><devices><rng>{address}</rng></devices></domain>"
    assert take_back(before, after, theirs).text == f"<domain><devices><sound/><rng>{address}</rng></devices></domain>"


def test_what_libvirt_adds_is_no_difference() -> None:
    seen = PLAIN.replace("heads='1'/>", "heads='1' device='qxl-vga'><alias name='video0'/></model>")
    assert differences(PLAIN, seen) == ()


def test_what_libvirt_dropped_is_a_difference() -> None:
    meant = edit(PLAIN, (SetAttribute(MODEL, "blob", "on"),))
    assert differences(meant, PLAIN) == (Difference("devices/video/model/@blob", "on", "-"),)


def test_a_display_that_nobody_asked_for_is_a_difference() -> None:
    seen = edit(PLAIN, (Insert(DEVICES, 1, element("graphics", type="vnc")),))
    assert differences(PLAIN, seen) == (Difference("devices/graphics[vnc]", "-", "graphics vnc"),)


def test_only_what_an_edit_changed_is_compared_when_it_is_told() -> None:
    after = edit(PLAIN, (SetAttribute(MODEL, "type", "virtio"),))
    seen = edit(after, (SetAttribute(SOUND, "model", "ich6"),))
    assert differences(after, seen, PLAIN) == ()


@pytest.mark.parametrize(
    "words",
    [
        "<graphics type='vnc' passwd='hunter2'/>",
        '<graphics passwd = "hunter2"/>',
        "<qemu:arg value='-vnc :0,password=hunter2,tls=on'/>",
        "<qemu:arg value='{&quot;password&quot;:&quot;hunter2&quot;}'/>",
        "<qemu:arg value='secret,id=a,data=hunter2'/>",
        """<qemu:arg value='{"qom-type":"secret","id":"a","data":"hunter2"}'/>""",
    ],
)
def test_a_password_never_shows(words: str) -> None:
    assert "hunter2" not in masked(words)
    assert "hunter2" not in shown_diff(words, words.replace("hunter2", "hunter2x") + "\n<a/>")
    assert "•••" in masked(words)


def test_secrets_by_name_and_other_settings_stay_readable() -> None:
    words = "<secret type='passphrase' uuid='1234'/><a passwdValidTo='2030'/>"
    assert masked(words) == words


NAMES = st.sampled_from(["video", "graphics", "hostdev", "sound", "model"])
VALUES = st.text(alphabet="abc <>&'\"0x\n", max_size=6)
BLANKS = st.sampled_from(["", "\n", "\n  ", "\r\n\t", " <!-- <x/> --> "])


def escaped(value: str) -> str:
    return value.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;").replace("\n", "&#10;")


@st.composite
def elements(draw: st.DrawFn, depth: int = 2) -> str:
    name = draw(NAMES)
    attributes = "".join(
        f' {key}="{escaped(draw(VALUES))}"' for key in draw(st.sets(st.sampled_from("pqr"), max_size=2))
    )
    children = draw(st.lists(elements(depth - 1), max_size=3)) if depth else []
    inner = "".join(draw(BLANKS) + child for child in children) + (draw(BLANKS) if children else "")
    return f"<{name}{attributes}>{inner}</{name}>" if children else f"<{name}{attributes}/>"


@st.composite
def documents_and_edits(draw: st.DrawFn) -> tuple[str, tuple[Edit, ...]]:
    inner = "".join(draw(BLANKS) + draw(elements()) for _ in range(draw(st.integers(1, 4))))
    words = f"<domain><devices>{inner}{draw(BLANKS)}</devices></domain>"
    devices = parse(words).children[0]
    edits: list[Edit] = []
    for child in devices.children:
        match draw(st.integers(0, 4)):
            case 0:
                edits.append(Remove(child.path))
            case 1:
                edits.append(SetAttribute(child.path, "p", draw(st.none() | VALUES)))
            case 2:
                edits.append(Insert(devices.path, child.path[-1], element("audio", element("x"), id="7")))
            case 3:
                edits.append(Insert(child.path, None, element("listen", type="none")))
            case _:
                pass
    return words, tuple(edits)


@given(documents_and_edits())
def test_taking_an_edit_back_is_always_the_document_before(drawn: tuple[str, tuple[Edit, ...]]) -> None:
    words, edits = drawn
    after = edit(words, edits)
    assert take_back(words, after, after).text == words


@given(documents_and_edits())
def test_an_edit_never_makes_a_document_that_cannot_be_read(drawn: tuple[str, tuple[Edit, ...]]) -> None:
    words, edits = drawn
    root = parse(edit(words, edits))
    removed = sum(isinstance(one, Remove) for one in edits)
    added = sum(isinstance(one, Insert) and one.parent == (0,) for one in edits)
    assert len(root.children[0].children) == len(parse(words).children[0].children) - removed + added
