# SPDX-License-Identifier: GPL-3.0-or-later
"""Giving a device to another driver while the computer runs, and back.

Every write may be one that the kernel never returns from, so each is a child's, with a deadline. Who holds the device
is read anew right before it is taken away: never while somebody does.
"""

from __future__ import annotations

from vitrail.helper.holds import holds_on
from vitrail.helper.journal import Journal, Run
from vitrail.helper.late_write import Written, write_late
from vitrail.helper.machine import boot_id, check_class, driver_of, read_identity
from vitrail.helper.run import run_program
from vitrail.helper.state import State
from vitrail.helper.tree import Tree
from vitrail.helper.undo_made import End
from vitrail.model.binding import VFIO, BindLive, Hold
from vitrail.model.host_journal import BindStarted
from vitrail.model.host_wire import Kind, Refusal
from vitrail.model.outcome import StepResult
from vitrail.model.pci import PciAddress

_PCI = "sys/bus/pci"
_FILE_SECONDS = 10.0
_DRIVER_SECONDS = 60.0
_MOVABLE = ("0x03", "0x04", "0x0c")
"""Base classes of what a card consists of: display, sound, and the controllers of its own USB port."""
_NO_OVERRIDE = ("", "(null)")
_SHOWN = 6


class NotBoundError(Exception):
    """The device is not with the driver that was meant; the message is a kind."""


def check_binding(tree: Tree, change: BindLive) -> None:
    """Nothing, where the device is what and where it was, and nobody holds it. Raises Refusal."""
    address = change.identity.address
    if read_identity(tree, address) != change.identity:
        raise Refusal(Kind.OTHER_DEVICE, address=str(address))
    check_class(tree, address)
    if (tree.words(f"{_PCI}/devices/{address}/class") or "")[:4] not in _MOVABLE:
        raise Refusal(Kind.RULE, rule="no-card", address=str(address))
    if driver_of(tree, address) != change.before:
        raise Refusal(Kind.SUBJECT_CHANGED, subject=str(address))
    refuse_held(tree, address, change.before)


def refuse_held(tree: Tree, address: PciAddress, driver: str | None) -> None:
    """Nothing, where nobody holds the device at this moment. Raises Refusal."""
    holds = holds_on(tree, address, driver)
    if holds:
        raise Refusal(
            Kind.HELD,
            address=str(address),
            holders=", ".join(map(_shown, holds[:_SHOWN])),
            kinds=" ".join(sorted({hold.kind.value for hold in holds})),
            count=len(holds),
        )


def _shown(hold: Hold) -> str:
    return hold.name if hold.pid is None else f"{hold.name} ({hold.pid})"


def bind(state: State, journal: Journal, change: BindLive, index: int) -> StepResult:
    """Carry the step out. Raises Refusal before anything is written, and NotBoundError after."""
    tree, address = state.tree, change.identity.address
    check_binding(tree, change)
    if change.after is not None:
        _demand_driver(state, change.after)
    journal.append(BindStarted(index, change.before, _override(tree, address)))
    _move(tree, address, change.after, VFIO if change.after == VFIO else None)
    return StepResult.DONE


def _demand_driver(state: State, driver: str) -> None:
    """Nothing, where the driver is there, or has come because it was asked for. Raises Refusal."""
    if driver in state.tree.names(f"{_PCI}/drivers"):
        return
    run_program(state.tree, "modprobe", driver, lock=state.lock_descriptor)
    if driver not in state.tree.names(f"{_PCI}/drivers"):
        raise Refusal(Kind.TOOL_MISSING, tool=driver)


def _override(tree: Tree, address: PciAddress) -> str | None:
    words = tree.words(f"{_PCI}/devices/{address}/driver_override")
    return None if words is None or words in _NO_OVERRIDE else words


def _move(tree: Tree, address: PciAddress, driver: str | None, override: str | None) -> None:
    """Say who may have it, take it away, give it. Raises Refusal and NotBoundError."""
    _written(tree, f"{_PCI}/devices/{address}/driver_override", f"{override or ''}\n", _FILE_SECONDS)
    if _override(tree, address) != override:
        raise NotBoundError("no-effect")
    now = driver_of(tree, address)
    if now is not None and now != driver:
        refuse_held(tree, address, now)
        _written(tree, f"{_PCI}/drivers/{now}/unbind", str(address), _DRIVER_SECONDS)
    if driver is not None and driver_of(tree, address) != driver:
        _written(tree, f"{_PCI}/drivers_probe", str(address), _DRIVER_SECONDS)
    if driver_of(tree, address) != driver:
        raise NotBoundError("no-effect")


def _written(tree: Tree, path: str, words: str, seconds: float) -> None:
    """One write that may hang. What the kernel said to it does not count: where the device is then does."""
    if write_late(tree, path, words, seconds) is Written.STUCK:
        raise NotBoundError("stuck")


def undo_binding(state: State, run: Run, index: int, *, force: bool) -> End:
    """Give the device back to whom it had, unless a restart has done so already, or somebody else has it by now."""
    change, started = run.plan.steps[index], run.steps[index].started
    if not isinstance(change, BindLive) or not isinstance(started, BindStarted):
        return End(StepResult.FAILED, Kind.JOURNAL.value)
    try:
        return _given_back(state.tree, run, change, started, force=force)
    except NotBoundError as error:
        return End(StepResult.FAILED, str(error))
    except Refusal as refusal:
        return End(StepResult.FAILED, refusal.kind.value)
    except OSError as error:
        return End(StepResult.FAILED, error.strerror or type(error).__name__)


def _given_back(tree: Tree, run: Run, change: BindLive, started: BindStarted, *, force: bool) -> End:
    address = change.identity.address
    if boot_id(tree) != run.plan.boot_id or read_identity(tree, address) != change.identity:
        return End(StepResult.SAME)
    now = driver_of(tree, address)
    if now == started.driver and _override(tree, address) == started.override:
        return End(StepResult.SAME)
    if now not in (change.after, started.driver, None) and not force:
        return End(StepResult.LEFT, "edited")
    _move(tree, address, started.driver, started.override)
    return End(StepResult.TAKEN_BACK)
