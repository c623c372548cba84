# SPDX-License-Identifier: GPL-3.0-or-later
"""The client against the installed door with the real core, and what it says where one of them is missing."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from helper_bus.conftest import CORE, end_process, pid_of
from vitrail import __version__
from vitrail.model.errors import Refused, Unreachable, VitrailError
from vitrail.model.host_place import kind_of_change, place_of
from vitrail.model.host_step import Fixed, FixedFile, HostPlan, WriteFile
from vitrail.model.host_wire import PROTOCOL, HostProgress, Kind
from vitrail.model.render import digest_of, render
from vitrail.service.helper_client import HelperClient
from vitrail.service.helper_words import not_answered, not_done
from vitrail.text import speaker

PLAN_ID = "0123456789abcdef"
TEMPLATE = FixedFile(Fixed.DRACUT_CONF)
MACHINE_ID = "0f0e0d0c0b0a09080706050403020100"


@pytest.fixture
def client(bus) -> Iterator[HelperClient]:
    """Root's own: polkit lets root do everything."""
    (bus.root / "etc/machine-id").unlink(missing_ok=True)
    (bus.root / "etc/machine-id").write_text(MACHINE_ID + "\n")
    return HelperClient(bus.address, bus.root)


def plan(machine_id: str = MACHINE_ID, boot_id: str | None = None, content: bytes | None = None) -> HostPlan:
    """One file that nothing reads, for this machine in this boot."""
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    machine = hashlib.sha256(b"vitrail " + machine_id.encode()).hexdigest()
    step = WriteFile(TEMPLATE, None, digest_of(render(TEMPLATE, None) if content is None else content))
    return HostPlan(PLAN_ID, machine, boot_id or boot, (), (step,), (), guarded=False)


def refusal(do: Callable[[], object]) -> VitrailError:
    """What it says instead of doing it."""
    with pytest.raises(VitrailError) as caught:
        do()
    return caught.value


@pytest.mark.real
def test_hello_says_which_helper_this_is(client):
    hello = client.hello()
    assert (hello.version, hello.protocol) == (__version__, PROTOCOL)


@pytest.mark.real
def test_a_change_is_applied_listed_and_taken_back_over_the_bus(bus, client):
    place = place_of(TEMPLATE).path
    path = bus.root / place
    told: list[HostProgress] = []
    outcome = client.apply(plan(), told.append)
    assert told == [HostProgress(PLAN_ID, 1, 1, kind_of_change(plan().steps[0]), "/" + place, back=False)]
    assert (outcome.plan_id, outcome.result) == (PLAN_ID, "applied")
    assert path.read_bytes() == render(TEMPLATE, None)
    assert [(run.plan_id, run.state) for run in client.status().runs[:1]] == [(PLAN_ID, "applied")]
    (undone,) = client.undo(PLAN_ID)
    assert undone.result == "taken_back"
    assert not path.exists()
    assert client.undo() == ()


@pytest.mark.real
@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"machine_id": "f" * 32}, "helper.refused.other-machine"),
        ({"boot_id": "11111111-2222-3333-4444-555555555555"}, "helper.refused.other-boot"),
        ({"content": b"install vfio-pci /bin/sh\n"}, "helper.refused.rendering"),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_is_written(bus, client, changed, said):
    error = refusal(lambda: client.apply(plan(**changed)))
    assert isinstance(error, Refused)
    assert error.what.id == said
    assert not (bus.root / place_of(TEMPLATE).path).exists()


@pytest.mark.real
def test_facts_come_in_pages(client):
    page = client.facts()
    assert "proc/cmdline" in {fact.path for fact in page.entries}
    paths = [fact.path for fact in page.entries]
    assert client.facts(paths[0]).entries[0].path == paths[1]


@pytest.mark.real
def test_a_helper_of_another_version_applies_nothing_and_takes_back(client, core):
    error = refusal(lambda: client.apply(plan()))
    assert (error.what.id, dict(error.what.args)["theirs"]) == ("helper.other-version", "0.0.1")
    assert core.log == ["begun hello", "finished hello"]
    assert client.undo() == ()


@pytest.mark.real
def test_without_the_core_nothing_is_left_open(bus, client):
    place = bus.root / CORE
    real = place.read_bytes()
    place.unlink()
    try:
        assert refusal(client.undo).what.id in ("helper.damaged", "helper.unknown")
    finally:
        place.write_bytes(real)


@pytest.mark.real
def test_without_the_helper_that_is_said(bare_bus):
    error = refusal(HelperClient(bare_bus.address, bare_bus.root).hello)
    assert isinstance(error, Unreachable)
    assert (error.what.id, error.next_steps[0].id) == ("helper.not-installed", "helper.next.install")


@pytest.mark.real
def test_a_helper_that_the_bus_does_not_know_is_another_sentence(bare_bus, tree):
    service = tree / "usr/local/share/dbus-1/system-services/org.vitrail.Helper1.service"
    service.parent.mkdir(parents=True)
    service.write_text("")
    assert refusal(HelperClient(bare_bus.address, tree).hello).what.id == "helper.not-known"


def test_without_a_bus_that_is_said(tmp_path):
    assert refusal(HelperClient(f"unix:path={tmp_path}/none").hello).what.id == "helper.no-bus"


@pytest.mark.real
@pytest.mark.usefixtures("core")
def test_without_polkit_nothing_is_allowed(bus, caller):
    program = bus.root / "usr/share/dbus-1/system-services/org.freedesktop.PolicyKit1.service"
    text = program.read_text()
    assert caller("games").asks("undo") == {"ok": []}
    polkit = pid_of(bus, "org.freedesktop.PolicyKit1")
    program.write_text(text.replace("/usr/lib/polkit-1/polkitd", "/bin/false"))
    try:
        end_process(polkit)
        assert caller("games").asks("undo")["id"] == "helper.no-polkit"
        assert caller("games").asks("hello")["ok"]
    finally:
        program.write_text(text)


@pytest.mark.parametrize("kind", list(Kind))
def test_every_kind_has_words_and_a_class(kind):
    say = speaker("en").say
    error = not_done(kind.value, {"subject": "a", "plan_id": PLAN_ID, "newest": 1}, writes=True)
    for words in (error.what, *error.next_steps):
        assert say(words) != words.id


@pytest.mark.parametrize("name", ["org.freedesktop.DBus.Error.Spawn.ChildExited", "org.example.Never", "?", ""])
def test_an_error_that_nobody_knows_leaves_a_write_open(name):
    say = speaker("en").say
    error = not_answered(name, writes=True, installed=True)
    assert say(error.what) != error.what.id


def test_what_a_helper_says_is_shown_plainly():
    error = not_done(Kind.SUBJECT_CHANGED.value, {"subject": "\x1b[2Ja\nb"}, writes=True)
    assert "\x1b" not in speaker("en").say(error.what)
