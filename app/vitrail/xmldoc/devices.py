# SPDX-License-Identifier: GPL-3.0-or-later
"""Single devices of a domain as the model names them. `plan` reads a document's nodes with the same functions."""

from __future__ import annotations

import re

from vitrail.model.pci import PciAddress
from vitrail.model.vm import Graphics, Hostdev, Video
from vitrail.xmldoc.document import QEMU, Node

_LIMITS = (("domain", 0xFFFFFFFF), ("bus", 0xFF), ("slot", 0x1F), ("function", 7))
_COMMAND_LINE_CARD = re.compile(
    r"\bvfio-pci\b.*?\bhost\W{1,12}((?:[0-9a-fA-F]{4}:)?[0-9a-fA-F]{2}:[0-9a-fA-F]{2}\.[0-7])"
)


def number(words: str | None) -> int | None:
    """A number as libvirt reads one: `0x` is hexadecimal, a leading 0 octal, else decimal; None for anything else."""
    words = (words or "").strip()
    if re.fullmatch(r"0[xX][0-9a-fA-F]+", words):
        return int(words, 16)
    if re.fullmatch(r"0[0-7]+", words):
        return int(words, 8)
    return int(words) if re.fullmatch(r"0|[1-9][0-9]*", words) else None


def pci_address(node: Node | None) -> PciAddress | None:
    """The address that an `<address>` spells, None where a part is missing, a placeholder or out of range."""
    if node is None or node.get("bus") is None or node.get("slot") is None:
        return None
    parts = []
    for name, highest in _LIMITS:
        part = number(node.get(name) or ("0" if node.get(name) is None else ""))
        if part is None or part > highest:
            return None
        parts.append(part)
    return PciAddress(*parts)


def read_hostdev(node: Node) -> Hostdev:
    """A `<hostdev>`; one whose address cannot be read is marked so."""
    kind = node.get("type") or ""
    source = node.find("source", "address")
    pci = pci_address(source) if kind == "pci" else None
    uuid = (source.get("uuid") or None) if source is not None and kind == "mdev" else None
    return Hostdev(
        type=kind,
        pci=pci,
        mdev_uuid=uuid.strip().lower() if uuid else None,
        managed=node.get("managed") == "yes",
        display=node.get("display") == "on",
        model=node.get("model"),
        readable=(pci is not None) if kind == "pci" else (uuid is not None) if kind == "mdev" else True,
    )


def read_video(node: Node) -> Video:
    """A `<video>`. Without a model libvirt picks one; then the name is empty."""
    model = node.find("model")
    if model is None:
        return Video(model="")
    acceleration = model.find("acceleration")
    return Video(
        model=model.get("type") or "",
        accel3d=acceleration is not None and acceleration.get("accel3d") == "yes",
        blob=model.get("blob") == "on",
        primary=model.get("primary") == "yes",
    )


def read_screen(node: Node) -> Graphics:
    """A `<graphics>`."""
    gl = node.find("gl")
    kind = node.get("type") or ""
    return Graphics(
        type=kind,
        # egl-headless is OpenGL by itself; its <gl> only names the node.
        gl=kind == "egl-headless" or (gl is not None and gl.get("enable") == "yes"),
        render_node=None if gl is None else gl.get("rendernode"),
        listens=_listens(node),
    )


def _listens(node: Node) -> str | None:
    listen = node.find("listen")
    kind = None if listen is None else listen.get("type")
    if kind in ("none", "socket") or node.get("socket") is not None:
        return None
    if kind == "network" and listen is not None:
        return listen.get("network")
    if kind == "address" and listen is not None and listen.get("address"):
        return listen.get("address")
    return node.get("listen")


def is_looking_glass(shmem: Node) -> bool:
    """Whether a `<shmem>` is Looking Glass' window, which only its name tells."""
    return "looking-glass" in (shmem.get("name") or "").lower().replace("_", "-")


def command_line(root: Node) -> tuple[str, ...]:
    """The arguments that a domain hands to QEMU past libvirt, in their order."""
    return tuple(node.get("value") or "" for node in root.all(QEMU + "commandline", QEMU + "arg"))


def command_line_looking_glass(root: Node) -> bool:
    """Whether QEMU's own arguments set up Looking Glass: shared memory by its name, or its kernel module."""
    words = " ".join(command_line(root)).lower()
    return "ivshmem" in words and ("looking-glass" in words or "/dev/kvmfr" in words)


def command_line_cards(root: Node) -> tuple[PciAddress, ...]:
    """Host devices that QEMU's own arguments name."""
    found = (_COMMAND_LINE_CARD.search(words) for words in command_line(root))
    return tuple(PciAddress.parse(match[1]) for match in found if match)


def overrides(root: Node, alias: str) -> dict[str, str]:
    """The properties that `<qemu:override>` sets on the device with this alias."""
    devices = root.all(QEMU + "override", QEMU + "device")
    mine = (node for node in devices if node.get("alias") == alias)
    properties = (one for node in mine for one in node.all(QEMU + "frontend", QEMU + "property"))
    return {one.get("name") or "": one.get("value") or "" for one in properties}
