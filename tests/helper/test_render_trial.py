# SPDX-License-Identifier: GPL-3.0-or-later
"""A trial's entry with generated values: each loader's own reading gives the kernel exactly the intended words."""

from __future__ import annotations

import shlex
import shutil
import subprocess

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from vitrail.model.edited_lines import BEGIN, END
from vitrail.model.kernel_argument import Flag, PlanToken, words_of
from vitrail.model.render import render, take_back
from vitrail.model.trial import EntryFolder, EntryTrial, GrubFolder, GrubTrial, entry_name, is_plain_word

CHECK = shutil.which("grub-script-check")
few = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

plan_ids = some.text("0123456789abcdef", min_size=16, max_size=16)
lines = some.lists(some.from_regex(r"[A-Za-z0-9_.,:=/@%+~^\[\]-]{1,24}", fullmatch=True), max_size=12).map(tuple)
names = some.from_regex(r"[A-Za-z0-9@_+][A-Za-z0-9@_.+~-]{0,20}", fullmatch=True)
paths = some.lists(names, min_size=1, max_size=3).map(lambda parts: "/" + "/".join(parts))
images = some.none() | paths
initrds = some.lists(paths, min_size=1, max_size=3).map(tuple)
uuids = some.sampled_from(["11111111-2222-3333-4444-555555555555", "A1B2-C3D4", "0123456789abcdef"])
modules = some.lists(some.sampled_from(["part_gpt", "part_msdos", "ext2", "xfs", "fat", "btrfs"]), max_size=3).map(
    tuple
)
flags = some.lists(some.sampled_from(Flag), unique=True, max_size=5)


@some.composite
def grub_trials(draw):
    plan_id = draw(plan_ids)
    arguments = (PlanToken(plan_id), *draw(flags))
    folder = draw(some.sampled_from(GrubFolder))
    values = (draw(uuids), draw(modules), draw(paths), draw(initrds), draw(images), draw(lines), arguments)
    return GrubTrial(folder, plan_id, *values)


@some.composite
def entry_trials(draw):
    plan_id = draw(plan_ids)
    arguments = (PlanToken(plan_id), *draw(flags))
    folder = draw(some.sampled_from(EntryFolder))
    return EntryTrial(folder, plan_id, draw(paths), draw(initrds), draw(images), draw(lines), arguments)


def commands(text: str) -> list[list[str]]:
    """What GRUB's script runs: single quotes mean the same to it as to a shell."""
    return [shlex.split(line, comments=True) for line in text.splitlines() if line.strip()]


@few
@given(grub_trials())
def test_grub_gives_the_kernel_exactly_these_words(tmp_path, trial):
    text = render(trial, None).decode()
    old, new = [words[1:] for words in commands(text) if words[:1] == ["linux"]]
    assert old == [trial.kernel, *trial.line, f"vitrail.refused={trial.plan_id}"]
    assert new == [trial.kernel, *trial.line, *words_of(trial.arguments)]
    plain, ours = [words[1:] for words in commands(text) if words[:1] == ["initrd"]]
    assert plain == [*trial.initrds]
    assert ours == [*trial.initrds, *([trial.image] if trial.image else [])]
    assert ["search", "--no-floppy", "--fs-uuid", "--set=root", trial.file_system] in commands(text)
    if CHECK is not None:
        path = tmp_path / "custom.cfg"
        path.write_text(text)
        subprocess.run([CHECK, path], check=True)


@few
@given(grub_trials())
def test_grub_looks_at_the_mark_before_anything_is_loaded(trial):
    order = [words[0] for words in commands(render(trial, None).decode()) if words]
    assert order.index("unset") < order.index("load_env") < order.index("if") < order.index("linux")
    assert order.count("linux") == order.count("initrd") == 2
    assert f"--id {entry_name(trial.plan_id)} " in render(trial, None).decode()


@few
@given(grub_trials(), some.sampled_from(["", "menuentry 'Mine' { true; }\n", "# no newline at the end", "# ä\udcff\n"]))
def test_grub_s_other_entries_stay_and_ours_goes(trial, text):
    before = text.encode("utf-8", "surrogateescape")
    after = render(trial, before)
    assert after.startswith(before)
    assert render(trial, after) == after
    assert take_back(trial, before, after) in (before, before + b"\n")
    assert take_back(trial, before, b"# later\n" + after) in (b"# later\n" + before, b"# later\n" + before + b"\n")
    changed = after.replace(b"insmod loadenv", b"insmod other")
    assert take_back(trial, before, changed) is None
    assert after.count(BEGIN.encode()) == after.count(END.encode()) == 1


@few
@given(entry_trials())
def test_an_entry_file_gives_the_kernel_exactly_these_words(trial):
    rows = [row.split(" ", 1) for row in render(trial, None).decode().splitlines() if not row.startswith("#")]
    assert [value for key, value in rows if key == "linux"] == [trial.kernel]
    assert [value for key, value in rows if key == "initrd"] == [
        *trial.initrds,
        *([trial.image] if trial.image else []),
    ]
    (options,) = [value.split() for key, value in rows if key == "options"]
    assert options == [*trial.line, *words_of(trial.arguments)]
    # One would put it before entries that have none.
    assert not [key for key, _ in rows if key == "sort-key"]


@pytest.mark.parametrize(
    "word", ["a b", "a'b", 'a"b', "a\\b", "$a", "a;b", "{", "}", "a|b", "a&b", "a<b", "a\n", "a#b", "ä", ""]
)
def test_what_a_loader_gives_a_meaning_to_is_no_plain_word(word):
    assert not is_plain_word(word)
