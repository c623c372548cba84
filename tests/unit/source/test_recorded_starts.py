# SPDX-License-Identifier: GPL-3.0-or-later
"""A recording of every machine tells the same of its start, and nothing is read that a recording does not keep."""

from __future__ import annotations

import re
from dataclasses import replace
from fnmatch import translate

import pytest

from fakes.desktop import read, value
from fakes.roots import NotingRoot
from machines.build import DESCRIBED, place_of
from vitrail.model import paths
from vitrail.model.boot import BootSetup, FileSystem
from vitrail.model.reading import Known
from vitrail.source.recording import open_recording
from vitrail.source.root import MemoryRoot
from vitrail.source.saving import Draft, plan_recording

every_machine = pytest.mark.parametrize("name", DESCRIBED)
ID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|\b[0-9A-F]{4}-[0-9A-F]{4}\b|\b[0-9a-f]{32}\b")


def kept(name: str) -> Draft:
    return plan_recording(open_recording(place_of(name)).root)


def root_of(draft: Draft) -> MemoryRoot:
    inside = "root/"
    files = {path.removeprefix(inside): words for path, words in draft.files.items() if path.startswith(inside)}
    links = {path.removeprefix(inside): target for path, target in draft.links.items()}
    return MemoryRoot(files, links, [path.removeprefix(inside) for path in draft.folders])


def without_ids(setup: BootSetup) -> BootSetup:
    """The setup with every id blanked: a recording has others in their place."""

    def system(one: FileSystem) -> FileSystem:
        return replace(one, uuid=Known("id", "test")) if isinstance(one.uuid, Known) else one

    def text(content: object) -> object:
        if isinstance(content, Known) and isinstance(content.value, str):
            return Known(ID.sub("id", content.value), content.source)
        return content

    files = [(ID.sub("id", file.path), text(file.content)) for file in setup.files]
    systems = Known(tuple(map(system, value(setup.file_systems))), "test")
    facts = replace(setup, files=(), file_systems=systems, selected_entry=text(setup.selected_entry))
    return replace(facts, files=tuple(files))


def bare(found: tuple[tuple[str, object], ...]) -> list[tuple[str, object]]:
    """Without sources, which hold paths, and without the menu, of which only signs are kept."""
    return [
        (path, content.value if isinstance(content, Known) else content)
        for path, content in found
        if not path.endswith("/grub.cfg")
    ]


@every_machine
def test_a_recording_tells_the_same_of_the_start(name):
    before, after = read(open_recording(place_of(name)).root).boot, read(root_of(kept(name))).boot
    assert (after.loader, after.stack, after.initramfs, after.uefi) == (
        before.loader,
        before.stack,
        before.initramfs,
        before.uefi,
    )
    old, new = without_ids(before.setup), without_ids(after.setup)
    assert bare(new.files) == bare(old.files)
    assert replace(new, files=(), images=old.images) == replace(old, files=())
    assert [ID.sub("id", path) for path in value(new.images)] == [ID.sub("id", path) for path in value(old.images)]


@every_machine
def test_no_id_of_a_disk_is_in_a_recording(name):
    draft = kept(name)
    held = "\n".join((*draft.files, *draft.links, *(body.decode("latin-1") for body in draft.files.values())))
    for own in ("8f3c6f4e-5b0a", "5d2a9b7c-1e43", "c41e7a90-6b1f", "7A3C-11F2"):
        assert own not in held


@every_machine
def test_nothing_is_read_of_a_start_that_a_recording_leaves_out(name):
    root = NotingRoot(place_of(name) / "root")
    read(root)
    below = [f"*/{item.pattern}" for item in (*paths.BELOW_A_FUNCTION, *paths.BELOW_A_CLASS_LINK)]
    patterns = [item.pattern for item in (*paths.EVERYWHERE, *paths.PROCESSES)]
    listed = [re.compile(translate(pattern)) for pattern in patterns + below]
    holders = re.compile(r"proc/\d+/(maps|stat)|proc/driver/nvidia/.*|.*/config")
    stray = [path for path in root.read_paths if not any(one.match(path) for one in listed)]
    assert [path for path in stray if not holders.fullmatch(path)] == []
