# SPDX-License-Identifier: GPL-3.0-or-later
"""One plan from facts and a wish. The same facts and wish always give the same plan, and the same id."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import assert_never

from vitrail.judge.card import own_functions
from vitrail.judge.feasibility import judge_choice
from vitrail.judge.losses import losses
from vitrail.judge.passthrough import apply_gates
from vitrail.judge.weigh import overruled
from vitrail.model.access import Access
from vitrail.model.capabilities import DomainCapabilities
from vitrail.model.choice import (
    Basic,
    Choice,
    GvtD,
    GvtG,
    LookingGlass,
    MigVgpu,
    NativeContext,
    Passthrough,
    Qxl,
    SingleGpu,
    Sriov,
    Venus,
    Vgpu,
    Virgl,
    Virtio,
    gpu_of,
    mode_of,
)
from vitrail.model.errors import Refused
from vitrail.model.finding import Finding
from vitrail.model.knowledge import Knowledge
from vitrail.model.machine import Gpu, Host
from vitrail.model.mode import WRITTEN_BY_THIS_VERSION
from vitrail.model.pci import DeviceIdentity
from vitrail.model.plan import Phase, Plan, When, Writer
from vitrail.model.reading import Known, Reading, Unknown
from vitrail.model.step import EditVm, ResumeAtLogin, Step
from vitrail.model.text import text
from vitrail.model.vm import Vm
from vitrail.model.wire import canonical, text_digest
from vitrail.plan.basic import draft_basic
from vitrail.plan.draft import Draft, Ground
from vitrail.plan.host_phase import HostPart, host_part, with_permissions
from vitrail.plan.passthrough import draft_passthrough
from vitrail.plan.permissions import Permissions, permissions_for
from vitrail.plan.qxl import draft_qxl
from vitrail.plan.virgl import draft_virgl
from vitrail.plan.virtio import draft_virtio
from vitrail.xmldoc.document import parse_domain
from vitrail.xmldoc.splice import edit

VM_PHASE = "vm"
RESUME_PHASE = "resume"
_ONLY_SCREEN = "card.only-screen"
"""What no plan is even shown for: carried out, nobody would see how it ended."""
_NAMELESS = "0" * 16
_ID_DIGITS = 16


def make_plan(
    host: Host,
    vm: Vm,
    choice: Choice,
    capabilities: Reading[DomainCapabilities],
    knowledge: Knowledge,
    *,
    autostart: ResumeAtLogin | None = None,
    access: Access | None = None,
) -> Plan:
    """The steps from what is to what was chosen, none where it is so already. Raises Refused, with findings.

    `autostart`: what leads back here after a restart; it joins only a plan that needs one. `access`: who asks, and what
    confines VMs here; without it no permission is planned.
    """
    mode = mode_of(choice)
    if mode not in WRITTEN_BY_THIS_VERSION:
        raise Refused(text("plan.mode-not-written", mode=mode.value), text("plan.mode-not-written.next"))
    card = _card(host, choice)
    findings = judge_choice(host, vm, choice, capabilities, knowledge)
    stopped = any(one.stops for one in findings)
    gates = () if stopped else _gates(host, choice)
    findings = overruled(findings, gates)
    if stopped or any(gate.id == _ONLY_SCREEN for gate in gates):
        raise Refused(text("plan.refused", vm=vm.name, mode=mode.value), text("plan.refused.next"), findings=findings)
    draft = draft_vm(ground_of(host, vm, capabilities), choice)
    edited = _edited(vm, draft)
    lacking = permissions_for(vm.text if edited is None else edited.after, choice, access)
    # The host's steps name the plan they belong to, and the plan's name is made of its steps.
    nameless = steps_of(_phases(host, choice, edited, lacking, _NAMELESS, may=not gates)[0])
    name = plan_id(choice, host, vm, nameless)
    phases, part = _phases(host, choice, edited, lacking, name, may=not gates)
    if autostart is not None and part.guard is not None:
        writable = all(phase.writable for phase in phases)
        phases = (Phase(RESUME_PHASE, Writer.USER, (autostart,), writable=writable), *phases)
    return Plan(
        plan_id=name,
        choice=choice,
        vm_uuid=vm.uuid,
        vm_name=vm.name,
        host_digest=host.digest,
        vm_digest=vm.digest,
        machine_id_hash=host.machine_id_hash.value if isinstance(host.machine_id_hash, Known) else None,
        boot_id=host.boot_id.value if isinstance(host.boot_id, Known) else None,
        identities=tuple(dict.fromkeys((*_identities(choice, card), *part.identities))),
        phases=phases,
        losses=losses(host, vm, choice) if phases else (),
        findings=overruled(findings, (*part.findings, *draft.findings)),
        guard=part.guard,
    )


def plan_id(choice: Choice, host: Host, vm: Vm, steps: tuple[Step, ...]) -> str:
    """The plan's name: the same for the same choice, machine, VM and steps, in any language and at any time."""
    parts = "\n".join((canonical(choice), host.digest, vm.digest, *(canonical(step) for step in steps)))
    return hashlib.sha256(parts.encode("utf-8", "surrogateescape")).hexdigest()[:_ID_DIGITS]


def _card(host: Host, choice: Choice) -> Gpu | None:
    address = gpu_of(choice)
    if address is None:
        return None
    if isinstance(host.gpus, Unknown):
        raise Refused(text("plan.cards-unread", reason=host.gpus.reason), text("plan.cards-unread.next"))
    card = host.gpu_at(address)
    if card is None:
        raise Refused(text("plan.no-such-card", address=str(address)), text("plan.no-such-card.next"))
    return card


def _identities(choice: Choice, card: Gpu | None) -> tuple[DeviceIdentity, ...]:
    if card is None:
        return ()
    addresses = own_functions(card) if isinstance(choice, Passthrough) else (card.address,)
    return tuple(function.identity for function in card.functions if function.address in addresses)


def ground_of(host: Host, vm: Vm, capabilities: Reading[DomainCapabilities]) -> Ground:
    """The facts of one VM as the modes plan on them. Raises Refused where the document has no devices at all."""
    root = parse_domain(vm.text)
    devices = root.find("devices")
    if devices is None:
        raise Refused(text("plan.no-devices", vm=vm.name), text("plan.no-devices.next"))
    return Ground(host, vm, root, devices, capabilities)


def draft_vm(ground: Ground, choice: Choice) -> Draft:
    """What this choice changes in the VM's document."""
    match choice:
        case Virtio():
            return draft_virtio(ground, choice)
        case Virgl():
            return draft_virgl(ground, choice)
        case Qxl():
            return draft_qxl(ground, choice)
        case Basic():
            return draft_basic(ground, choice)
        case Passthrough():
            card = ground.host.gpu_at(choice.gpu)
            if card is None:
                raise Refused(text("plan.no-such-card", address=str(choice.gpu)), text("plan.no-such-card.next"))
            return draft_passthrough(ground, choice, card)
        case SingleGpu() | LookingGlass() | Vgpu() | Sriov() | MigVgpu() | GvtG() | GvtD() | Venus() | NativeContext():
            mode = mode_of(choice).value
            raise Refused(text("plan.mode-not-written", mode=mode), text("plan.mode-not-written.next"))
        case _:
            assert_never(choice)


def _gates(host: Host, choice: Choice) -> tuple[Finding, ...]:
    card = host.gpu_at(choice.gpu) if isinstance(choice, Passthrough) else None
    return apply_gates(host, card) if card is not None else ()


def _edited(vm: Vm, draft: Draft) -> EditVm | None:
    """The VM's step, None where its document stays as it is."""
    after = edit(vm.text, draft.edits)
    if after == vm.text:
        return None
    return EditVm(vm.uuid, vm.name, vm.text, after, text_digest(vm.text), text_digest(after))


def _phases(
    host: Host, choice: Choice, edited: EditVm | None, lacking: Permissions, name: str, *, may: bool
) -> tuple[tuple[Phase, ...], HostPart]:
    """Every phase, and the host's part of them. `may`: nothing forbids carrying them out."""
    card = host.gpu_at(choice.gpu) if isinstance(choice, Passthrough) else None
    part = host_part(host, card, name) if card is not None else HostPart()
    restarts = bool(part.phases)
    part = with_permissions(part, lacking, host.kind)
    may = may and not any(finding.stops for finding in part.findings)
    may = may and all(phase.writable for phase in part.phases)
    phases = tuple(replace(phase, writable=may) for phase in part.phases)
    if edited is not None:
        when = When.KEPT if restarts else When.APPLY
        phases += (Phase(VM_PHASE, Writer.VM, (edited,), writable=may, when=when),)
    return phases, part


def steps_of(phases: tuple[Phase, ...]) -> tuple[Step, ...]:
    """Every step of these phases in its order."""
    return tuple(step for phase in phases for step in phase.steps)
