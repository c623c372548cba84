# SPDX-License-Identifier: GPL-3.0-or-later
"""What the kernel's command line says that guides got wrong: folklore, and arguments that weaken what is judged here.

Separate because none of it decides anything: the IOMMU is judged from sysfs. It explains, and it warns where groups
look better than they are.
"""

from __future__ import annotations

from vitrail.judge.conclude import failed
from vitrail.judge.iommu import arguments_now
from vitrail.judge.words import listed, plain
from vitrail.model.finding import Evidence, Finding, Severity
from vitrail.model.machine import Host
from vitrail.model.reading import Known
from vitrail.model.text import Text, text

_WITHOUT_EFFECT = ("amd_iommu=on", "video=efifb:off", "video=vesafb:off")


def cmdline_findings(host: Host) -> tuple[Finding, ...]:
    """Only what is there to say; a plain command line gives nothing."""
    if not isinstance(host.cmdline, Known):
        return ()
    words = arguments_now(host)
    return (*_override(host, words), *_by_ids(host, words), *_folklore(host, words))


def _found(host: Host, words: list[str]) -> tuple[Evidence, ...]:
    source = host.cmdline.source if isinstance(host.cmdline, Known) else ""
    return tuple(Evidence(source, word) for word in words)


def _named(words: list[str]) -> Text:
    return listed([plain(word) for word in words])


def _override(host: Host, words: tuple[str, ...]) -> tuple[Finding, ...]:
    found = [word for word in words if word.startswith("pcie_acs_override=")]
    if not found:
        return ()
    title, remedy = text("judge.cmdline.override"), text("judge.cmdline.override-remedy")
    return (failed("cmdline.acs-override", Severity.WARNS, title, remedy, _found(host, found)),)


def _by_ids(host: Host, words: tuple[str, ...]) -> tuple[Finding, ...]:
    found = [word for word in words if word.replace("_", "-").startswith("vfio-pci.ids=")]
    if not found:
        return ()
    title, remedy = text("judge.cmdline.by-ids"), text("judge.cmdline.by-ids-remedy")
    return (failed("cmdline.vfio-ids", Severity.INFO, title, remedy, _found(host, found)),)


def _folklore(host: Host, words: tuple[str, ...]) -> tuple[Finding, ...]:
    found = [word for word in words if word in _WITHOUT_EFFECT]
    if not found:
        return ()
    title = text("judge.cmdline.folklore", words=_named(found))
    return (
        failed("cmdline.folklore", Severity.INFO, title, text("judge.cmdline.folklore-remedy"), _found(host, found)),
    )
