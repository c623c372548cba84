# SPDX-License-Identifier: GPL-3.0-or-later
"""Every template with generated values, read by the parser that it is for, gives exactly the intended tokens."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from operator import attrgetter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from vitrail.model.early_script import FIXED_TEXTS, MODULES
from vitrail.model.edited_lines import Unrenderable
from vitrail.model.host_place import place_of
from vitrail.model.host_step import (
    ArgumentFile,
    ArgumentsFile,
    Fixed,
    FixedFile,
    LoaderEntry,
)
from vitrail.model.kernel_argument import Flag, PlanToken, argument_of, word_of, words_of
from vitrail.model.pci import DeviceIdentity, PciAddress
from vitrail.model.render import render, take_back
from vitrail.model.reservation import ReservedCard, ReservedCards
from vitrail.model.trial import EntryFolder

plan_ids = some.text("0123456789abcdef", min_size=16, max_size=16)
arguments = some.lists(
    some.one_of(some.sampled_from(Flag), some.builds(PlanToken, plan_ids)), min_size=1, max_size=16, unique=True
).map(tuple)
numbers = some.integers(0, 0xFFFF)
addresses = some.builds(
    PciAddress, some.integers(0, 0xFFFFF), some.integers(0, 255), some.integers(0, 31), some.integers(0, 7)
)
identities = some.builds(DeviceIdentity, addresses, numbers, numbers, some.none() | numbers, some.none() | numbers)
ADDRESS_OF = attrgetter("identity.address")
tables = some.lists(
    some.builds(ReservedCard, plan_ids, identities),
    min_size=1,
    max_size=16,
    unique_by=lambda card: card.identity.address,
).map(lambda cards: ReservedCards(tuple(cards)))
words = some.text("abcdefgh=/.,:-0123456789", min_size=1, max_size=12)
command_lines = some.lists(words, min_size=1, max_size=6).map(" ".join)
names = some.from_regex(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,30}", fullmatch=True)

few = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
SHELLS = [shell for shell in ("dash", "bash") if shutil.which(shell)]


def said(shell: str, script: str, *files: Path) -> str:
    run = subprocess.run([shell, "-euc", script, shell, *files], capture_output=True, check=True, text=True, env={})
    assert not run.stderr
    return run.stdout


@few
@given(arguments)
@pytest.mark.parametrize("which", [ArgumentFile.GRUB_DROP_IN, ArgumentFile.GRUB_DEFAULTS])
def test_grub_s_settings_are_the_former_words_and_ours(tmp_path, which, arguments):
    before = b'GRUB_CMDLINE_LINUX_DEFAULT="quiet splash"'
    main, path = tmp_path / "grub", tmp_path / "60-vitrail.cfg"
    main.write_bytes(before)
    template = ArgumentsFile(which, arguments)
    path.write_bytes(render(template, before if which is ArgumentFile.GRUB_DEFAULTS else None))
    for shell in SHELLS:
        subprocess.run([shell, "-n", path], check=True)
        printed = said(shell, '. "$1"; . "$2"; printf %s "$GRUB_CMDLINE_LINUX_DEFAULT"', main, path)
        assert printed.split() == ["quiet", "splash", *words_of(arguments)]


@few
@given(arguments)
def test_sdboot_manage_and_limine_add_ours(tmp_path, arguments):
    path = tmp_path / "settings"
    path.write_bytes(render(ArgumentsFile(ArgumentFile.SDBOOT_MANAGE, arguments), b"LINUX_OPTIONS='quiet rw'\n"))
    assert said("bash", '. "$1"; printf %s "$LINUX_OPTIONS"', path).split() == ["quiet", "rw", *words_of(arguments)]
    path.write_bytes(
        render(ArgumentsFile(ArgumentFile.LIMINE_DEFAULTS, arguments), b'KERNEL_CMDLINE[default]="quiet"\n')
    )
    script = 'declare -A KERNEL_CMDLINE; . "$1"; printf %s "${KERNEL_CMDLINE[default]}"'
    assert said("bash", script, path).split() == ["quiet", *words_of(arguments)]


@few
@given(command_lines, arguments, some.sampled_from(["", "\n", "\r\n", "\n\n", "\n# a comment\n"]))
def test_a_command_line_has_its_words_then_ours_and_gives_them_back(line, arguments, end):
    template = ArgumentsFile(ArgumentFile.KERNEL_CMDLINE, arguments)
    before = f"{line}{end}".encode()
    after = render(template, before)
    shown = [one for one in after.decode().split("\n") if one.strip() and not one.startswith("#")]
    missing = [word for word in words_of(arguments) if word not in line.split()]
    assert " ".join(shown).split() == [*line.split(), *missing]
    assert render(template, after) == after
    assert take_back(template, before, after) == before


@few
@given(command_lines, arguments, names, some.sampled_from(EntryFolder), some.sampled_from(["\n", "\r\n"]))
def test_an_entry_keeps_every_other_line(line, arguments, name, folder, end):
    template = LoaderEntry(folder, name, arguments)
    before = f"title   A{end}linux /vmlinuz{end}options {line}{end}initrd /initrd{end}".encode()
    after = render(template, before)
    lines = after.decode().split("\n")
    assert [one for one in lines if not one.startswith("options")] == [
        one for one in before.decode().split("\n") if not one.startswith("options")
    ]
    (options,) = [one.split()[1:] for one in lines if one.startswith("options")]
    assert options == [*line.split(), *(word for word in words_of(arguments) if word not in line.split())]
    assert take_back(template, before, after) == before
    assert re.fullmatch(rf"{folder.value}/[A-Za-z0-9][A-Za-z0-9._+-]*\.conf", place_of(template).path)


@few
@given(command_lines, arguments)
def test_refind_s_first_line_has_ours_and_the_others_stay(line, arguments):
    template = ArgumentsFile(ArgumentFile.REFIND_LINUX, arguments)
    before = f'# mine\n"Standard"   "{line}"\n"Single" "{line} single"\n'.encode()
    after = render(template, before)
    rows = after.decode().split("\n")
    assert shlex.split(rows[1])[0] == "Standard"
    missing = [word for word in words_of(arguments) if word not in line.split()]
    assert shlex.split(rows[1])[1].split() == [*line.split(), *missing]
    assert [rows[0], *rows[2:]] == ["# mine", *before.decode().split("\n")[2:]]
    assert take_back(template, before, after) == before


@few
@given(some.binary(max_size=60), arguments)
@pytest.mark.parametrize("which", [ArgumentFile.GRUB_DEFAULTS, ArgumentFile.KERNEL_CMDLINE, ArgumentFile.REFIND_LINUX])
def test_any_bytes_survive(which, content, arguments):
    template = ArgumentsFile(which, arguments)
    try:
        after = render(template, content)
    except Unrenderable:
        return
    taken = take_back(template, content, after)
    assert taken in (content, content + b"\n")


@few
@given(tables)
def test_the_table_is_read_back_by_a_shell(tmp_path, table):
    path = tmp_path / "cards"
    path.write_bytes(render(table, None))
    script = (
        'while read -r p a v d s t rest; do case "$p" in "#") ;; *) echo "$p|$a|$v|$d|$s|$t|$rest" ;; esac; done < "$1"'
    )
    rows = said("dash", script, path).splitlines()
    assert len(rows) == len(table.cards)
    for row, card in zip(rows, table.cards, strict=True):
        plan_id, address, *ids, rest = row.split("|")
        assert (plan_id, PciAddress.parse(address), rest) == (card.plan_id, card.identity.address, "")
        numbers = [None if one == "-" else int(one, 16) for one in ids]
        identity = card.identity
        assert numbers == [
            *(identity.vendor_id, identity.device_id, identity.subsystem_vendor_id, identity.subsystem_device_id)
        ]


SCRIPTS = [which for which in Fixed if which is not Fixed.BOOSTER_MODULES]


@pytest.mark.parametrize("which", SCRIPTS)
def test_a_script_parses(tmp_path, which):
    path = tmp_path / "script"
    path.write_bytes(render(FixedFile(which), None))
    in_bash = which in (Fixed.MKINITCPIO_CONF, Fixed.DRACUT_CONF, Fixed.MKINITCPIO_INSTALL, Fixed.DRACUT_MODULE)
    for shell in ("bash",) if in_bash else ("sh", "dash", "bash"):
        subprocess.run([shell, "-n", path], check=True)


def test_mkinitcpio_s_hooks_are_the_former_with_ours_behind_base(tmp_path):
    path = tmp_path / "conf"
    path.write_bytes(render(FixedFile(Fixed.MKINITCPIO_CONF), None))
    script = 'HOOKS=(base udev modconf block filesystems); . "$1"; printf "%s " "${HOOKS[@]}"'
    assert said("bash", script, path).split() == [
        "base",
        "vitrail",
        "udev",
        "modconf",
        "block",
        "filesystems",
    ]


def test_dracut_s_settings_are_added_to(tmp_path):
    path = tmp_path / "conf"
    path.write_bytes(render(FixedFile(Fixed.DRACUT_CONF), None))
    script = 'add_drivers=" ext4 "; add_dracutmodules=" lvm "; . "$1"; echo "$add_drivers"; echo "$add_dracutmodules"'
    drivers, modules = said("bash", script, path).splitlines()
    assert (drivers.split(), modules.split()) == (["ext4", *MODULES], ["lvm", "vitrail"])


def test_booster_s_own_line_is_never_replaced():
    template = FixedFile(Fixed.BOOSTER_MODULES)
    with pytest.raises(Unrenderable):
        render(template, b"modules_force_load: nvme\n")
    after = render(template, b"universal: true\n")
    assert after.startswith(b"universal: true\n")
    assert take_back(template, b"universal: true\n", after) == b"universal: true\n"


def test_no_template_names_a_module_that_is_gone_or_a_device_by_id():
    text = "".join(FIXED_TEXTS.values())
    assert "virqfd" not in text
    assert "vfio-pci.ids" not in text
    assert not [flag for flag in Flag if "ids=" in flag or "acs" in flag]


@given(arguments)
def test_an_argument_is_found_by_its_word(arguments):
    for argument in arguments:
        assert argument_of(word_of(argument)) == argument


@pytest.mark.parametrize("word", ["vfio-pci.ids=10de:2783", "intel_iommu=on ", "vitrail.plan=x", "", "quiet"])
def test_a_word_that_is_not_in_the_table_is_none(word):
    assert argument_of(word) is None
