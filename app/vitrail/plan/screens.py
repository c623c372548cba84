# SPDX-License-Identifier: GPL-3.0-or-later
"""How an emulated display is seen: the VM's <graphics> elements, and the sound that travels with them.

libvirt refuses SPICE's channels, USB redirection and sound without a SPICE display. Those devices are the user's and
stay; so where they exist a SPICE display that should go stays too, taken off the network.
"""

from __future__ import annotations

from vitrail.model.finding import Evidence
from vitrail.model.text import text
from vitrail.plan.draft import Draft, Ground, warning
from vitrail.xmldoc.document import Node
from vitrail.xmldoc.edits import Edit, Element, Insert, Remove, SetAttribute, element

LOOPBACK = "127.0.0.1"
_HANG_ON_SPICE = ("channel", "redirdev", "smartcard", "serial", "parallel", "console")
_ADDRESSED = ("port", "tlsPort", "autoport", "listen", "websocket", "defaultMode")


def vnc() -> Element:
    """A VNC display that only this computer can reach."""
    listen = element("listen", type="address", address=LOOPBACK)
    return element("graphics", listen, type="vnc", port="-1", autoport="yes", listen=LOOPBACK)


def spice() -> Element:
    """A SPICE display that only this computer can reach."""
    listen = element("listen", type="address", address=LOOPBACK)
    return element("graphics", listen, type="spice", autoport="yes", listen=LOOPBACK)


def seen_by(ground: Ground, screen: str) -> Draft:
    """Make an emulated display without 3D visible: `keep` the ways there are, or only by `vnc`, or only by `spice`."""
    nodes = ground.all("graphics")
    if screen == "keep":
        staying = tuple(node for node in nodes if node.get("type") != "egl-headless")
    else:
        staying = tuple(node for node in nodes if node.get("type") == screen)
    draft = without_gl(staying) + going(ground, tuple(node for node in nodes if node not in staying))
    if not staying:
        draft += Draft(edits=(ground.add(spice() if screen == "spice" else vnc()),))
    return draft


def without_gl(nodes: tuple[Node, ...]) -> Draft:
    """Turn OpenGL off on these displays."""
    gl = (one for node in nodes for one in node.all("gl") if one.get("enable") == "yes")
    return Draft(edits=tuple(Remove(one.path) for one in gl))


def going(ground: Ground, nodes: tuple[Node, ...]) -> Draft:
    """Take these displays away, and whatever libvirt refuses without them."""
    spices = [node for node in nodes if node.get("type") == "spice"]
    remain = any(node.get("type") == "spice" and node not in nodes for node in ground.all("graphics"))
    draft = Draft(edits=tuple(Remove(node.path) for node in nodes if node not in spices))
    if not spices:
        return draft
    hanging = hang_on_spice(ground)
    if hanging and not remain:
        return draft + off_network(spices[0]) + without_gl((spices[0],)) + _kept_for(hanging)
    draft += Draft(edits=tuple(Remove(node.path) for node in spices))
    return draft if remain else draft + _silent(ground)


def hang_on_spice(ground: Ground) -> tuple[Node, ...]:
    """Devices that libvirt defines only beside a SPICE display."""
    return tuple(
        node for tag in _HANG_ON_SPICE for node in ground.all(tag) if node.get("type") in ("spicevmc", "spiceport")
    )


def _kept_for(hanging: tuple[Node, ...]) -> Draft:
    evidence = tuple(Evidence(f"domain/devices/{node.tag}", node.get("type") or "") for node in hanging)
    title = text("plan.spice-kept", count=len(hanging))
    return Draft(findings=(warning("plan.spice-kept", title, text("plan.spice-kept.remedy"), *evidence),))


def _silent(ground: Ground) -> Draft:
    spoken = [node for node in ground.all("audio") if node.get("type") == "spice"]
    if not spoken:
        return Draft()
    edits = tuple(SetAttribute(node.path, "type", "none") for node in spoken)
    evidence = Evidence("domain/devices/audio", "spice")
    finding = warning("plan.sound-gone", text("plan.sound-gone"), text("plan.sound-gone.remedy"), evidence)
    return Draft(edits, (finding,))


def off_network(node: Node) -> Draft:
    """Leave a SPICE display reachable through libvirt only, as OpenGL needs it; a socket stays a socket."""
    listens = node.all("listen")
    if listens and all(listen.get("type") in ("none", "socket") for listen in listens):
        return Draft()
    edits: list[Edit] = [SetAttribute(node.path, name, None) for name in _ADDRESSED if node.get(name) is not None]
    edits += [Remove(listen.path) for listen in listens]
    # In front, as libvirt writes it.
    edits.append(Insert(node.path, None, element("listen", type="none")))
    return Draft(tuple(edits))
