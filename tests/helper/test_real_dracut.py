# SPDX-License-Identifier: GPL-3.0-or-later
"""Images of dracut itself: a trial's small one fits behind them; what lasts is inside, before udev, and comes out."""

from __future__ import annotations

import shutil

import pytest

from helper.bench import BOOT_ID, CARD, MACHINE_ID, PLAN_ID, SOUND, STACKS, apply_line, undo_line
from helper.real_system import IMAGE, LINE, add_cards, add_kernel, make_system, new_steps, real_plan
from helper.trial_bench import INITRD
from vitrail.model.boot import InitramfsTool
from vitrail.model.host_step import HostPlan
from vitrail.model.render import digest_of

NEEDED = ("dracut", "lsinitrd", "update-grub", "grub-reboot", "as", "zstd", "cpio")
pytestmark = [
    pytest.mark.real,
    pytest.mark.timeout(900),
    pytest.mark.skipif(any(shutil.which(name) is None for name in NEEDED), reason="dracut is not here"),
]
HOOKS = "dracut/hooks/pre-udev"
TABLE = "etc/vitrail/reserved-cards"
LASTING = STACKS["kernel-install"][:5]


@pytest.fixture(scope="module")
def system(tmp_path_factory):
    made = make_system(tmp_path_factory.mktemp("dracut"))
    add_kernel(made)
    add_cards(made)
    made.run("rm", "-f", INITRD)
    made.run("chroot", ".", "dracut", "--force", "--regenerate-all")
    made.run("chroot", ".", "update-grub")
    made.boot(BOOT_ID, *LINE)
    return made


def names(system) -> set[str]:
    """What dracut's own lister finds in its image."""
    listed = system.run("chroot", ".", "lsinitrd", f"/{INITRD}").decode().splitlines()
    return {line.split()[8] for line in listed if len(line.split()) > 8}


def test_a_trial_s_script_is_where_dracut_s_hooks_are(system):
    system.ask(apply_line(real_plan(InitramfsTool.DRACUT, LASTING)))
    files = system.run("sh", "-ec", 'zcat "$1" | cpio -it --quiet', "sh", IMAGE).decode().split()
    assert TABLE in files
    (hook,) = [name for name in files if name.endswith(f"{HOOKS}/00-vitrail.sh")]
    assert hook.rpartition("/")[0] in names(system)
    # A folder that is there already is not named again, because it would get our mode.
    assert {"usr", "usr/lib", "etc"} <= names(system)
    assert not set(files) & names(system)
    assert not [name for name in files if name.endswith("insmod")]
    (outcome,) = system.ask(undo_line(PLAN_ID))
    assert outcome["result"] == "taken_back"


def test_what_lasts_is_in_the_image_before_udev_and_comes_out_again(system):
    before = names(system)
    machine = digest_of(b"vitrail " + MACHINE_ID.encode())
    plan = HostPlan(PLAN_ID, machine, BOOT_ID, (CARD, SOUND), new_steps(LASTING), (), guarded=False)
    system.ask(apply_line(plan))
    now = names(system)
    assert TABLE in now
    assert [name for name in now if name.endswith(f"{HOOKS}/00-vitrail-early.sh")]
    assert {name for name in now if "vfio_iommu_type1" in name}
    (outcome,) = system.ask(undo_line(PLAN_ID))
    assert outcome["result"] == "taken_back"
    assert names(system) == before
