# SPDX-License-Identifier: GPL-3.0-or-later
"""Every command on a recorded machine: the JSON to the letter, exit codes, and what people read."""

from __future__ import annotations

import json

import pytest

from fakes import contract
from fakes.domains import PLAIN_UUID, domain


def faults(schema, said):
    return contract.wrong(schema, said.json)


def apply_virtio(vitrail, machine):
    return vitrail("apply", "--machine", machine, "--vm", "plain", "--mode", "virtio", "--yes", "--json")


def test_scan_has_the_contracts_shape(vitrail, machine):
    said = vitrail("scan", "--machine", machine, "--json")
    assert said.code == 0
    assert faults(contract.SCAN, said) == []


def test_scan_tells_cards_groups_and_vms(vitrail, machine):
    answer = vitrail("scan", "--machine", machine, "--json").json
    assert [card["address"] for card in answer["gpus"]] == ["0000:01:00.0", "0000:02:00.0"]
    assert (answer["gpus"][0]["vendor_id"], answer["gpus"][0]["class"]) == ("10de", "0300")
    assert {group["number"]: group["verdict"] for group in answer["groups"]}[15] == "isolated"
    vm = next(vm for vm in answer["vms"] if vm["name"] == "plain")
    assert (vm["uuid"], vm["state"], vm["graphics"][0]["mode"]) == (PLAIN_UUID, "off", "qxl")


def test_scan_for_people_says_that_it_is_simulated(vitrail, machine):
    said = vitrail("scan", "--machine", machine)
    assert said.out.startswith("SIMULATED: ")
    assert "can be given alone" in said.out


def test_a_recording_without_anything_is_a_scan_of_unknowns(vitrail, tmp_path):
    (tmp_path / "machine.toml").write_text("format = 1\n", "utf-8")
    said = vitrail("scan", "--machine", tmp_path, "--json")
    assert said.code == 0
    assert faults(contract.SCAN, said) == []
    assert "unknown" in said.json["host"]["kernel"]


def test_a_listing_is_scanned_without_any_machine(vitrail, tmp_path):
    listing = tmp_path / "listing.txt"
    listing.write_text(
        "01:00.0 VGA compatible controller [0300]: NVIDIA Corporation GA106 [GeForce RTX 3060] [10de:2504] (rev a1)\n"
        "\tKernel driver in use: nvidia\n",
        "utf-8",
    )
    said = vitrail("scan", "--lspci", listing, "--json")
    assert said.code == 0
    assert faults(contract.SCAN, said) == []
    assert said.json["gpus"][0]["driver"] == "nvidia"
    assert vitrail("scan", "--lspci", listing).out.startswith("FROM A LISTING: ")


def test_what_is_to_be_known_of_a_listing_is_said_to_people_only(vitrail, tmp_path):
    listing = tmp_path / "dmesg.txt"
    listing.write_text(
        "[    0.5] pci 0000:00:00.0: [1022:1480] type 00 class 0x060000\n"
        "[    0.5] pci 0000:0b:00.0: [1002:731f] type 00 class 0x030000\n"
        "[    0.6] pci 0000:0b:00.0: Adding to iommu group 25\n",
        "utf-8",
    )
    page = vitrail("scan", "--lspci", listing)
    assert page.code == 0
    assert "About this listing" in page.out
    assert "kernel's log" in page.out
    said = vitrail("scan", "--lspci", listing, "--json")
    assert faults(contract.SCAN, said) == []
    assert said.json["gpus"][0]["iommu_group"] == 25
    assert "kernel's log" not in said.out


def test_doctor_has_the_contracts_shape(vitrail, machine):
    said = vitrail("doctor", "--machine", machine, "--json")
    assert said.code in (0, 1, 2)
    assert faults(contract.DOCTOR, said) == []


def test_doctor_of_one_choice_has_the_contracts_shape(vitrail, machine):
    said = vitrail(
        "doctor", "--machine", machine, "--vm", "plain", "--mode", "passthrough", "--gpu", "02:00.0", "--json"
    )
    assert faults(contract.DOCTOR, said) == []


def test_modes_lists_all_fourteen_in_the_contracts_shape(vitrail, machine):
    said = vitrail("modes", "--machine", machine, "--vm", "plain", "--json")
    assert said.code == 0
    assert faults(contract.MODES_ANSWER, said) == []
    assert {mode["mode"] for mode in said.json["modes"]} == contract.MODES


def test_a_plan_has_the_contracts_shape_and_writes_nothing(vitrail, machine, tmp_path):
    said = vitrail("plan", "--machine", machine, "--vm", "plain", "--mode", "virtio", "--json")
    assert said.code == 0
    assert faults(contract.PLAN, said) == []
    assert not list(tmp_path.glob("state/**/*.xml"))


def test_the_same_plan_has_the_same_id_in_any_language(vitrail, machine):
    words = ("plan", "--machine", machine, "--vm", "plain", "--mode", "virtio", "--json")
    assert vitrail(*words).json == vitrail(*words, "--language", "de").json


def test_apply_history_verify_undo_go_round(vitrail, machine):
    applied = apply_virtio(vitrail, machine)
    assert applied.code == 0
    assert faults(contract.RUN, applied) == []
    assert applied.json["result"] == "applied"
    told = vitrail("history", "--machine", machine, "--json")
    assert faults(contract.HISTORY, told) == []
    assert (told.json["plans"][0]["plan_id"], told.json["plans"][0]["state"]) == (applied.json["plan_id"], "applied")
    checked = vitrail("verify", "--machine", machine, "--json")
    assert checked.code == 0
    assert faults(contract.VERIFY, checked) == []
    undone = vitrail("undo", "--machine", machine, "--json")
    assert undone.code == 0
    assert faults(contract.RUN, undone) == []
    assert undone.json["result"] == "taken_back"
    again = vitrail("undo", "--machine", machine, "--json")
    assert (again.code, again.json["result"]) == (0, "nothing_to_do")


def test_a_plans_file_is_applied_when_nothing_changed(vitrail, machine, tmp_path):
    plan = vitrail("plan", "--machine", machine, "--vm", "plain", "--mode", "virtio", "--json")
    file = tmp_path / "PLAN.json"
    file.write_text(plan.out, "utf-8")
    said = vitrail("apply", file, "--machine", machine, "--yes", "--json")
    assert said.code == 0
    assert said.json["plan_id"] == plan.json["plan_id"]


def test_a_plans_file_is_refused_when_the_vm_changed(vitrail, machine, tmp_path):
    plan = vitrail("plan", "--machine", machine, "--vm", "plain", "--mode", "virtio", "--json")
    file = tmp_path / "PLAN.json"
    file.write_text(plan.out, "utf-8")
    path = machine / "libvirt" / "domains" / "plain.xml"
    path.write_text(path.read_text("utf-8").replace("4194304", "2097152"), "utf-8")
    said = vitrail("apply", file, "--machine", machine, "--yes", "--json")
    assert said.code == 1
    assert faults(contract.REFUSED, said) == []
    assert vitrail("history", "--machine", machine, "--json").json["plans"] == []


def test_steps_in_a_plans_file_are_never_carried_out(vitrail, machine, tmp_path):
    answer = vitrail("plan", "--machine", machine, "--vm", "plain", "--mode", "virtio", "--json").json
    answer["phases"] = [{"name": "vm", "writer": "vm", "steps": [{"kind": "edit-vm", "after": "<domain/>"}]}]
    file = tmp_path / "PLAN.json"
    file.write_text(json.dumps(answer), "utf-8")
    said = vitrail("apply", file, "--machine", machine, "--yes", "--json")
    assert said.json["result"] == "applied"
    assert "virtio" in next(iter((tmp_path / "state").glob(f"**/{PLAIN_UUID}.xml"))).read_text("utf-8")


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"schema": 2}', '{"schema": 1, "choice": 7}', "<domain/>", "[" * 99999]
)
def test_what_is_no_plans_file_is_unreadable(vitrail, machine, tmp_path, content):
    file = tmp_path / "PLAN.json"
    file.write_text(content, "utf-8")
    said = vitrail("apply", file, "--machine", machine, "--yes", "--json")
    assert said.code == 3
    assert faults(contract.ERROR, said) == []


def test_apply_without_a_yes_and_without_a_terminal_writes_nothing(vitrail, machine):
    said = vitrail("apply", "--machine", machine, "--vm", "plain", "--mode", "virtio")
    assert said.code == 3
    assert vitrail("history", "--machine", machine, "--json").json["plans"] == []


def test_status_and_keep_await_nothing(vitrail):
    assert vitrail("status", "--json").json == {"schema": 1, "awaiting": []}
    said = vitrail("keep", "--json")
    assert said.code == 1
    assert faults(contract.ERROR, said) == []


@pytest.mark.parametrize(
    "words",
    [
        ("explain", "-"),
        ("vgpu", "list"),
        ("fallback", "plain", "--back"),
        ("capacity",),
        ("export", "--vm", "plain", "--to", "kubevirt"),
    ],
)
def test_what_is_not_in_this_version_says_so(vitrail, words):
    said = vitrail(*words, "--json")
    assert said.code == 1
    assert faults(contract.ERROR, said) == []
    assert said.json["error"]["id"] == "not-available"


@pytest.mark.parametrize(
    "words",
    [
        ("nonsense",),
        ("scan", "--nonsense"),
        ("scan", "extra"),
        ("scan", "--machine", "a", "--connect", "b"),
        ("plan", "--vm", "plain"),
        ("plan", "--mode", "virtio"),
        ("plan", "--vm", "plain", "--xml", "x", "--mode", "virtio"),
        ("plan", "--vm", "plain", "--mode", "magic"),
        ("plan", "--vm", "plain", "--mode", "virtio", "--out", "x"),
        ("apply", "--yes"),
        ("apply", "x.json", "--vm", "plain", "--yes"),
        ("doctor", "--vm", "plain"),
        ("modes",),
        ("modes", "--vm", "plain", "--purpose", "fun"),
        ("undo", "0123456789abcdef", "--all"),
        ("record", "x", "--machine", "demo"),
    ],
)
def test_wrong_words_are_usage(vitrail, words):
    said = vitrail(*words, "--json")
    assert said.code == 3
    assert faults(contract.ERROR, said) == []
    people = vitrail(*words)
    assert people.code == 3
    assert people.err
    assert people.out == ""


@pytest.mark.parametrize(
    "words", [("--set", "nonsense=1"), ("--set", "screen"), ("--gpu", "banana"), ("--gpu", "02:00.0")]
)
def test_wrong_settings_and_addresses_are_usage(vitrail, machine, words):
    said = vitrail("plan", "--machine", machine, "--vm", "plain", "--mode", "virtio", *words, "--json")
    assert said.code == 3
    assert faults(contract.ERROR, said) == []


@pytest.mark.parametrize("address", ["09:00.0", "0000:09:00.0", "02:00.1"])
def test_a_card_that_is_not_here_is_refused_with_those_that_are(vitrail, machine, address):
    said = vitrail("plan", "--machine", machine, "--vm", "plain", "--mode", "passthrough", "--gpu", address, "--json")
    assert said.code == 1
    assert faults(contract.REFUSED, said) == []
    assert "0000:02:00.0" in " ".join(said.json["error"]["next"])


def test_short_and_long_addresses_are_one_card(vitrail, machine):
    words = ("plan", "--machine", machine, "--vm", "plain", "--mode", "passthrough", "--json", "--gpu")
    assert vitrail(*words, "02:00.0").out == vitrail(*words, "0000:02:00.0").out


def test_a_vm_that_is_not_here_is_refused(vitrail, machine):
    said = vitrail("plan", "--machine", machine, "--vm", "nobody", "--mode", "virtio", "--json")
    assert said.code == 1
    assert faults(contract.REFUSED, said) == []


def test_a_recording_that_is_not_there_is_unreadable(vitrail, tmp_path):
    said = vitrail("scan", "--machine", tmp_path / "nowhere", "--json")
    assert said.code == 3
    assert faults(contract.ERROR, said) == []


def test_words_before_the_command_are_understood(vitrail, machine):
    assert vitrail("--machine", machine, "--json", "scan").code == 0


@pytest.mark.parametrize("command", ["", "scan", "plan", "apply", "undo", "modes", "shots", "vgpu"])
def test_help_is_words_and_no_ids(vitrail, command):
    said = vitrail(*command.split(), "--help")
    assert said.code == 0
    assert "cli." not in said.out


def test_version(vitrail):
    assert vitrail("--version").out.startswith("vitrail ")


class TestDocuments:
    """`plan --xml`: a domain on disk."""

    def test_the_edited_document_is_written(self, vitrail, machine, tmp_path):
        source, target = tmp_path / "in.xml", tmp_path / "out.xml"
        source.write_text(domain("plain", PLAIN_UUID), "utf-8")
        said = vitrail("plan", "--machine", machine, "--xml", source, "--mode", "virtio", "--out", target, "--json")
        assert said.code == 0
        assert faults(contract.PLAN, said) == []
        assert "type='virtio'" in target.read_text("utf-8")
        assert "qxl" in source.read_text("utf-8")

    def test_the_same_bytes_are_written_when_nothing_changes(self, vitrail, machine, tmp_path):
        source, target, again = tmp_path / "in.xml", tmp_path / "out.xml", tmp_path / "again.xml"
        source.write_bytes(domain("plain", PLAIN_UUID).replace("\n", "\r\n").encode())
        words = ("plan", "--machine", machine, "--mode", "virtio")
        assert vitrail(*words, "--xml", source, "--out", target).code == 0
        assert vitrail(*words, "--xml", target, "--out", again).code == 0
        assert again.read_bytes() == target.read_bytes()

    def test_a_file_is_replaced_with_its_mode_through_its_link(self, vitrail, machine, tmp_path):
        real, link = tmp_path / "real.xml", tmp_path / "link.xml"
        real.write_text(domain("plain", PLAIN_UUID), "utf-8")
        real.chmod(0o640)
        link.symlink_to(real)
        assert vitrail("plan", "--machine", machine, "--xml", link, "--mode", "virtio", "--out", link).code == 0
        assert link.is_symlink()
        assert "virtio" in real.read_text("utf-8")
        assert real.stat().st_mode & 0o777 == 0o640
        assert not list(tmp_path.glob(".vitrail-*"))

    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"no xml",
            b"<domain>",
            b"<domain/><domain/>",
            b"<!DOCTYPE x><domain/>",
            b"<network/>",
            b"<domain>\xff</domain>",
        ],
    )
    def test_what_is_no_domain_is_unreadable(self, vitrail, machine, tmp_path, content):
        source, target = tmp_path / "in.xml", tmp_path / "out.xml"
        source.write_bytes(content)
        said = vitrail("plan", "--machine", machine, "--xml", source, "--mode", "virtio", "--out", target, "--json")
        assert said.code == 3
        assert faults(contract.ERROR, said) == []
        assert not target.exists()

    def test_malformed_xml_is_told_by_line_and_column(self, vitrail, machine, tmp_path):
        source = tmp_path / "in.xml"
        source.write_text("<domain>\n  <name>x</nam>\n</domain>", "utf-8")
        said = vitrail("plan", "--machine", machine, "--xml", source, "--mode", "virtio", "--json")
        message = said.json["error"]["message"]
        assert "2" in message
        assert "line" in message
        assert "column" in message

    def test_no_daemon_is_asked(self, vitrail, tmp_path):
        source = tmp_path / "in.xml"
        source.write_text(domain("plain", PLAIN_UUID), "utf-8")
        said = vitrail("plan", "--xml", source, "--mode", "virtio", "--json")
        assert said.code == 0

    def test_only_the_diff(self, vitrail, machine):
        said = vitrail("plan", "--machine", machine, "--vm", "plain", "--mode", "virtio", "--diff")
        assert said.out.startswith("--- ")
        assert "SIMULATED" not in said.out

    def test_no_diff_at_all_is_said_beside_the_output(self, vitrail):
        said = vitrail("plan", "--machine", "demo", "--vm", "win11-games", "--mode", "virtio", "--diff")
        assert (said.code, said.out) == (0, "")
        assert "Nothing has to change" in said.err


def test_a_misspelt_command_is_answered_with_the_one_that_was_meant(vitrail):
    assert "“vitrail scan”" in vitrail("scna").err


def test_help_says_of_every_command_what_it_is_for(vitrail):
    said = vitrail("--help").out
    for command in ("scan", "doctor", "modes", "plan", "apply", "verify", "undo", "history", "record", "shots"):
        assert f"\n  {command} " in said
    assert max(map(len, said.splitlines())) <= 80


def test_modes_says_what_was_seen_on_every_card_only_when_asked(vitrail):
    words = ("modes", "--machine", "demo", "--vm", "win11-games")
    short, long = vitrail(*words).out, vitrail(*words, "--details").out
    assert "seen: " not in short
    assert "--details" in short
    assert "seen: " in long
    assert len(short.splitlines()) < len(long.splitlines()) / 3
    assert "Not on 05:00.0: Tied to" in short
    assert "shows these changes, every one of them" in short


def test_a_mode_that_could_be_written_and_suits_the_vm_badly_is_not_called_impossible(vitrail):
    said = vitrail("modes", "--machine", "demo", "--vm", "win11-games", "--details").out
    virgl = said[said.index("\n  virgl:") :]
    assert "01:00.0: does not fit this VM" in virgl[: virgl.index("\n  vgpu:")]


def test_scan_says_of_a_lone_card_that_its_slot_carries_the_keyboard(vitrail):
    said = vitrail("scan", "--machine", "demo").out
    lone = said[said.index("Group 22") :]
    assert "Logitech USB Keyboard" in lone[: lone.index("Virtual machines")]


def test_a_run_is_told_in_words_and_not_in_names_of_steps(vitrail, machine):
    words = ("--machine", machine, "--vm", "plain", "--mode", "virtio", "--yes")
    done = vitrail("apply", *words).out
    assert "done: the definition of plain" in done
    again = vitrail("apply", *words).out
    assert again.endswith("Nothing was written.\n")
    assert "= virtio" in vitrail("verify", "--machine", machine).out
    assert "taken back: the definition of plain" in vitrail("undo", "--machine", machine, "--yes").out
    assert "nothing to take back" in vitrail("undo", "--machine", machine, "--yes").out


def test_a_plan_with_a_restart_holds_the_rescue_steps(vitrail):
    said = vitrail("plan", "--machine", "demo", "--vm", "win11-games", "--mode", "passthrough", "--gpu", "01:00.0").out
    rescue = said[said.index("The rescue steps") : said.index("What goes away")]
    assert "vitrail=off" in rescue
    assert "--undo --plan" in rescue
