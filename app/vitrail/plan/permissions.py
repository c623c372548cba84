# SPDX-License-Identifier: GPL-3.0-or-later
"""Narrow permissions that a VM lacks here: one that runs as the user, or one whose card has its ROM in a file.

libvirt's system connection gives a VM what its devices need by itself, so there a plan has such steps only for a ROM
in a file, of which libvirt's confinement knows nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from vitrail.model.access import Access, Person
from vitrail.model.choice import Choice, Passthrough, Virgl
from vitrail.model.finding import Evidence, Finding, Severity, Status
from vitrail.model.host_step import RunTool, Tool, WriteFile
from vitrail.model.machine import MachineKind
from vitrail.model.permission import (
    APPARMOR_RULES,
    LIMITS,
    MAX_LOCKED_MIB,
    MAX_ROMS,
    VFIO_RULES,
    AppArmorRoms,
    HostGroup,
    JoinGroup,
    LabelRom,
    LockedMemory,
    Permission,
    SessionMemory,
    VfioAccess,
    check_rom_path,
    check_user,
    is_labelled,
    permission_path,
    session_limit,
)
from vitrail.model.reading import Known, Unknown, known_or
from vitrail.model.render import render
from vitrail.model.step import HostStep
from vitrail.model.text import text
from vitrail.plan.host.files import NoStep, by_program, no_step, step_on
from vitrail.xmldoc.devices import read_hostdev
from vitrail.xmldoc.document import Node, parse_domain
from vitrail.xmldoc.vm import memory_kib

PERMISSIONS_PHASE = "permissions"
CARRIED_OUT_ON = (MachineKind.REAL, MachineKind.RECORDING, MachineKind.DEMO)
_ALLOWED = ("/usr/share/vgabios/", "/usr/share/qemu/", "/usr/share/kvm/", "/usr/share/seabios/")
"""Where libvirt's AppArmor profile lets every VM read, and SELinux's policy too."""
ROM_FOLDER = "/var/lib/vitrail/vbios"
_BESIDE_MIB = 1024
"""What libvirt adds to a VM's own memory for the windows of its devices."""
_ROM_LINE = re.compile(r"^/(\S+) r,$", re.MULTILINE | re.ASCII)
_LIMIT_LINE = re.compile(r"^(\S+) hard memlock ([0-9]{1,14})$", re.MULTILINE | re.ASCII)
_SESSION_LINE = re.compile(r"^LimitMEMLOCK=([0-9]{1,11})M$", re.MULTILINE | re.ASCII)


@dataclass(frozen=True, slots=True)
class Permissions:
    """The steps, none where nothing is lacking, and what there is to say."""

    steps: tuple[HostStep, ...] = ()
    findings: tuple[Finding, ...] = ()


def permissions_for(words: str, choice: Choice, access: Access | None) -> Permissions:
    """What the VM of this document lacks. `access`: None where nobody could be given anything."""
    if access is None or not isinstance(choice, Passthrough | Virgl):
        return Permissions()
    root = parse_domain(words)
    try:
        if access.session:
            return _of_session(root, choice, access)
        return _of_roms(root, access) if isinstance(choice, Passthrough) else Permissions()
    except NoStep as none:
        return Permissions(findings=(none.finding,))


def _of_session(root: Node, choice: Passthrough | Virgl, access: Access) -> Permissions:
    """What a user's own VM lacks, which libvirt does not give it there."""
    if isinstance(choice, Virgl) and known_or(access.draws, otherwise=True):
        return Permissions()
    person = _person(access)
    if person is None:
        return Permissions(findings=(_nobody(access),))
    if isinstance(choice, Virgl):
        return _to_draw(person)
    advice = Finding(
        "permission.session",
        Status.FAIL,
        Severity.INFO,
        text("plan.permission.session", user=person.name),
        (Evidence("libvirt", "qemu:///session"),),
        text("plan.permission.session.remedy"),
    )
    memory, findings = _memory(root, person, access)
    files = (*_changed(access, (_vfio(person, access),)), *_changed(access, memory))
    steps = [step for one in files for step in _followed(one)]
    if not files and memory:
        findings += (_login_again(person),)
    return Permissions(tuple(steps), (advice, *findings))


def _person(access: Access) -> Person | None:
    """Whoever may be given something: a user of a plain name who is not root."""
    try:
        person = known_or(access.person, None)
        return person if person is not None and person.uid and check_user(person.name) else None
    except ValueError:
        return None


def _nobody(access: Access) -> Finding:
    if isinstance(access.person, Unknown):
        title, known = text("plan.permission.user-unknown", reason=access.person.reason), False
    else:
        title, known = text("plan.permission.user-form", user=access.person.value.name), True
    status = Status.FAIL if known else Status.UNKNOWN
    remedy = text("plan.permission.session.remedy")
    return Finding("permission.user", status, Severity.WARNS, title, (), remedy)


def _to_draw(person: Person) -> Permissions:
    """A VM of the user's own draws on a card as the user does; the group is what opens it."""
    if HostGroup.RENDER in person.groups:
        return Permissions(findings=(_login_again(person),))
    return Permissions((by_program(JoinGroup(person.name, HostGroup.RENDER)),))


def _login_again(person: Person) -> Finding:
    title = text("plan.permission.login-again", user=person.name)
    return Finding("permission.login", Status.FAIL, Severity.WARNS, title, (), text("plan.permission.login-again.do"))


def _vfio(person: Person, access: Access) -> VfioAccess:
    """The rule for this user. Raises NoStep where the file is another user's."""
    wanted = VfioAccess(person.name)
    now = known_or(access.content(VFIO_RULES), None)
    if now is not None and now.encode("utf-8", "surrogateescape") != render(wanted, None):
        raise _edited(VFIO_RULES)
    return wanted


def _memory(root: Node, person: Person, access: Access) -> tuple[tuple[Permission, ...], tuple[Finding, ...]]:
    """The limits that this VM needs, never lower than what an earlier plan set. Raises NoStep."""
    if root.find("memoryBacking", "locked") is not None:
        title, remedy = text("plan.permission.locked"), text("plan.permission.session.remedy")
        return (), (Finding("permission.locked", Status.FAIL, Severity.WARNS, title, (), remedy),)
    needed = _needed_mib(root)
    limit = access.locked_mib
    if needed is None or (isinstance(limit, Known) and (limit.value is None or limit.value >= needed)):
        return (), ()
    earlier = max(_earlier(access, LIMITS, person), _earlier(access, session_limit(person.uid), person))
    mib = min(max(needed, earlier), MAX_LOCKED_MIB)
    return (LockedMemory(person.name, mib), SessionMemory(person.uid, mib)), ()


def _needed_mib(root: Node) -> int | None:
    """As libvirt counts (qemuDomainGetMemLockLimitBytes), None where the definition does not tell."""
    hard = memory_kib(root.find("memtune", "hard_limit"))
    if hard is not None:
        return _mib(hard)
    memory = memory_kib(root.find("memory"))
    if memory is None:
        return None
    given = sum(node.get("type") in ("pci", "mdev") for node in root.all("devices", "hostdev"))
    times = (given if root.find("devices", "iommu") is not None else min(given, 1)) + sum(
        node.get("type") == kind
        for tag, kind in (("disk", "nvme"), ("interface", "vdpa"))
        for node in root.all("devices", tag)
    )
    return times * _mib(memory) + _BESIDE_MIB


def _mib(kib: int) -> int:
    return -(-kib // 1024)


def _earlier(access: Access, path: str, person: Person) -> int:
    """The limit that an earlier plan wrote there for this user, 0 for none. Raises NoStep where others edited it."""
    now = known_or(access.content(path), None)
    if now is None:
        return 0
    if path == LIMITS:
        found = _LIMIT_LINE.search(now)
        mib = int(found[2]) // 1024 if found is not None and found[1] == person.name else 0
    else:
        found = _SESSION_LINE.search(now)
        mib = int(found[1]) if found is not None else 0
    if not 0 < mib <= MAX_LOCKED_MIB:
        raise _edited(path)
    template = LockedMemory(person.name, mib) if path == LIMITS else SessionMemory(person.uid, mib)
    if render(template, None) != now.encode("utf-8", "surrogateescape"):
        raise _edited(path)
    return mib


def _edited(path: str) -> NoStep:
    title = text("plan.host.own-edited", path=f"/{path}")
    return no_step(title, text("plan.host.own-edited.remedy", path=f"/{path}"), Evidence(f"/{path}", ""))


def _changed(access: Access, templates: tuple[Permission, ...]) -> tuple[HostStep, ...]:
    """The steps of those files that are not as they should be yet. Raises NoStep."""
    steps = (step_on(access.content(permission_path(one)), one) for one in templates)
    return tuple(step for step in steps if step.before != step.after)


def _followed(step: HostStep) -> Iterator[HostStep]:
    yield step
    if isinstance(step.change, WriteFile) and isinstance(step.change.template, VfioAccess):
        yield by_program(RunTool(Tool.UDEV_RULES))


def _of_roms(root: Node, access: Access) -> Permissions:
    """What lets confined VMs of the system read the ROMs of their cards."""
    named = dict.fromkeys(_roms(root))
    outside = [path for path in named if not path.startswith(_ALLOWED) or "/../" in path]
    confined = [
        name
        for name, on in (("AppArmor", access.apparmor), ("SELinux", access.selinux))
        if known_or(on, otherwise=False)
    ]
    if not outside or not confined:
        return Permissions()
    findings = tuple(_misplaced(path, confined) for path in outside if not _is_taken(path))
    roms = tuple(path.lstrip("/") for path in outside if _is_taken(path))
    steps: tuple[HostStep, ...] = ()
    if roms and "AppArmor" in confined:
        steps += _changed(access, (_rules(roms, access),))
    if "SELinux" in confined:
        labels = known_or(access.labels, "")
        steps += tuple(by_program(LabelRom(path)) for path in roms if not is_labelled(labels, path))
    return Permissions(steps, findings)


def _roms(root: Node) -> Iterator[str]:
    for node in root.all("devices", "hostdev"):
        rom = node.find("rom")
        if rom is not None and rom.get("file") and read_hostdev(node).pci is not None:
            yield rom.get("file") or ""


def _is_taken(path: str) -> bool:
    try:
        check_rom_path(path.removeprefix("/"))
    except ValueError:
        return False
    return path.startswith("/")


def _misplaced(path: str, confined: list[str]) -> Finding:
    title = text("plan.permission.rom-place", path=path, by=" + ".join(confined))
    remedy = text("plan.permission.rom-place.remedy", folder=ROM_FOLDER)
    evidence = (Evidence("domain/devices/hostdev/rom/@file", path),)
    return Finding("permission.rom", Status.FAIL, Severity.WARNS, title, evidence, remedy)


def _rules(roms: tuple[str, ...], access: Access) -> AppArmorRoms:
    """These ROMs and those of earlier plans. Raises NoStep where others edited the file, or it would hold too many."""
    now = known_or(access.content(APPARMOR_RULES), None)
    if now is None:
        return _bounded(roms)
    try:
        earlier = AppArmorRoms(tuple(_ROM_LINE.findall(now)))
    except ValueError as error:
        raise _edited(APPARMOR_RULES) from error
    if render(earlier, None) != now.encode("utf-8", "surrogateescape"):
        raise _edited(APPARMOR_RULES)
    return _bounded(tuple(dict.fromkeys((*earlier.paths, *roms))))


def _bounded(paths: tuple[str, ...]) -> AppArmorRoms:
    if len(paths) > MAX_ROMS:
        title, remedy = text("plan.permission.many-roms", limit=MAX_ROMS), text("plan.permission.many-roms.remedy")
        raise no_step(title, remedy)
    return AppArmorRoms(paths)
