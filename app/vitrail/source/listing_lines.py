# SPDX-License-Identifier: GPL-3.0-or-later
"""What one line of a pasted listing says, whatever script or page it came through.

Separate from `lspci_text`, which joins lines to devices and devices to one machine. Nothing here looks at more than one
line; every pattern is anchored or bounded, so a hostile line costs time in proportion to its length.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, replace

from vitrail.model.pci import PciAddress, PciClass
from vitrail.source.pci_classes import class_of_words, leading_class

MAX_LINE = 2000
"""Characters of a line that are looked at; lspci's own lines are far shorter."""

_PREFIX_LIMIT = 100

_ESCAPE = re.compile(r"\x1b(?:\[[0-9;:?]{0,32}[ -/]{0,4}[@-~]|\][^\x07\x1b]{0,200}(?:\x07|\x1b\\)|[@-Z\\^_])")
_TAG = re.compile(r"</?[A-Za-z][^<>]{0,200}>")
_QUOTE = re.compile(r"[>\s]*>[ ]?")
_ADDRESS = re.compile(
    r"(?<![0-9A-Za-z:.@/_])((?:[0-9a-f]{4,8}:)?[0-9a-f]{2}:[01][0-9a-f]\.[0-7])(?=[\s\"]|$)", re.IGNORECASE
)
_IDS = re.compile(r"\[([0-9a-f]{4}):([0-9a-f]{4})\]", re.IGNORECASE)
_REVISION = re.compile(r"\s*\(rev ([0-9a-f]{2})\)", re.IGNORECASE)
_PROG_IF = re.compile(r"\s*\(prog-if ([0-9a-f]{2})[^)]{0,80}\)?", re.IGNORECASE)
_UNNAMED = re.compile(r"\bDevice(?: ([0-9a-f]{4}))?(?::([0-9a-f]{4}))?$", re.IGNORECASE)
_NUMERIC = re.compile(r"(?:Class )?([0-9a-f]{4}): ([0-9a-f]{4}):([0-9a-f]{4})(?![0-9a-f])", re.IGNORECASE)
_CODED = re.compile(r"([^:\[\]\"]{0,80}?)\s*\[([0-9a-f]{4})\]\s*:?\s*", re.IGNORECASE)
_WORDED = re.compile(r"([^:\[\]\"]{2,80}):\s+")
_QUOTED = re.compile(r'"([^"]{0,300})"')
_CODE_AT_END = re.compile(r"\s*\[?([0-9a-f]{4})\]?$", re.IGNORECASE)

_GROUP_MARK = r"(?:iommu[\s_-]{0,3})?group[\s:#=_-]{0,8}\(?(\d{1,5})(?![0-9a-f]|:[0-9a-f]{2}|\.\d)\)?[\s:#.,-]*"
_GROUP_TOKEN = re.compile(_GROUP_MARK, re.IGNORECASE)
_HEADING = re.compile(rf"[\s#*=|+└├│─>-]{{0,40}}{_GROUP_MARK}[=*|]*$", re.IGNORECASE)
_PREFIX_TOKENS = (
    re.compile(r"[\s>|*+\\`'\"#·•.,│├└─┬┌┐╰╭═║╠╚-]+"),
    re.compile(r"\[(?:R|RESET|X|\*| )\]", re.IGNORECASE),
    re.compile(r"iommu:\s*\S{1,20}", re.IGNORECASE),
    re.compile(r"(?:(?:iommu\s+)?group\s+)?devices?\s*:", re.IGNORECASE),
    re.compile(r"(?:slot|pci|bdf|gpu)\s*:", re.IGNORECASE),
    re.compile(r"\d{1,3}[.)](?=\s)"),
)
_NUMBER_TOKENS = (_GROUP_TOKEN, re.compile(r"\((\d{1,5})\)"))
_BARE_NUMBER = re.compile(r"(\d{1,5})(?=[\s|:])[:|]?")

_DRIVER = re.compile(r"Kernel driver in use:\s*(\S{1,64})")
_SUBSYSTEM = re.compile(r"Subsystem:.{0,300}?\[([0-9a-f]{4}):([0-9a-f]{4})\]", re.IGNORECASE)
_DETAIL_GROUP = re.compile(r"IOMMU group:?\s*(\d{1,5})\s*$", re.IGNORECASE)
_BUSES = re.compile(r"Bus: primary=[0-9a-f]{2}, secondary=([0-9a-f]{2})", re.IGNORECASE)
_DETAIL_START = re.compile(
    r"(?:Subsystem|Control|Status|Flags|Latency|Interrupts?|Region \d|Memory at|I/O ports at|Capabilities|NUMA node"
    r"|Kernel driver in use|Kernel modules|DeviceName|Bus|Physical Slot|Expansion ROM|\[virtual\]|BIST|IOMMU group"
    r"|I/O behind|Memory behind|Prefetchable|Secondary status|BridgeCtl|DevCap|!!!)"
)

# Vendors as PCI's database writes them, so that a plain line can be parted into vendor and device.
_VENDORS = (
    "NVIDIA Corporation",
    "Advanced Micro Devices, Inc. [AMD/ATI]",
    "Advanced Micro Devices, Inc. [AMD]",
    "Intel Corporation",
    "ASPEED Technology, Inc.",
    "Matrox Electronics Systems Ltd.",
    "Red Hat, Inc.",
    "VMware",
    "Moore Threads Technology Co.,Ltd",
    "XGI Technology Inc. (eXtreme Graphics Innovation)",
    "Silicon Motion, Inc.",
    "Huawei Technologies Co., Ltd.",
)


@dataclass(frozen=True, slots=True)
class ListedDevice:
    """One function as a listing shows it; None is "the text does not say" everywhere.

    `without_group` is the one exception: other functions of the same text have a group, this one was shown without.
    """

    address: PciAddress
    pci_class: PciClass
    vendor_id: int | None = None
    device_id: int | None = None
    subsystem_vendor_id: int | None = None
    subsystem_device_id: int | None = None
    vendor_name: str | None = None
    name: str | None = None
    group: int | None = None
    without_group: bool = False
    driver: str | None = None
    secondary_bus: int | None = None
    """For a bridge: the bus behind it."""
    revision: int | None = None


@dataclass(frozen=True, slots=True)
class DeviceLine:
    """A line that shows a device, the group number on the same line, and how far the line is indented."""

    device: ListedDevice
    group: int | None
    indent: int


def clean(line: str) -> tuple[str, int]:
    """The line without terminal colours, tags, Markdown and quoting, and how far it was indented."""
    line = line[:MAX_LINE]
    if "\x1b" in line:
        line = _ESCAPE.sub("", line)
    if "<" in line:
        line = _TAG.sub("", line)
    if "&" in line:
        line = html.unescape(line)
    quote = _QUOTE.match(line)
    if quote is not None:
        line = line[quote.end() :]
    line = line.replace("**", "").replace("`", "").expandtabs(8).rstrip()
    if line.endswith("\\"):
        line = line[:-1].rstrip()
    return line, len(line) - len(line.lstrip())


def heading_group(line: str) -> int | None:
    """The group number of a line that names a group and nothing else."""
    match = _HEADING.match(line)
    return None if match is None else int(match.group(1))


def device_line(line: str, indent: int, *, numbered: bool) -> DeviceLine | None:
    """The device that this line shows. `numbered`: a bare number before the address is its group."""
    match = _ADDRESS.search(line, 0, _PREFIX_LIMIT + 16)
    if match is None:
        return None
    before = _prefix(line[: match.start()], numbered=numbered)
    if before is None:
        return None
    device = _described(PciAddress.parse(match.group(1)), line[match.end() :].strip())
    if device is None:
        return None
    group, ids = before
    if ids is not None and device.vendor_id is None:
        device = replace(device, vendor_id=ids[0], device_id=ids[1])
    return DeviceLine(device, group, indent)


def _prefix(words: str, *, numbered: bool) -> tuple[int | None, tuple[int, int] | None] | None:
    """Group and ids of what stands before an address; None where anything else stands there."""
    group: int | None = None
    ids: tuple[int, int] | None = None
    at = 0
    while at < len(words):
        number = next((found for token in _NUMBER_TOKENS if (found := token.match(words, at))), None)
        if number is None and numbered:
            number = _BARE_NUMBER.match(words, at)
        if number is not None:
            group, at = int(number.group(1)), number.end()
            continue
        pair = _IDS.match(words, at)
        if pair is not None:
            ids, at = (int(pair.group(1), 16), int(pair.group(2), 16)), pair.end()
            continue
        plain = next((found for token in _PREFIX_TOKENS if (found := token.match(words, at))), None)
        if plain is None:
            return None
        at = plain.end()
    return group, ids


def _described(address: PciAddress, rest: str) -> ListedDevice | None:
    if rest.startswith('"'):
        return _machine_readable(address, rest)
    numeric = _NUMERIC.match(rest)
    if numeric is not None:
        number, vendor, device = (int(part, 16) for part in numeric.groups())
        return ListedDevice(address, pci_class(number, None), vendor, device, revision=_hex(_REVISION, rest))
    found = _class_and_name(rest)
    if found is None:
        return None
    code, name = found
    listed = ListedDevice(address, pci_class(code, _hex(_PROG_IF, rest)), revision=_hex(_REVISION, rest))
    return _named(listed, name)


def _class_and_name(rest: str) -> tuple[int | None, str] | None:
    coded = _CODED.match(rest)
    if coded is not None and coded.end() > coded.end(2) + 1:
        return int(coded.group(2), 16), rest[coded.end() :]
    leading = leading_class(rest.partition("  ")[0]) if "  " in rest else None
    if leading is not None and not leading[1]:
        return leading[0], rest.partition("  ")[2].strip()
    worded = _WORDED.match(rest)
    if worded is not None:
        code = class_of_words(worded.group(1))
        if code is not None or _IDS.search(rest):
            return code, rest[worded.end() :]
    leading = leading_class(rest)
    if leading is not None and leading[1] and len(rest) - len(leading[1]) > len("VGA controller"):
        return leading
    ids = _IDS.search(rest)
    if ids is not None:
        return None, rest
    return (None, rest[worded.end() :]) if worded is not None else None


def _named(listed: ListedDevice, name: str) -> ListedDevice:
    """With the ids and names of what stands behind the class."""
    name = _PROG_IF.sub("", _REVISION.sub("", name[:400])).strip()
    pairs = list(_IDS.finditer(name))
    if pairs:
        listed = replace(listed, vendor_id=int(pairs[-1].group(1), 16), device_id=int(pairs[-1].group(2), 16))
        name = name[: pairs[-1].start()].strip()
    vendor = next((vendor for vendor in _VENDORS if name.startswith(vendor)), None)
    rest = name[len(vendor) :].strip() if vendor else name
    unnamed = _UNNAMED.search(rest)
    if unnamed is None or (unnamed.start() > 0 and (vendor or not (pairs or unnamed.group(1)))):
        return replace(listed, vendor_name=vendor, name=rest or None)
    first, second = unnamed.groups()
    if second and listed.vendor_id is None:
        listed = replace(listed, vendor_id=int(first, 16), device_id=int(second, 16))
    elif first and listed.device_id is None:
        listed = replace(listed, device_id=int(first, 16))
    return replace(listed, vendor_name=vendor or rest[: unnamed.start()].strip() or None)


def _machine_readable(address: PciAddress, rest: str) -> ListedDevice | None:
    """`lspci -mm`: class, vendor and device in quotation marks, then revision, then the subsystem."""
    fields = [match.group(1) for match in _QUOTED.finditer(rest)]
    if len(fields) < 3:  # noqa: PLR2004 - class, vendor, device
        return None
    record = {"Class": fields[0], "Vendor": fields[1], "Device": fields[2]}
    record |= dict(zip(("SVendor", "SDevice"), fields[3:5], strict=False))
    return from_record(address, record)


def from_record(address: PciAddress, record: dict[str, str]) -> ListedDevice:
    """The device of one `lspci -vmm` record, or of the quoted fields of a `-mm` line."""
    class_words, class_code = worded_code(record.get("Class", ""))
    vendor_name, vendor = worded_code(record.get("Vendor", ""))
    name, device = worded_code(record.get("Device", ""))
    unnamed = _UNNAMED.fullmatch(name) if name else None
    if unnamed is not None:
        device = int(unnamed.group(1), 16) if unnamed.group(1) else device
        name = None
    if class_code is None and class_words:
        class_code = class_of_words(class_words)
    group = record.get("IOMMUGroup", "")
    return ListedDevice(
        address,
        pci_class(class_code, _number(record.get("ProgIf", ""), 16)),
        vendor,
        device,
        worded_code(record.get("SVendor", ""))[1],
        worded_code(record.get("SDevice", ""))[1],
        vendor_name,
        name,
        _number(group, 10),
        driver=record.get("Driver") or None,
        revision=_number(record.get("Rev", ""), 16),
    )


def worded_code(words: str) -> tuple[str | None, int | None]:
    """`NVIDIA Corporation [10de]`, or either half alone: the words and the number."""
    code = _CODE_AT_END.search(words)
    if code is None or ("[" not in code.group() and code.start() > 0):
        return words.strip() or None, None
    return words[: code.start()].strip() or None, int(code.group(1), 16)


def with_detail(device: ListedDevice, line: str) -> ListedDevice | None:
    """The device with what one of its indented lines adds; None where the line is no detail of a device."""
    words = line.strip()
    if _DETAIL_START.match(words) is None:
        return None
    driver = _DRIVER.match(words)
    if driver is not None:
        return replace(device, driver=driver.group(1))
    subsystem = _SUBSYSTEM.match(words)
    if subsystem is not None:
        vendor, number = (int(part, 16) for part in subsystem.groups())
        return replace(device, subsystem_vendor_id=vendor, subsystem_device_id=number)
    buses = _BUSES.match(words)
    if buses is not None:
        return replace(device, secondary_bus=int(buses.group(1), 16))
    if words.startswith(("Flags:", "IOMMU group")):
        group = _DETAIL_GROUP.search(words)
        told = group is not None
        return replace(device, group=int(group.group(1)) if group else device.group, without_group=not told)
    return device


def pci_class(code: int | None, prog_if: int | None) -> PciClass:
    """A class from its 16-bit code; an interface that the text does not tell is 0."""
    return PciClass(None if code is None else code << 8 | (prog_if or 0))


def _hex(pattern: re.Pattern[str], words: str) -> int | None:
    match = pattern.search(words)
    return None if match is None else int(match.group(1), 16)


def _number(words: str, base: int) -> int | None:
    try:
        return int(words, base) if words else None
    except ValueError:
        return None
