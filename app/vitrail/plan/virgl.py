# SPDX-License-Identifier: GPL-3.0-or-later
"""OpenGL drawn by the host, shown through VNC or SPICE (`egl-headless`) or directly in a local SPICE viewer."""

from __future__ import annotations

from vitrail.model.choice import Virgl
from vitrail.plan.cards import leaving
from vitrail.plan.draft import Draft, Ground
from vitrail.plan.leftovers import without_leftovers
from vitrail.plan.screens import going, off_network, vnc, without_gl
from vitrail.plan.video import one_video
from vitrail.xmldoc.document import Node
from vitrail.xmldoc.edits import Edit, Element, Insert, Remove, SetAttribute, element


def draft_virgl(ground: Ground, choice: Virgl) -> Draft:
    """One virtio display with 3D; only one display of a VM may draw with OpenGL."""
    node = render_node(choice) or _named_now(ground)
    seen = _local_spice(ground, node) if choice.screen == "spice" else _headless(ground, node)
    return leaving(ground) + without_leftovers(ground) + seen + one_video(ground, "virtio", accel3d=True)


def render_node(choice: Virgl) -> str | None:
    """The card's node by its place; numbers like renderD128 change from start to start."""
    return None if choice.gpu is None else f"/dev/dri/by-path/pci-{choice.gpu}-render"


def _named_now(ground: Ground) -> str | None:
    """The card that the VM draws on by its definition: it goes on where the choice names none."""
    named = (gl.get("rendernode") for one in ground.all("graphics") for gl in one.all("gl"))
    return next((node for node in named if node), None)


def _headless(ground: Ground, node: str | None) -> Draft:
    nodes = ground.all("graphics")
    drawing = tuple(one for one in nodes if one.get("type") == "egl-headless")
    # QEMU draws for VNC and SPICE through egl-headless; a local window or D-Bus cannot show its frames.
    staying = tuple(one for one in nodes if one.get("type") in ("vnc", "spice"))
    draft = going(ground, tuple(one for one in nodes if one not in staying and one not in drawing))
    draft += without_gl(staying)
    if not staying:
        draft += Draft((ground.add(vnc()),))
    if not drawing:
        gl = () if node is None else (element("gl", rendernode=node),)
        return draft + Draft((ground.add(Element("graphics", (("type", "egl-headless"),), gl)),))
    return draft + Draft((*(Remove(one.path) for one in drawing[1:]), *_draws_on(drawing[0], node)))


def _draws_on(graphics: Node, node: str | None, enable: str | None = None) -> tuple[Edit, ...]:
    """Name the card that draws; a node that is named already stays where the choice names none."""
    wanted = ((("enable", enable),) if enable else ()) + ((("rendernode", node),) if node else ())
    gl = graphics.find("gl")
    if gl is None:
        last = len(graphics.children) - 1
        return (Insert(graphics.path, last if last >= 0 else None, Element("gl", wanted)),) if wanted else ()
    return tuple(SetAttribute(gl.path, name, value) for name, value in wanted if gl.get(name) != value)


def _local_spice(ground: Ground, node: str | None) -> Draft:
    nodes = ground.all("graphics")
    spices = tuple(one for one in nodes if one.get("type") == "spice")
    draft = going(ground, tuple(one for one in nodes if one not in spices[:1]))
    if spices:
        return draft + off_network(spices[0]) + Draft(_draws_on(spices[0], node, "yes"))
    attributes = (("enable", "yes"), *((("rendernode", node),) if node else ()))
    new = element("graphics", element("listen", type="none"), Element("gl", attributes), type="spice")
    return draft + Draft((ground.add(new),))
