# SPDX-License-Identifier: GPL-3.0-or-later
"""What could stand between pressing "restart" and a login: prompts on a dark screen, sealed disks, other one-shots.

Where the former start returns by itself whatever happens, this warns; otherwise it forbids, since the guard only works
in a system that came up, and none of these lets it come up.
"""

from __future__ import annotations

from vitrail.judge.card import VFIO, bound_to, other_screens
from vitrail.judge.conclude import failed, not_known, passed, seen
from vitrail.judge.usage import connected, monitor_of
from vitrail.judge.words import card_name, listed
from vitrail.model.boot import BootFile, BootSetup
from vitrail.model.finding import Evidence, Finding, Severity
from vitrail.model.machine import Gpu, Host
from vitrail.model.plan import Guard, GuardStrength
from vitrail.model.reading import Known, Unknown
from vitrail.model.text import Text, text

_NAMED_PATHS = 5
_OF_THE_LOADER = ("boot", "efi", "etc/crypttab")
"""Where files lie that decide how a start goes; of those that only root reads, these are missed."""


def restart_findings(host: Host, gpu: Gpu, guard: Guard | None) -> tuple[Finding, ...]:
    """Everything that was looked at before this restart, passes included; () where a plan needs none."""
    if guard is None:
        return ()
    severity = Severity.WARNS if guard.strength is GuardStrength.AUTOMATIC else Severity.BLOCKS
    setup = host.boot.setup
    return (
        _passphrase(host, gpu, severity),
        _sealed(setup, severity),
        _pending(setup),
        _unreadable(setup),
    )


def _passphrase(host: Host, gpu: Gpu, severity: Severity) -> Finding:
    """Where a passphrase is typed blind, so is the recovery key that a sealed disk asks for once it no longer fits."""
    name = "restart.passphrase-dark"
    setup = host.boot.setup
    asks, sealed = setup.asks_passphrase, setup.sealed_unlock
    typed = isinstance(asks, Known) and asks.value
    key = isinstance(sealed, Known) and sealed.value
    evidence = seen(asks, sealed, gpu.boot_vga)
    if not typed and not key:
        unread = next((one for one in (asks, sealed) if isinstance(one, Unknown)), None)
        if unread is None:
            return passed(name, severity, text("judge.restart.no-prompt"), evidence)
        if _shows_prompt(host, gpu):
            return passed(name, severity, _prompt_stays(host, gpu), evidence)
        title = text("judge.restart.prompt-unknown", reason=unread.reason)
        return not_known(name, severity, title, text("judge.restart.prompt-unknown.remedy"), evidence)
    if _shows_prompt(host, gpu):
        return passed(name, severity, _prompt_stays(host, gpu), evidence)
    staying = _lit(host, gpu)
    if staying:
        # The firmware's picture is on the card that goes; whether the other shows one so early is not to be seen.
        names = listed([card_name(one) for one in staying])
        title = text("judge.restart.prompt-moves", card=card_name(gpu), stays=names)
        return failed(name, severity, title, text("judge.restart.prompt-moves.remedy"), evidence)
    title = text("judge.restart.prompt-dark", card=card_name(gpu))
    return failed(name, severity, title, text("judge.restart.prompt-dark.remedy"), evidence)


def _lit(host: Host, gpu: Gpu) -> tuple[Gpu, ...]:
    """The other cards with a monitor on them, but those that are kept for VMs."""
    return tuple(one for one in other_screens(host, gpu) if connected(one) and not bound_to(one.device, VFIO))


def _shows_prompt(host: Host, gpu: Gpu) -> bool:
    """Whether the first picture of a start is on another card, with a monitor on it."""
    return any(isinstance(one.boot_vga, Known) and one.boot_vga.value for one in _lit(host, gpu))


def _prompt_stays(host: Host, gpu: Gpu) -> Text:
    shown = [one for one in _lit(host, gpu) if isinstance(one.boot_vga, Known) and one.boot_vga.value]
    where = listed([monitor_of(output) for one in shown for output in connected(one)])
    return text("judge.restart.prompt-stays", where=where)


def _sealed(setup: BootSetup, severity: Severity) -> Finding:
    name = "restart.sealed-unlock"
    sealed = setup.sealed_unlock
    if isinstance(sealed, Unknown):
        title = text("judge.restart.sealed-unknown", reason=sealed.reason)
        return not_known(name, severity, title, text("judge.restart.sealed-unknown.remedy"))
    if sealed.value:
        title, remedy = text("judge.restart.sealed"), text("judge.restart.sealed.remedy")
        return failed(name, severity, title, remedy, seen(sealed))
    return passed(name, severity, text("judge.restart.not-sealed"), seen(sealed))


def _pending(setup: BootSetup) -> Finding:
    name = "restart.one-shot-pending"
    pending = setup.one_shot
    if isinstance(pending, Unknown):
        title = text("judge.restart.one-shot-unknown", reason=pending.reason)
        return not_known(name, Severity.WARNS, title, text("judge.restart.one-shot-unknown.remedy"))
    if pending.value is None:
        return passed(name, Severity.BLOCKS, text("judge.restart.no-one-shot"), seen(pending))
    title = text("judge.restart.one-shot", entry=pending.value)
    return failed(name, Severity.BLOCKS, title, text("judge.restart.one-shot.remedy"), seen(pending))


def _unreadable(setup: BootSetup) -> Finding:
    name = "restart.boot-unreadable"
    hidden = [file for file in setup.files if isinstance(file.content, Unknown) and _counts(file)]
    if hidden:
        shown = ", ".join(f"/{file.path}" for file in hidden[:_NAMED_PATHS])
        evidence = tuple(Evidence(f"/{file.path}", "?") for file in hidden)
        title = text("judge.restart.unreadable", len(hidden), paths=shown)
        return not_known(name, Severity.WARNS, title, text("judge.restart.unreadable.remedy"), evidence)
    unread = next((one for one in (setup.images, setup.kernels) if isinstance(one, Unknown)), None)
    if unread is not None:
        title = text("judge.restart.images-unread", reason=unread.reason)
        return not_known(name, Severity.WARNS, title, text("judge.restart.unreadable.remedy"))
    return passed(name, Severity.WARNS, text("judge.restart.readable"))


def _counts(file: BootFile) -> bool:
    return file.path.startswith(_OF_THE_LOADER)
