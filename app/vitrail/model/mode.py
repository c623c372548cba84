# SPDX-License-Identifier: GPL-3.0-or-later
"""The ways in which a VM can get graphics, and what each lets the user set."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from vitrail.model.text import Text, text


class Mode(StrEnum):
    """The command line's names; also those of `graphics[].mode` in its JSON."""

    PASSTHROUGH = "passthrough"
    SINGLE_GPU = "single-gpu"
    LOOKING_GLASS = "looking-glass"
    VGPU = "vgpu"
    SRIOV = "sriov"
    MIG_VGPU = "mig-vgpu"
    GVT_G = "gvt-g"
    GVT_D = "gvt-d"
    VIRTIO = "virtio"
    VIRGL = "virgl"
    VENUS = "venus"
    NATIVE_CONTEXT = "native-context"
    QXL = "qxl"
    BASIC = "basic"


def mode_name(mode: str) -> Text:
    """A mode in plain words with its term in brackets; `mode` is the command line's name."""
    return text(f"mode.{mode}")


WRITTEN_BY_THIS_VERSION = frozenset({Mode.PASSTHROUGH, Mode.VIRTIO, Mode.VIRGL, Mode.QXL, Mode.BASIC})

NEEDS_A_CARD = frozenset(
    {
        Mode.PASSTHROUGH,
        Mode.SINGLE_GPU,
        Mode.LOOKING_GLASS,
        Mode.VGPU,
        Mode.SRIOV,
        Mode.MIG_VGPU,
        Mode.GVT_G,
        Mode.GVT_D,
    }
)
"""Modes that take a card or a part of one; the rest draw on the host, virgl and its kin on a card if told which."""

DRAWS_ON_A_CARD = frozenset({Mode.VIRGL, Mode.VENUS, Mode.NATIVE_CONTEXT})


class SettingType(StrEnum):
    """How a setting's words are read."""

    CHOICE = "choice"
    BOOLEAN = "boolean"


@dataclass(frozen=True, slots=True)
class Setting:
    """One `--set KEY=VALUE` of a mode: the values that it may have (words) and the one taken when it is not set."""

    key: str
    type: SettingType
    values: tuple[str, ...]
    default: str


_BOOLEAN = ("true", "false")
SCREEN = Setting("screen", SettingType.CHOICE, ("keep", "vnc", "spice"), "keep")
"""How the virtual screen is seen: as now (VNC on loopback where there is nothing), by VNC, by SPICE."""

SETTINGS: dict[Mode, tuple[Setting, ...]] = {
    Mode.VIRTIO: (SCREEN,),
    Mode.QXL: (SCREEN,),
    Mode.BASIC: (SCREEN,),
    Mode.VIRGL: (Setting("screen", SettingType.CHOICE, ("egl-headless", "spice"), "egl-headless"),),
    Mode.PASSTHROUGH: (
        Setting("emulated_screen", SettingType.CHOICE, ("keep", "drop"), "keep"),
        Setting("hide_kvm", SettingType.BOOLEAN, _BOOLEAN, "false"),
    ),
}
"""Modes that are not listed have nothing to set in this version."""
