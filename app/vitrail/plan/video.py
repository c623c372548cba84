# SPDX-License-Identifier: GPL-3.0-or-later
"""One emulated display device in place of all that are there, keeping the first one's guest address and alias."""

from __future__ import annotations

from vitrail.plan.draft import Draft, Ground
from vitrail.xmldoc.document import Node
from vitrail.xmldoc.edits import Edit, Element, Insert, Remove, SetAttribute, element

# Attributes of <model> that mean something for a model; libvirt 9.0 refuses or ignores the others. `device` is what
# libvirt (since 12.5) notes of an earlier choice, so it never survives a change.
_FITS = {
    "virtio": {"type", "heads", "primary", "blob", "edid"},
    "qxl": {"type", "heads", "primary", "ram", "vram", "vram64", "vgamem"},
    "vga": {"type", "heads", "primary", "edid"},
    "bochs": {"type", "heads", "primary", "edid"},
    "ramfb": {"type", "heads", "primary"},
    "none": {"type"},
}
_MANY_HEADS = ("virtio", "qxl")


def one_video(ground: Ground, model: str, *, accel3d: bool = False, sizes: tuple[tuple[str, str], ...] = ()) -> Draft:
    """The edits after which `model` is the VM's only emulated display; none where it is already.

    `sizes` are attributes of a model that is new here; one that was there before keeps its own.
    """
    nodes = ground.all("video")
    if not nodes:
        return Draft(edits=(ground.add(element("video", _new_model(model, accel3d=accel3d, sizes=sizes))),))
    first, *others = nodes
    edits: list[Edit] = [Remove(node.path) for node in others]
    old = first.find("model")
    if old is None:
        edits.append(Insert(first.path, None, _new_model(model, accel3d=accel3d, sizes=sizes)))
    else:
        edits += _attributes(old, model, sizes, was_one_of_many=bool(others))
        edits += _acceleration(old, accel3d=accel3d)
        if any(node.get("name") == "vhostuser" for node in first.all("driver")):
            edits += [
                SetAttribute(node.path, "rendernode", None)
                for node in old.all("acceleration")
                if node.get("rendernode") is not None
            ]
        if model in ("ramfb", "none"):
            edits += [Remove(node.path) for node in old.all("resolution")]
    edits += _around(first, model)
    return Draft(edits=tuple(edits))


def _new_model(model: str, *, accel3d: bool, sizes: tuple[tuple[str, str], ...]) -> Element:
    if model == "none":
        return element("model", type="none")
    below = (element("acceleration", accel3d="yes"),) if accel3d else ()
    return Element("model", (("type", model), *sizes, ("heads", "1"), ("primary", "yes")), below)


def _attributes(
    old: Node, model: str, sizes: tuple[tuple[str, str], ...], *, was_one_of_many: bool
) -> list[SetAttribute]:
    wanted: dict[str, str | None] = {}
    changed = old.get("type") != model
    if changed:
        wanted = {name: None for name, _ in old.attributes if name not in _FITS[model]}
        wanted["type"] = model
        wanted |= dict(sizes)
    if model != "none" and (changed or was_one_of_many or old.get("primary") == "no"):
        wanted["primary"] = "yes"
    if old.get("heads") not in (None, "1") and changed and model not in (*_MANY_HEADS, "none"):
        wanted["heads"] = "1"
    return [SetAttribute(old.path, name, value) for name, value in wanted.items() if old.get(name) != value]


def _acceleration(old: Node, *, accel3d: bool) -> list[Edit]:
    node = old.find("acceleration")
    was = node is not None and node.get("accel3d") == "yes"
    if was == accel3d:
        return []
    drop: list[Edit] = [SetAttribute(old.path, "device", None)] if old.get("device") and _same_type(old) else []
    if node is None:
        return [*drop, Insert(old.path, None, element("acceleration", accel3d="yes"))]
    return [*drop, SetAttribute(node.path, "accel3d", "yes") if accel3d else Remove(node.path)]


def _same_type(old: Node) -> bool:
    return old.get("type") == "virtio"


def _around(video: Node, model: str) -> list[Edit]:
    """What stands beside the model and does not fit it any more: virtio's driver options, a guest address."""
    stale = [node for node in video.all("driver") if model != "virtio" or node.get("name") == "vhostuser"]
    for node in video.all("address"):
        of_bus = node.get("type") or "pci"
        if model in ("ramfb", "none") or (of_bus != "pci" and model != "virtio"):
            stale.append(node)
    if model == "none":
        stale += video.all("alias")
    return [Remove(node.path) for node in stale]
