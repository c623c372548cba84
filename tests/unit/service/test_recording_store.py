# SPDX-License-Identifier: GPL-3.0-or-later
"""Recorded domains: read from the recording, changed beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from vitrail.model.errors import Unreachable, Unreadable
from vitrail.model.machine import MachineKind
from vitrail.model.reading import Known, Unknown
from vitrail.model.text import text
from vitrail.model.vm import VmState
from vitrail.service.places import open_place
from vitrail.service.recording_store import RecordingStore
from vitrail.service.state import StateFolder
from vitrail.service.stores import DefineRefused, StoredDomain
from vitrail.source.recording import open_recording

UUID = "11111111-2222-3333-4444-555555555555"
DOMAIN = f"""<domain type='kvm'>
  <name>guest</name>
  <uuid>{UUID}</uuid>
  <os><type arch='x86_64' machine='pc-q35-9.2'>hvm</type></os>
  <devices>
    <video><model type='vga'/></video>
  </devices>
</domain>
"""
CAPABILITIES = """<domainCapabilities>
  <path>/usr/bin/qemu-system-x86_64</path>
  <domain>kvm</domain>
  <machine>{machine}</machine>
  <arch>x86_64</arch>
</domainCapabilities>
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "machine"
    (made / "libvirt" / "domains").mkdir(parents=True)
    (made / "root").mkdir()
    (made / "machine.toml").write_text("format = 1\n")
    (made / "libvirt" / "domains" / "guest.xml").write_text(DOMAIN)
    (made / "libvirt" / "domains.toml").write_text(f'["{UUID}"]\nstate = "running"\nautostart = true\n')
    return made


@pytest.fixture
def store(folder: Path, tmp_path: Path) -> RecordingStore:
    return RecordingStore(open_recording(folder), StateFolder(tmp_path / "state"), f"machine:{folder}")


def test_a_recorded_domain_has_its_text_and_what_is_known_of_it(store: RecordingStore):
    (found,) = store.list()
    assert (found.uuid, found.name, found.persistent) == (UUID, "guest", True)
    assert isinstance(found.text, Known)
    assert found.text.value == DOMAIN
    assert found.state == Known(VmState.RUNNING, "libvirt/domains.toml")
    assert found.autostart == Known(True, "libvirt/domains.toml")  # noqa: FBT003
    assert isinstance(found.has_managed_save, Unknown)


def test_a_change_lies_in_the_state_folder_and_the_recording_stays(store: RecordingStore, folder: Path, tmp_path: Path):
    changed = DOMAIN.replace("vga", "virtio")
    store.define(UUID, changed, strict=True)
    found = store.read(UUID)
    assert found is not None
    assert found.text == Known(changed, found.text.source)  # type: ignore[union-attr]
    assert (folder / "libvirt" / "domains" / "guest.xml").read_text() == DOMAIN
    (copy,) = (tmp_path / "state" / "simulated").rglob("*.xml")
    assert copy.read_text() == changed
    assert copy.stat().st_mode & 0o777 == 0o600


def test_a_change_is_seen_by_the_next_process(store: RecordingStore, folder: Path, tmp_path: Path):
    store.define(UUID, DOMAIN.replace("vga", "virtio"), strict=True)
    other = RecordingStore(open_recording(folder), StateFolder(tmp_path / "state"), f"machine:{folder}")
    found = other.read(UUID)
    assert found is not None
    assert "virtio" in found.text.value  # type: ignore[union-attr]


@pytest.mark.parametrize("words", ["no xml", "<network/>", DOMAIN.replace("11111111", "99999999")])
def test_what_is_not_this_domain_is_not_taken(store: RecordingStore, words: str):
    with pytest.raises(DefineRefused):
        store.define(UUID, words, strict=True)


def test_a_damaged_document_is_listed_by_its_file(store: RecordingStore, folder: Path):
    (folder / "libvirt" / "domains" / "broken.xml").write_bytes(b"\xff\xfe")
    assert [(one.name, isinstance(one.text, Unknown)) for one in store.list()] == [
        ("guest", False),
        ("libvirt/domains/broken.xml", True),
    ]


def test_capabilities_come_from_the_nearest_document(store: RecordingStore, folder: Path):
    assert isinstance(store.capabilities(None, "x86_64", "pc-q35-9.2", "kvm"), Unknown)
    documents = folder / "libvirt" / "domain-capabilities"
    documents.mkdir()
    (documents / "a.xml").write_text(CAPABILITIES.format(machine="pc-q35-9.2"))
    (documents / "b.xml").write_text(CAPABILITIES.format(machine="q35"))
    (documents / "c.xml").write_text("<broken")
    exact = store.capabilities(None, "x86_64", "pc-q35-9.2", "kvm")
    assert isinstance(exact, Known)
    assert "pc-q35-9.2" in exact.value
    assert isinstance(store.capabilities(None, "x86_64", "pc-q35-8.0", "kvm"), Known)
    assert isinstance(store.capabilities(None, "x86_64", "pc-i440fx-9.2", "kvm"), Unknown)
    assert isinstance(store.capabilities(None, "aarch64", "virt-9.2", "kvm"), Unknown)


def test_a_recording_is_a_place_of_its_own(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("VITRAIL_STATE_DIR", str(tmp_path / "state"))
    place = open_place(str(folder), None)
    assert (place.kind, place.connection) == (MachineKind.RECORDING, f"machine:{folder}")
    host = place.read()
    assert place.find_vm(host, "guest").uuid == UUID
    assert place.find_vm(host, UUID.upper()).name == "guest"
    with pytest.raises(Unreadable):
        open_place(str(folder), "qemu:///system")


def test_vms_that_cannot_be_read_are_a_finding(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("VITRAIL_STATE_DIR", str(tmp_path / "state"))
    (folder / "libvirt" / "domains" / "bad.xml").write_text("<domain>")
    place = open_place(str(folder), None)
    host = place.read()
    assert isinstance(host.vms, Known)
    assert [vm.name for vm in host.vms.value] == ["guest"]
    (finding,) = [found for found in place.findings(host) if found.id == "vm.not-read"]
    assert dict(finding.title.args)["vm"] == "libvirt/domains/bad.xml"
    assert finding.remedy == text("service.recording.file-remedy")
    assert place.not_read == (finding,)


def test_where_no_definition_is_readable_the_vms_are_unknown(folder: Path, tmp_path: Path, monkeypatch):
    monkeypatch.setenv("VITRAIL_STATE_DIR", str(tmp_path / "state"))
    (folder / "libvirt" / "domains" / "guest.xml").write_text("<domain>")
    place = open_place(str(folder), None)
    host = place.read()
    assert isinstance(host.vms, Unknown)
    assert host.vms.reason.id == "service.vm.none-read"
    with pytest.raises(Unreachable):
        place.find_vm(host, "guest")


def only_domains(folder: Path, **files: str) -> None:
    for old in (folder / "libvirt" / "domains").iterdir():
        old.unlink()
    (folder / "libvirt" / "domains.toml").unlink()
    for name, words in files.items():
        (folder / "libvirt" / "domains" / f"{name}.xml").write_text(words)


def listed(folder: Path, tmp_path: Path) -> dict[str, StoredDomain]:
    store = RecordingStore(open_recording(folder), StateFolder(tmp_path / "state"), f"machine:{folder}")
    return {one.name: one for one in store.list()}


LIVE = DOMAIN.replace("type='kvm'", "type='kvm' id='3'").replace("vga", "qxl")


@pytest.mark.parametrize(("words", "state"), [(LIVE, VmState.RUNNING), (DOMAIN, VmState.OFF)])
def test_a_state_that_is_not_written_down_is_that_of_the_document(folder: Path, tmp_path: Path, words, state):
    only_domains(folder, guest=words)
    assert listed(folder, tmp_path)["guest"].state == Known(state, "libvirt/domains/guest.xml domain/@id")


@pytest.mark.parametrize("names", [("a", "b"), ("b", "a")])
def test_what_ran_and_what_is_defined_are_one_vm(folder: Path, tmp_path: Path, names: tuple[str, str]):
    only_domains(folder, **dict(zip(names, (LIVE, DOMAIN), strict=True)), c=DOMAIN)
    (found,) = listed(folder, tmp_path).values()
    assert isinstance(found.text, Known)
    assert found.text.value == DOMAIN
    assert isinstance(found.state, Known)
    assert found.state.value is VmState.RUNNING


def test_two_vms_with_one_uuid_are_told(folder: Path, tmp_path: Path):
    only_domains(folder, a=DOMAIN, b=DOMAIN.replace("guest", "other"), c=DOMAIN.replace("vga", "qxl"))
    found = listed(folder, tmp_path)
    assert list(found) == ["guest", "libvirt/domains/b.xml", "libvirt/domains/c.xml"]
    for file in list(found)[1:]:
        unread = found[file].text
        assert isinstance(unread, Unknown)
        assert unread.reason.id == "service.recording.same-uuid"


@pytest.mark.parametrize("without", ["", "<uuid/>", "<uuid> </uuid>"])
def test_a_definition_without_uuid_gets_one_that_stays(folder: Path, tmp_path: Path, without: str):
    words = DOMAIN.replace(f"<uuid>{UUID}</uuid>", without)
    only_domains(folder, guest=words, second=words.replace("guest", "second"))
    found = listed(folder, tmp_path)
    assert len({one.uuid for one in found.values()}) == 2
    place = open_place(str(folder), None, state_folder=tmp_path / "state")
    vm = place.find_vm(place.read(), "guest")
    assert vm.uuid == found["guest"].uuid == listed(folder, tmp_path)["guest"].uuid
    assert f"<name>guest</name>\n  <uuid>{vm.uuid}</uuid>" in vm.text
    assert vm.text.count("<uuid") == 1
    assert (folder / "libvirt" / "domains" / "guest.xml").read_text() == words


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (DOMAIN.replace(UUID, "../../../../tmp/x"), "bad-uuid"),
        (DOMAIN.replace("<name>guest</name>", ""), "no-name"),
    ],
)
def test_a_definition_that_names_no_vm_is_told(folder: Path, tmp_path: Path, words: str, why: str):
    only_domains(folder, guest=words)
    unread = listed(folder, tmp_path)["libvirt/domains/guest.xml"].text
    assert isinstance(unread, Unknown)
    assert unread.reason.id == f"service.recording.{why}"


def test_the_only_capabilities_serve_every_vm_of_their_processor(folder: Path, tmp_path: Path):
    (folder / "libvirt" / "domcapabilities.xml").write_text(CAPABILITIES.format(machine="pc-i440fx-9.2"))
    store = RecordingStore(open_recording(folder), StateFolder(tmp_path / "state"), f"machine:{folder}")
    assert isinstance(store.capabilities(None, "x86_64", "pc-q35-9.2", "kvm"), Known)
    assert isinstance(store.capabilities(None, "aarch64", "virt-9.2", "kvm"), Unknown)
