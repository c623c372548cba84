# SPDX-License-Identifier: GPL-3.0-or-later
"""What the connected daemon and its QEMU say that they can do, held against what a mode needs.

Domain capabilities that were not asked for are a warning, never a stop: `plan --xml` works without any daemon.
"""

from __future__ import annotations

from vitrail.judge.conclude import failed, not_known, passed, seen
from vitrail.model.capabilities import DomainCapabilities
from vitrail.model.finding import Finding, Severity
from vitrail.model.reading import Reading, Unknown
from vitrail.model.text import Text, text

Capabilities = Reading[DomainCapabilities]


def capabilities_read(capabilities: Capabilities) -> tuple[Finding, ...]:
    """A warning where the daemon was not asked or did not answer; nothing where it did."""
    if isinstance(capabilities, Unknown):
        title = text("judge.capabilities.unknown", reason=capabilities.reason)
        return (not_known("capabilities.read", Severity.WARNS, title, text("judge.capabilities.ask")),)
    return ()


def offers_video(capabilities: Capabilities, models: tuple[str, ...]) -> tuple[Finding, ...]:
    """Whether this QEMU has one of these emulated display devices."""
    if isinstance(capabilities, Unknown):
        return ()
    wanted = " / ".join(models)
    return (
        _offers(
            "capabilities.video",
            capabilities.value.video_models,
            models,
            text("judge.capabilities.video", model=wanted),
            text("judge.capabilities.no-video", model=wanted),
        ),
    )


def offers_screen(capabilities: Capabilities, kinds: tuple[str, ...]) -> tuple[Finding, ...]:
    """Whether this QEMU can show a picture in one of these ways."""
    if isinstance(capabilities, Unknown):
        return ()
    wanted = " / ".join(kinds)
    return (
        _offers(
            "capabilities.screen",
            capabilities.value.graphics_types,
            kinds,
            text("judge.capabilities.screen", kind=wanted),
            text("judge.capabilities.no-screen", kind=wanted),
        ),
    )


def _offers(name: str, offered: Reading[tuple[str, ...]], wanted: tuple[str, ...], yes: Text, no: Text) -> Finding:
    if isinstance(offered, Unknown):
        title = text("judge.capabilities.not-listed", reason=offered.reason)
        return not_known(name, Severity.WARNS, title, text("judge.capabilities.ask"))
    if any(one in offered.value for one in wanted):
        return passed(name, Severity.BLOCKS, yes, seen(offered))
    return failed(name, Severity.BLOCKS, no, text("judge.capabilities.install"), seen(offered))


def vfio_usable(capabilities: Capabilities) -> tuple[Finding, ...]:
    """Whether libvirt says that host devices can be given now; an empty list means no."""
    if isinstance(capabilities, Unknown):
        return ()
    backends = capabilities.value.pci_backends
    name = "capabilities.vfio"
    if isinstance(backends, Unknown):
        return (not_known(name, Severity.INFO, text("judge.vfio.not-listed", reason=backends.reason), None),)
    if backends.value:
        return (passed(name, Severity.WARNS, text("judge.vfio.usable"), seen(backends)),)
    return (failed(name, Severity.WARNS, text("judge.vfio.unusable"), text("judge.vfio.remedy"), seen(backends)),)
