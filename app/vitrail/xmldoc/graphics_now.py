# SPDX-License-Identifier: GPL-3.0-or-later
"""Which mode of graphics a domain has now, as far as its XML alone tells."""

from __future__ import annotations

import re

from vitrail.model.mode import Mode
from vitrail.model.pci import PciAddress
from vitrail.model.text import text
from vitrail.model.vm import VmGraphics
from vitrail.xmldoc.devices import (
    command_line,
    command_line_cards,
    command_line_looking_glass,
    is_looking_glass,
    overrides,
    read_hostdev,
    read_screen,
    read_video,
)
from vitrail.xmldoc.document import Node

_MODES = {
    "virtio": Mode.VIRTIO,
    "qxl": Mode.QXL,
    "vga": Mode.BASIC,
    "bochs": Mode.BASIC,
    "ramfb": Mode.BASIC,
}
_NODE_BY_PATH = re.compile(r"/dev/dri/by-path/pci-([0-9a-fA-F:.]+)-(?:render|card)")
_ON = ("true", "on", "yes", "1")


def graphics_now(root: Node) -> tuple[VmGraphics, ...]:
    """Everything that gives this domain a picture, but PCI devices: whether one is a card only the host tells."""
    found = [_of_video(root, node) for node in root.all("devices", "video")]
    found += [_of_mdev(node) for node in root.all("devices", "hostdev") if _is_mediated_gpu(node)]
    found += [
        VmGraphics(None, address, text("xmldoc.graphics.command-line-card", address=str(address)))
        for address in command_line_cards(root)
    ]
    shared = [node for node in root.all("devices", "shmem") if is_looking_glass(node)]
    if shared:
        name = shared[0].get("name") or ""
        found.append(VmGraphics(Mode.LOOKING_GLASS, None, text("xmldoc.graphics.looking-glass", name=name)))
    elif command_line_looking_glass(root):
        found.append(VmGraphics(Mode.LOOKING_GLASS, None, text("xmldoc.graphics.looking-glass-arguments")))
    return tuple(one for one in found if one is not None)


def _of_video(root: Node, node: Node) -> VmGraphics | None:
    video = read_video(node)
    if video.model == "none":
        return None
    if video.model == "virtio" and video.accel3d:
        card = _drawing_card(root)
        mode = _beyond_virgl(root, node) or Mode.VIRGL
        return VmGraphics(mode, card, text("xmldoc.graphics.video-3d", model=video.model))
    return VmGraphics(_MODES.get(video.model), None, text("xmldoc.graphics.video", model=video.model or "-"))


def _beyond_virgl(root: Node, node: Node) -> Mode | None:
    """Venus or native context: libvirt has no words for them, so they stand in overrides or arguments."""
    alias = node.find("alias")
    properties = overrides(root, (alias.get("name") or "") if alias else "")
    arguments = " ".join(command_line(root))
    for name, mode in (("drm_native_context", Mode.NATIVE_CONTEXT), ("venus", Mode.VENUS)):
        argued = re.search(rf"\b{name}\W{{1,12}}(\w+)", arguments)
        if properties.get(name) in _ON or (argued and argued[1] in _ON):
            return mode
    return None


def _drawing_card(root: Node) -> PciAddress | None:
    for node in root.all("devices", "graphics"):
        match = _NODE_BY_PATH.fullmatch(read_screen(node).render_node or "")
        if match:
            try:
                return PciAddress.parse(match[1])
            except ValueError:
                return None
    return None


def _is_mediated_gpu(node: Node) -> bool:
    hostdev = read_hostdev(node)
    return hostdev.type == "mdev" and hostdev.model == "vfio-pci"


def _of_mdev(node: Node) -> VmGraphics:
    uuid = read_hostdev(node).mdev_uuid or "-"
    return VmGraphics(Mode.VGPU, None, text("xmldoc.graphics.mediated", uuid=uuid))
