# SPDX-License-Identifier: GPL-3.0-or-later
"""The standard keys of fdinfo: what is learned once of a file's lines must never read a number wrongly later."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.hosts import at
from vitrail.source.fdinfo import DrmCounters, read_identity

HEAD = b"pos:\t0\nflags:\t02\ndrm-driver:\tamdgpu\ndrm-client-id:\t5\ndrm-pdev:\t0000:03:00.0\n"


def test_a_client_is_its_card_and_its_number():
    identity = read_identity(HEAD)
    assert identity is not None
    assert (identity.driver, identity.card, identity.client) == ("amdgpu", at("03:00.0"), 5)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"pos:\t0\n",
        b"drm-driver:\tx\n",
        b"drm-driver:\tx\ndrm-client-id:\t-1\n",
        b"drm-driver:\tx\ndrm-client-id:\t\xb2\n",
        b"\x00\xff\n" * 50,
    ],
)
def test_what_tells_of_no_client_is_none(content):
    assert read_identity(content) is None


def test_a_card_that_is_on_no_pci_bus_has_no_address():
    identity = read_identity(b"drm-driver:\tpanfrost\ndrm-client-id:\t1\ndrm-pdev:\tfb000000.gpu\n")
    assert identity is not None
    assert identity.card is None


@pytest.mark.parametrize(
    ("lines", "mib"),
    [
        (b"drm-memory-vram:\t2048 KiB\ndrm-memory-gtt:\t9 MiB\n", 2),
        (b"drm-memory-vram:\t9 MiB\ndrm-resident-vram:\t3 MiB\ndrm-total-vram:\t9 MiB\n", 3),
        (b"drm-resident-system0:\t7340032\n", 7),
        (b"drm-resident-local0:\t5 MiB\ndrm-resident-system0:\t7 MiB\n", 5),
        (b"drm-total-vram0:\t4 MiB\n", 4),
        (b"", 0),
    ],
)
def test_memory_is_the_cards_own_where_it_has_some(lines, mib):
    assert DrmCounters(HEAD + lines).card_bytes == mib << 20


def test_engines_have_their_capacity_and_are_no_capacities():
    counters = DrmCounters(HEAD + b"drm-engine-video:\t7 ns\ndrm-engine-capacity-video:\t2\n")
    assert [(engine.name, engine.capacity) for engine in counters.engines] == [("video", 2)]


def test_another_clients_file_is_no_continuation():
    counters = DrmCounters(HEAD + b"drm-engine-gfx:\t7 ns\n")
    assert counters.read(HEAD.replace(b"\t5\n", b"\t6\n") + b"drm-engine-gfx:\t9 ns\n") is None


def test_a_key_that_comes_or_a_unit_that_changes_is_learned_anew():
    counters = DrmCounters(HEAD + b"drm-memory-vram:\t1024 KiB\ndrm-engine-gfx:\t7 ns\n")
    assert counters.read(HEAD + b"drm-memory-vram:\t1 MiB\ndrm-engine-gfx:\t8 ns\n") is False
    assert counters.card_bytes == 1 << 20
    assert counters.read(HEAD + b"drm-memory-vram:\t1 MiB\ndrm-engine-gfx:\t8 ns\ndrm-engine-dec:\t1 ns\n") is False
    assert counters.names == ("dec", "gfx")


NAMES = st.sampled_from(["gfx", "dec", "enc", "dma", "rcs"])
NUMBERS = st.integers(0, 2**64 - 1)
LINES = st.one_of(
    st.builds(lambda name, number: b"drm-engine-%s:\t%d ns" % (name.encode(), number), NAMES, NUMBERS),
    st.builds(lambda name, number: b"drm-cycles-%s:\t%d" % (name.encode(), number), NAMES, NUMBERS),
    st.builds(lambda name, number: b"drm-total-cycles-%s:\t%d" % (name.encode(), number), NAMES, NUMBERS),
    st.builds(lambda name, number: b"drm-engine-capacity-%s:\t%d" % (name.encode(), number), NAMES, NUMBERS),
    st.builds(
        lambda kind, region, number, unit: b"drm-%s-%s:\t%d%s" % (kind, region, number, unit),
        st.sampled_from([b"resident", b"memory", b"shared", b"total"]),
        st.sampled_from([b"vram", b"gtt", b"system0"]),
        NUMBERS,
        st.sampled_from([b"", b" KiB", b" MiB"]),
    ),
    st.sampled_from([b"amd-evicted-vram:\t1 KiB", b"", b"drm-engine-gfx:\tx ns", b"drm-client-id:\t6", b"ino:\t1"]),
)
CONTENTS = st.builds(
    lambda head, lines: (HEAD if head else b"") + b"\n".join(lines) + b"\n", st.booleans(), st.lists(LINES, max_size=8)
)


def told(counters: DrmCounters) -> tuple[object, ...]:
    engines = tuple(
        (engine.name, counters.values[engine.busy], engine.passed is not None and counters.values[engine.passed])
        for engine in counters.engines
    )
    return engines, counters.card_bytes, counters.shared_bytes


@given(st.lists(CONTENTS, min_size=2, max_size=6))
def test_what_was_learned_says_the_same_as_learning_anew(contents):
    counters = DrmCounters(contents[0])
    for content in contents[1:]:
        counters.read(content)
        assert told(counters) == told(DrmCounters(content))


@given(st.lists(LINES, min_size=1, max_size=8), st.lists(NUMBERS, min_size=2, max_size=5))
def test_numbers_that_move_in_the_same_lines_are_read_right(lines, numbers):
    def content(number: int) -> bytes:
        return HEAD + b"\n".join(_moved(line, number) for line in lines) + b"\n"

    counters = DrmCounters(content(numbers[0]))
    for number in numbers[1:]:
        counters.read(content(number))
        assert told(counters) == told(DrmCounters(content(number)))


def _moved(line: bytes, number: int) -> bytes:
    head, tab, rest = line.partition(b"\t")
    old, blank, unit = rest.partition(b" ")
    return head + tab + b"%d" % number + blank + unit if old.isdigit() and b"capacity" not in head else line
