# SPDX-License-Identifier: GPL-3.0-or-later
"""Looking at one place: the machine and its VMs, read and not judged.

Apart from the workplace because a look is what is wanted most often: it loads nothing that judges, plans or writes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from vitrail.model.capabilities import Daemon
from vitrail.model.errors import Refused, Unreachable, Unreadable, VitrailError
from vitrail.model.finding import Evidence, Finding, Severity, Status
from vitrail.model.machine import Host, MachineKind
from vitrail.model.reading import Known, Reading, Unknown
from vitrail.model.text import Text, text
from vitrail.model.vm import Vm
from vitrail.probe.host import read_host
from vitrail.service.happening import Happening, HappeningKind
from vitrail.service.place import Place, find_place, helper_is_installed
from vitrail.service.stores import StoredDomain

if TYPE_CHECKING:
    from vitrail.service.lent_facts import LentFacts
    from vitrail.source.root import Root
    from vitrail.source.udev import Watch


def open_view(machine: str | None, connect: str | None) -> View:
    """A look at what `--machine` or `--connect` names, else at this computer. Raises Unreadable."""
    return View(find_place(machine, connect))


class View:
    """What can be seen of one place. Calls may come from any thread."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._trouble: VitrailError | None = None
        self._not_read: tuple[Finding, ...] = ()
        self._hotplug: Reading[Watch] | None = None
        self._lent: LentFacts | None = None

    @property
    def kind(self) -> MachineKind:
        """Whether this is the machine itself, a recording, the demo or another computer."""
        return self._place.kind

    @property
    def connection(self) -> str:
        """The libvirt URI, or `machine:` and the path of the recording: whose changes the journal holds."""
        return self._place.connection

    @property
    def label(self) -> Text:
        """What the user calls this place."""
        return self._place.label

    def begin(self) -> None:
        """Open what the first look will need while the caller does something else; waits for nothing."""
        self._place.store.begin()

    def read(self, *, setup: bool = True) -> Host:
        """The machine and its VMs now. VMs that cannot be listed are Unknown; the rest is read all the same.

        Without `setup` the files of the start stay unread: for looks that nothing is planned on.
        """
        place, vms = self._place, self._read_vms()
        root = self._root_to_plan_on() if setup else place.root_now
        return read_host(root, vms, kind=place.kind, names=place.names, nvml=place.nvml, setup=setup)

    def _forget_lent(self) -> None:
        """What was lent before a change is no longer what is there."""
        self._lent = None

    def _root_to_plan_on(self) -> Root:
        """The place's files, with those of the start that only root may read where the root helper lends them."""
        place = self._place
        if place.kind is not MachineKind.REAL or not helper_is_installed(place.root):
            return place.root_now
        from vitrail.service.lent_facts import LentFacts  # noqa: PLC0415 - only where something can be lent
        from vitrail.source.lent_root import LentRoot  # noqa: PLC0415 - likewise

        if self._lent is None:
            self._lent = LentFacts()
        return LentRoot(place.root_now, self._lent.lend)

    def _read_vms(self) -> Reading[tuple[Vm, ...]]:
        try:
            domains = self._place.store.list()
        except Unreachable as error:
            self._trouble, self._not_read = error, ()
            return Unknown(error.what)
        vms: list[Vm] = []
        not_read: list[Finding] = []
        for domain in domains:
            vm = _as_vm(domain)
            if isinstance(vm, Vm):
                vms.append(vm)
            else:
                not_read.append(vm)
        self._trouble, self._not_read = None, tuple(not_read)
        if not_read and not vms:
            return Unknown(text("service.vm.none-read", count=len(not_read), first=not_read[0].title))
        return Known(tuple(vms), self.connection)

    @property
    def not_read(self) -> tuple[Finding, ...]:
        """VMs that are not in the host that was read last, because their settings could not be read."""
        return self._not_read

    def daemon(self) -> Reading[Daemon]:
        """What manages the VMs here."""
        return self._place.store.daemon()

    def find_vm(self, host: Host, name_or_uuid: str) -> Vm:
        """The VM with this name or UUID. Raises Refused where there is none, Unreachable where none were listed."""
        if isinstance(host.vms, Unknown):
            raise self._trouble or Unreachable(host.vms.reason)
        vms = host.vms.value
        found = [vm for vm in vms if vm.uuid == name_or_uuid.lower()] or [vm for vm in vms if vm.name == name_or_uuid]
        if not found:
            raise Refused(text("service.vm.none-called", vm=name_or_uuid), _vms_here(vms), findings=self._not_read)
        return found[0]

    def watch(self, callback: Callable[[Happening], None]) -> None:
        """Tell of every change from now on, on threads that are not the caller's; ends with `close`."""
        self._place.store.watch(callback)
        if self._place.root.live:
            from vitrail.source import udev  # noqa: PLC0415 - only for who stays and watches

            self._hotplug = udev.watch(lambda _subsystem, _action: callback(Happening(HappeningKind.DEVICE)))

    def close(self) -> None:
        """Let go of the daemon; never waits long."""
        if isinstance(self._hotplug, Known):
            self._hotplug.value.stop()
        self._place.store.close()


def _as_vm(domain: StoredDomain) -> Vm | Finding:
    from vitrail.xmldoc.vm import read_vm  # noqa: PLC0415 - lxml, only where there is a VM

    if isinstance(domain.text, Unknown):
        return _not_read(domain, domain.text.reason)
    try:
        return read_vm(
            domain.text.value,
            state=domain.state,
            persistent=domain.persistent,
            has_managed_save=domain.has_managed_save,
            autostart=domain.autostart,
        )
    except Unreadable as error:
        return _not_read(domain, error.what)


def _not_read(domain: StoredDomain, reason: Text) -> Finding:
    title = text("service.vm.not-read", vm=domain.name, reason=reason)
    evidence = (Evidence("domain", domain.uuid or domain.name),)
    # Only a file of a recording has no UUID.
    remedy = text("service.vm.not-read.remedy") if domain.uuid else text("service.recording.file-remedy")
    return Finding("vm.not-read", Status.UNKNOWN, Severity.WARNS, title, evidence, remedy)


def _vms_here(vms: tuple[Vm, ...]) -> Text:
    if not vms:
        return text("service.vm.none-here")
    return text("service.vm.those-here", vms=", ".join(vm.name for vm in vms))
