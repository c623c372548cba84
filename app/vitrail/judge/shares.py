# SPDX-License-Identifier: GPL-3.0-or-later
"""Modes in which the VM has a part of a card: vGPU, MIG-backed vGPU, SR-IOV, GVT-g.

What the running system offers decides; what a card's maker says (Knowledge) only tells whether preparing it could
help. An SR-IOV capability alone proves nothing: consumer cards announce one and share no graphics.
"""

from __future__ import annotations

import re

from vitrail.judge.card import bound_to
from vitrail.judge.conclude import failed, not_known, passed, seen
from vitrail.judge.iommu import iommu_need
from vitrail.judge.passthrough import iommu_finding
from vitrail.judge.reports import management_findings
from vitrail.judge.weigh import weigh
from vitrail.model.finding import Evidence, Finding, Severity
from vitrail.model.knowledge import CardAbility, CardFamily, Knowledge
from vitrail.model.machine import Gpu, Host, MdevType
from vitrail.model.mode import Mode
from vitrail.model.reading import Known, Unknown
from vitrail.model.text import Text, text
from vitrail.model.verdict import CardVerdict

_NVIDIA = 0x10DE
_INTEL = 0x8086
_SHARED_BY_MANY = 2
"""A capability for a single virtual function is no way to share."""

_MIG_TYPE = re.compile(r"-\d+-\d+[A-Z]")
"""A MIG-backed type names its slices before its memory: `A100-3-20C`."""


def share(host: Host, gpu: Gpu, mode: Mode, knowledge: Knowledge) -> CardVerdict:
    """A part of this card, in one of the modes that share it."""
    found = _findings(host, gpu, mode, knowledge)
    arguments = iommu_need(host, gpu).arguments
    return CardVerdict(gpu.address, weigh(found, needs_steps=bool(arguments), groups_come_later=True), found)


def _findings(host: Host, gpu: Gpu, mode: Mode, knowledge: Knowledge) -> tuple[Finding, ...]:
    stop = management_findings(gpu, knowledge)
    if stop:
        return stop
    if gpu.device.identity.vendor_id is None:
        return (
            not_known("share.offered", Severity.WARNS, text("judge.card.ids-unknown"), text("judge.card.ids-remedy")),
        )
    match mode:
        case Mode.SRIOV:
            offered = _sriov(gpu, knowledge)
        case Mode.GVT_G:
            offered = _gvt_g(gpu, knowledge)
        case Mode.MIG_VGPU:
            offered = _nvidia(gpu, knowledge, CardAbility.MIG)
        case _:
            offered = _nvidia(gpu, knowledge, CardAbility.VGPU)
    if any(one.id == "share.offered" and one.status == "fail" for one in offered):
        return offered
    return (*offered, iommu_finding(host, gpu))


def _family(gpu: Gpu, knowledge: Knowledge, ability: CardAbility) -> CardFamily | None:
    return knowledge.family_of(ability, gpu.device.identity.vendor_id, gpu.device.identity.device_id)


def _no(title: Text, remedy: Text, *evidence: Evidence) -> tuple[Finding, ...]:
    return (failed("share.offered", Severity.BLOCKS, title, remedy, tuple(evidence)),)


def _open(title: Text, remedy: Text) -> tuple[Finding, ...]:
    return (not_known("share.offered", Severity.WARNS, title, remedy),)


def _prepare(title: Text, remedy: Text, family: CardFamily) -> tuple[Finding, ...]:
    evidence = (Evidence(family.source, family.name),)
    return (failed("share.prepare", Severity.WARNS, title, remedy, evidence),)


def _types_offered(gpu: Gpu, types: tuple[MdevType, ...]) -> tuple[Finding, ...]:
    evidence = seen(gpu.mdev_types)[:0] + tuple(
        Evidence(gpu.mdev_types.source, f"{one.id} {one.name}: {one.available}")
        for one in types
        if isinstance(gpu.mdev_types, Known)
    )
    found = [passed("share.offered", Severity.BLOCKS, text("judge.share.types", len(types)), evidence)]
    if not any(one.available for one in types):
        found.append(
            failed("share.free", Severity.WARNS, text("judge.share.full"), text("judge.share.free-one"), evidence)
        )
    return tuple(found)


def _nvidia(gpu: Gpu, knowledge: Knowledge, ability: CardAbility) -> tuple[Finding, ...]:
    if gpu.device.identity.vendor_id != _NVIDIA:
        return _no(text("judge.vgpu.not-nvidia"), text("judge.vgpu.other-card"))
    family = _family(gpu, knowledge, ability)
    if ability is CardAbility.MIG and family is None:
        return _no(text("judge.mig.no"), text("judge.mig.other-card"))
    if isinstance(gpu.mdev_types, Known):
        wanted = tuple(
            one for one in gpu.mdev_types.value if bool(_MIG_TYPE.search(one.name)) is (ability is CardAbility.MIG)
        )
        if wanted:
            return _types_offered(gpu, wanted)
    if family is not None:
        remedy = text("judge.mig.prepare") if ability is CardAbility.MIG else text("judge.vgpu.prepare")
        return _prepare(text("judge.vgpu.could"), remedy, family)
    return _unlisted_nvidia(gpu)


def _unlisted_nvidia(gpu: Gpu) -> tuple[Finding, ...]:
    unread = next((one for one in (gpu.mdev_types, gpu.sriov) if isinstance(one, Unknown)), None)
    if unread is not None:
        return _open(text("judge.share.unread", reason=unread.reason), text("judge.share.look"))
    sriov = gpu.sriov.value if isinstance(gpu.sriov, Known) else None
    if sriov is not None and sriov.total >= _SHARED_BY_MANY:
        return _open(text("judge.vgpu.maybe", sriov.total), text("judge.vgpu.prepare"))
    return _no(text("judge.vgpu.no"), text("judge.vgpu.other-card"), *seen(gpu.mdev_types))


def _sriov(gpu: Gpu, knowledge: Knowledge) -> tuple[Finding, ...]:
    if gpu.device.identity.vendor_id == _NVIDIA:
        return _no(text("judge.sriov.nvidia"), text("judge.sriov.use-vgpu"))
    if isinstance(gpu.sriov, Unknown):
        return _open(text("judge.share.unread", reason=gpu.sriov.reason), text("judge.share.look"))
    sriov = gpu.sriov.value
    if sriov is None:
        return _no(text("judge.sriov.no"), text("judge.sriov.other-card"), *seen(gpu.sriov))
    evidence = (Evidence(gpu.sriov.source, f"{sriov.active} / {sriov.total}"),)
    if sriov.active:
        return (passed("share.offered", Severity.BLOCKS, text("judge.sriov.active", sriov.active), evidence),)
    return _sriov_unused(gpu, knowledge, sriov.total)


def _sriov_unused(gpu: Gpu, knowledge: Knowledge, total: int) -> tuple[Finding, ...]:
    supported = _family(gpu, knowledge, CardAbility.SRIOV)
    if supported is not None:
        return _prepare(text("judge.sriov.could"), text("judge.sriov.create"), supported)
    patched = _family(gpu, knowledge, CardAbility.SRIOV_OUT_OF_TREE)
    if patched is not None:
        return _prepare(text("judge.sriov.could-patched"), text("judge.sriov.patched"), patched)
    return _open(text("judge.sriov.announced", total), text("judge.sriov.announced-remedy"))


def _gvt_g(gpu: Gpu, knowledge: Knowledge) -> tuple[Finding, ...]:
    if gpu.device.identity.vendor_id != _INTEL:
        return _no(text("judge.gvtg.not-intel"), text("judge.gvtg.other-way"))
    if isinstance(gpu.mdev_types, Known):
        types = tuple(one for one in gpu.mdev_types.value if one.id.startswith("i915-GVTg"))
        if types:
            return _types_offered(gpu, types)
    family = _family(gpu, knowledge, CardAbility.GVT_G)
    if family is None:
        return _no(text("judge.gvtg.too-new"), text("judge.gvtg.other-way"))
    if bound_to(gpu.device, "xe"):
        return _prepare(text("judge.gvtg.xe"), text("judge.gvtg.use-i915"), family)
    return _prepare(text("judge.gvtg.could"), text("judge.gvtg.prepare"), family)
