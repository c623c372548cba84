# SPDX-License-Identifier: GPL-3.0-or-later
"""What brings this computer back when a changed start goes wrong, judged from facts alone.

A loader that is told to take an entry once must forget it before the kernel runs, or the trial repeats for ever. Each
loader forgets in its own way, and each way has places where it does not work: those are looked for here, and what could
not be looked at counts as not working.
"""

from __future__ import annotations

import fnmatch

from vitrail.judge.trial_start import (
    EntryStart,
    GrubStart,
    NoTrial,
    entry_start,
    grub_start,
    known,
    plain_file_system,
)
from vitrail.model.boot import BootSetup, BootStack
from vitrail.model.machine import Host
from vitrail.model.plan import Guard, GuardStrength
from vitrail.model.reading import Known, Unknown
from vitrail.model.text import Text, text
from vitrail.model.trial import EntryFolder, GrubFolder, OneShot

_THROUGH_GRUB = (BootStack.GRUB, BootStack.GRUB_BLS)
_THROUGH_ENTRIES = (
    BootStack.SYSTEMD_BOOT,
    BootStack.KERNEL_INSTALL,
    BootStack.KERNELSTUB,
    BootStack.SDBOOT_MANAGE,
    BootStack.SDBOOTUTIL,
)
_NEEDED = ("load_env", "save_env next_entry", "custom.cfg")
"""What a grub.cfg does that looks for a one-shot, erases it, and reads our entry."""
_BLOCK_SIZE = 1024
_BLOCK_HEADER = "# GRUB Environment Block\n"
_ANY_PLAN = "vitrail-0123456789abcdef"


def judge_guard(host: Host) -> Guard:
    """How safe a changed start is on this machine, and why it is not safer."""
    try:
        start = trial_start(host)
    except NoTrial as none:
        menu = _old_entry(host)
        if menu is None:
            return Guard(GuardStrength.BY_MENU, None, (none.reason,))
        return Guard(GuardStrength.GUARD_UNIT, None, (none.reason, menu))
    return Guard(GuardStrength.AUTOMATIC, one_shot_of(start), ())


def one_shot_of(start: GrubStart | EntryStart) -> OneShot:
    """What tells the loader to take this start, once."""
    if isinstance(start, EntryStart):
        return OneShot.SYSTEMD_BOOT
    return OneShot.GRUB if start.folder is GrubFolder.GRUB else OneShot.GRUB2


def trial_start(host: Host) -> GrubStart | EntryStart:
    """The start that can be tried once here. Raises NoTrial."""
    loader, stack = host.boot.loader, host.boot.stack
    for reading in (loader, stack):
        if isinstance(reading, Unknown):
            raise NoTrial(text("judge.trial.loader-unknown", reason=reading.reason))
    owner = stack.value if isinstance(stack, Known) else None
    loaded_by = loader.value if isinstance(loader, Known) else None
    setup = host.boot.setup
    if owner in _THROUGH_GRUB and loaded_by == "grub":
        _pending(setup)
        grub = grub_start(host)
        _grub_forgets(setup, grub.folder)
        _demand(setup, one_shot_of(grub))
        return grub
    if owner in _THROUGH_ENTRIES and loaded_by == "systemd-boot":
        _pending(setup)
        entry = entry_start(host)
        _default_is_fixed(setup, entry.folder)
        _demand(setup, one_shot_of(entry))
        return entry
    raise NoTrial(text("judge.trial.no-one-shot", stack=owner.value if owner is not None else "-"))


def _demand(setup: BootSetup, means: OneShot) -> None:
    """Nothing, where the program that sets the one-shot is there. Raises NoTrial."""
    if not any(path.endswith(f"/{means.value}") for path in setup.programs):
        raise NoTrial(text("judge.trial.no-program", program=means.value))


def _pending(setup: BootSetup) -> None:
    if isinstance(setup.one_shot, Unknown):
        raise NoTrial(text("judge.trial.one-shot-unread", reason=setup.one_shot.reason))
    if setup.one_shot.value is not None:
        entry = setup.one_shot.value
        if entry.startswith("vitrail-"):
            raise NoTrial(text("judge.trial.pending-ours", entry=entry))
        raise NoTrial(text("judge.trial.pending", entry=entry))


def _grub_forgets(setup: BootSetup, folder: GrubFolder) -> None:
    """Nothing, where GRUB looks for the mark, can erase it, and reads our entry. Raises NoTrial."""
    plain_file_system(setup, f"/{folder.value}/grubenv")
    menu = known(setup.content(f"{folder.value}/grub.cfg"), "grub.cfg")
    if any(sign not in menu for sign in _NEEDED):
        raise NoTrial(text("judge.trial.menu-without"))
    if "superusers" in menu:
        raise NoTrial(text("judge.trial.menu-password"))
    block = setup.content(f"{folder.value}/grubenv")
    if isinstance(block, Unknown):
        raise NoTrial(text("judge.trial.unread", name="grubenv", reason=block.reason))
    words = block.value
    if words is None:
        return
    size = len(words.encode("utf-8", "surrogateescape"))
    if not words.startswith(_BLOCK_HEADER) or size != _BLOCK_SIZE or "env_block=" in words:
        raise NoTrial(text("judge.trial.block-form"))


def _default_is_fixed(setup: BootSetup, folder: EntryFolder) -> None:
    """Nothing, where the loader's default is one entry and can never be ours. Raises NoTrial."""
    path = f"{folder.value.removesuffix('entries')}loader.conf"
    lines = known(setup.content(path), f"/{path}").split("\n")
    chosen = [line.split()[1] for line in lines if line.split()[:1] == ["default"] and len(line.split()) > 1]
    if not chosen:
        raise NoTrial(text("judge.trial.no-default", path=f"/{path}"))
    default = chosen[-1]
    if default.startswith("@"):
        raise NoTrial(text("judge.trial.default-saved", path=f"/{path}", default=default))
    if fnmatch.fnmatchcase(_ANY_PLAN, default) or fnmatch.fnmatchcase(f"{_ANY_PLAN}.conf", default):
        raise NoTrial(text("judge.trial.default-any", path=f"/{path}", default=default))


def _old_entry(host: Host) -> Text | None:
    """None, where the former start stays in a menu that is on the screen; else why that does not help here."""
    if not _keeps_old_entry(host):
        return text("judge.guard.no-old-entry")
    seconds = host.boot.setup.menu_seconds
    if isinstance(seconds, Unknown):
        return text("judge.guard.menu-unknown", reason=seconds.reason)
    return text("judge.guard.menu-hidden") if seconds.value == 0 else None


def _keeps_old_entry(host: Host) -> bool:
    """Whether what Vitrail writes here leaves an entry in the menu that starts the system as before."""
    setup = host.boot.setup
    stack = host.boot.stack.value if isinstance(host.boot.stack, Known) else None
    if stack is BootStack.RPM_OSTREE:
        # The deployment before a change of the arguments stays in the menu.
        return True
    if stack is BootStack.REFIND:
        lines = setup.content("boot/refind_linux.conf")
        words = (lines.value or "") if isinstance(lines, Known) else ""
        return sum(1 for line in words.split("\n") if line.lstrip().startswith('"')) > 1
    if stack is BootStack.SYSTEMD_BOOT:
        # Only the entry that started this boot is changed.
        files = (file for folder in EntryFolder for file in setup.entries(folder.value))
        return sum(1 for file in files if file.path.endswith(".conf")) > 1
    return False
