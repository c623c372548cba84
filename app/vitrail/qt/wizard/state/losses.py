# SPDX-License-Identifier: GPL-3.0-or-later
"""What this computer goes without, what stays, and whether the button may be pressed on this very screen."""

from __future__ import annotations

from dataclasses import dataclass

from vitrail.judge.suggestion import WHOLE_CARD
from vitrail.model.choice import gpu_of, mode_of
from vitrail.model.machine import Host, MachineKind
from vitrail.model.plan import Loss, Plan
from vitrail.model.reading import Known
from vitrail.model.text import Text, text
from vitrail.qt.wizard.state.cards import card_name, connected_outputs, output_name


@dataclass(frozen=True, slots=True)
class Stays:
    """A monitor that stays lit, with the card that feeds it."""

    output: Text
    card: Text


@dataclass(frozen=True, slots=True)
class LossesPage:
    """`stop` says why the button here does nothing: this window stands on a screen that goes dark."""

    question: Text
    answer: Text
    losses: tuple[Loss, ...]
    stays: tuple[Stays, ...]
    stays_note: Text
    press: Text | None
    stop: Text | None

    @property
    def can_go_on(self) -> bool:
        """Whether the user may go on from this screen."""
        return self.stop is None


def losses_page(host: Host, plan: Plan, screen: str | None) -> LossesPage:
    """`screen` is the connector that this window stands on, None where nobody can tell."""
    dark = _dark_connectors(host, plan)
    stays = _stays(host, plan)
    return LossesPage(
        question=text("wizard.losses.question"),
        answer=text("wizard.losses.some", count=len(plan.losses)) if plan.losses else text("wizard.losses.none"),
        losses=plan.losses,
        stays=stays,
        stays_note=_stays_note(host, stays),
        press=text("wizard.losses.press", output=stays[0].output) if dark and stays else None,
        stop=_stop(host, dark, stays, screen),
    )


def _taken_card(plan: Plan) -> object:
    return gpu_of(plan.choice) if mode_of(plan.choice) in WHOLE_CARD else None


def _dark_connectors(host: Host, plan: Plan) -> frozenset[str]:
    gpus = host.gpus.value if isinstance(host.gpus, Known) else ()
    return frozenset(
        plain_connector(output.connector)
        for gpu in gpus
        if gpu.address == _taken_card(plan)
        for output in connected_outputs(gpu) or ()
    )


def _stays(host: Host, plan: Plan) -> tuple[Stays, ...]:
    gpus = host.gpus.value if isinstance(host.gpus, Known) else ()
    return tuple(
        Stays(output_name(output), card_name(host, gpu))
        for gpu in gpus
        if gpu.address != _taken_card(plan)
        for output in connected_outputs(gpu) or ()
    )


def _stays_note(host: Host, stays: tuple[Stays, ...]) -> Text:
    if stays:
        return text("wizard.losses.stays", count=len(stays))
    gpus = host.gpus.value if isinstance(host.gpus, Known) else ()
    if all(connected_outputs(gpu) == () for gpu in gpus) and isinstance(host.gpus, Known):
        return text("wizard.losses.no-monitors")
    return text("wizard.losses.stays-none")


def _stop(host: Host, dark: frozenset[str], stays: tuple[Stays, ...], screen: str | None) -> Text | None:
    """Only this machine's own screens can go dark under this window; a recording's cannot."""
    if host.kind is not MachineKind.REAL or not dark or screen is None or plain_connector(screen) not in dark:
        return None
    if not stays:
        return text("wizard.losses.stop-nowhere", screen=screen)
    return text("wizard.losses.stop", screen=screen, output=stays[0].output)


def plain_connector(name: str) -> str:
    """`HDMI-A-1` as the kernel says and `HDMI-1` as X says are one socket."""
    return name.replace("HDMI-A-", "HDMI-").replace("DVI-D-", "DVI-").replace("DVI-I-", "DVI-").upper()
