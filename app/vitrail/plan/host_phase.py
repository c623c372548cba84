# SPDX-License-Identifier: GPL-3.0-or-later
"""What this computer needs before it can give a card: the trial, what Keep makes lasting, and how safe that is."""

from __future__ import annotations

from dataclasses import dataclass, replace

from vitrail.judge.guard import judge_guard
from vitrail.judge.passthrough import before_restart
from vitrail.model.boot import BootStack
from vitrail.model.finding import Finding
from vitrail.model.host_step import RunTool, Tool
from vitrail.model.machine import Gpu, Host, MachineKind
from vitrail.model.pci import DeviceIdentity
from vitrail.model.plan import Guard, Phase, When, Writer
from vitrail.model.reading import known_or
from vitrail.model.step import HostStep
from vitrail.model.text import Text, text
from vitrail.plan.host.arguments import PROVEN, Written, argument_steps
from vitrail.plan.host.by_hand import by_hand, nix_snippet
from vitrail.plan.host.files import NoStep, by_program
from vitrail.plan.host.initramfs import image_steps, inert_steps
from vitrail.plan.host.need import Need, need_of
from vitrail.plan.host.trial import lasting_guard, trial_steps
from vitrail.plan.permissions import CARRIED_OUT_ON, PERMISSIONS_PHASE, Permissions

HOST_PHASE = "prepare-host"
KEEP_PHASE = "keep-host"


@dataclass(frozen=True, slots=True)
class HostPart:
    """The host's phases of a plan; none, and no findings, where the card needs nothing of this computer's start."""

    phases: tuple[Phase, ...] = ()
    guard: Guard | None = None
    findings: tuple[Finding, ...] = ()
    identities: tuple[DeviceIdentity, ...] = ()
    """Devices that the phases' tables name, those of plans that were kept before included."""


def host_part(host: Host, card: Gpu, plan_id: str) -> HostPart:
    """What has to be done to this computer for this card, with the plan's name in the steps."""
    try:
        need = need_of(host, card, plan_id)
        if need is None:
            return HostPart()
        if known_or(host.boot.stack, None) is BootStack.NIXOS:
            return HostPart(findings=(nix_snippet(need),))
        return _part(need, judge_guard(host), before_restart(host, card))
    except NoStep as none:
        return HostPart(findings=(none.finding,))


def with_permissions(part: HostPart, lacking: Permissions, kind: MachineKind) -> HostPart:
    """The same with permissions: among what lasts where there is a trial, and else before the VM at once."""
    findings = (*part.findings, *lacking.findings)
    if not lacking.steps:
        return replace(part, findings=findings)
    if not part.phases:
        alone = Phase(PERMISSIONS_PHASE, Writer.HOST, lacking.steps, kind in CARRIED_OUT_ON)
        return replace(part, phases=(alone,), findings=findings)
    last = part.phases[-1]
    joined = replace(last, steps=(*lacking.steps, *last.steps))
    return replace(part, phases=(*part.phases[:-1], joined), findings=findings)


def _part(need: Need, guard: Guard, looked_at: tuple[Finding, ...]) -> HostPart:
    written = argument_steps(need)
    lasting = _lasting(need, written)
    why_not = _why_not_written(need, written)
    may = why_not is None
    phases: tuple[Phase, ...]
    if guard.one_shot is not None:
        phases = (
            Phase(HOST_PHASE, Writer.HOST, trial_steps(need), may),
            Phase(KEEP_PHASE, Writer.HOST, lasting, may, When.KEEP),
        )
    else:
        phases = (Phase(HOST_PHASE, Writer.HOST, (*lasting_guard(need), *lasting), may),)
    findings = () if why_not is None else (by_hand(lasting, why_not),)
    return HostPart(phases, guard, (*findings, *written.findings, *looked_at), need.identities)


def _lasting(need: Need, written: Written) -> tuple[HostStep, ...]:
    """First what does nothing by itself, then the images, then what starts the machine."""
    images = image_steps(need)
    if written.feeding:
        images = (by_program(RunTool(Tool.MKINITCPIO)),)
    return (*inert_steps(need), *written.feeding, *images, *written.boot)


def _why_not_written(need: Need, written: Written) -> Text | None:
    """Why this version only shows the steps here, None where it carries them out."""
    match need.host.kind:
        case MachineKind.RECORDING | MachineKind.DEMO:
            return None
        case MachineKind.REMOTE | MachineKind.LISTING:
            return text("plan.host.elsewhere")
        case MachineKind.REAL:
            tool = known_or(need.host.boot.initramfs, None)
            builder = None if need.table is None or tool is None else tool.value
            unproven = [name for name in (written.way, builder) if name is not None and name not in PROVEN]
            return text("plan.host.unproven", names=", ".join(unproven)) if unproven else None
