# SPDX-License-Identifier: GPL-3.0-or-later
"""What the user wants for one VM: a closed union, one frozen class a mode.

A choice states the VM's whole graphics. Only modes that this version writes have settings; the others exist so that a
new one cannot be forgotten by any `match`.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import get_args

from vitrail.model.errors import Unreadable
from vitrail.model.mode import NEEDS_A_CARD, SETTINGS, Mode
from vitrail.model.pci import PciAddress
from vitrail.model.text import text


@dataclass(frozen=True, slots=True)
class Passthrough:
    """The whole card with all functions of its slot; the emulated screen stays until the guest's driver is proven."""

    gpu: PciAddress
    emulated_screen: str = "keep"
    hide_kvm: bool = False


@dataclass(frozen=True, slots=True)
class SingleGpu:
    """The host's only card, away while the VM runs."""

    gpu: PciAddress


@dataclass(frozen=True, slots=True)
class LookingGlass:
    """The whole card, its picture copied into a window here."""

    gpu: PciAddress


@dataclass(frozen=True, slots=True)
class Vgpu:
    """A share that NVIDIA's host driver cuts."""

    gpu: PciAddress


@dataclass(frozen=True, slots=True)
class Sriov:
    """A virtual function of a card."""

    gpu: PciAddress


@dataclass(frozen=True, slots=True)
class MigVgpu:
    """A vGPU on a slice that the hardware keeps apart."""

    gpu: PciAddress


@dataclass(frozen=True, slots=True)
class GvtG:
    """A share of an older Intel graphics, cut by the kernel."""

    gpu: PciAddress


@dataclass(frozen=True, slots=True)
class GvtD:
    """Intel's built-in graphics as a whole."""

    gpu: PciAddress


@dataclass(frozen=True, slots=True)
class Virtio:
    """The paravirtual screen, without 3D."""

    screen: str = "keep"


@dataclass(frozen=True, slots=True)
class Virgl:
    """OpenGL drawn by the host; `gpu` is the card that draws, None for the host's own pick."""

    gpu: PciAddress | None = None
    screen: str = "egl-headless"


@dataclass(frozen=True, slots=True)
class Venus:
    """Vulkan drawn by the host."""

    gpu: PciAddress | None = None


@dataclass(frozen=True, slots=True)
class NativeContext:
    """The host's own driver interface, offered to the guest."""

    gpu: PciAddress | None = None


@dataclass(frozen=True, slots=True)
class Qxl:
    """SPICE's own screen."""

    screen: str = "keep"


@dataclass(frozen=True, slots=True)
class Basic:
    """The plainest screen that this machine type has: vga, else bochs, else ramfb."""

    screen: str = "keep"


Choice = (
    Passthrough
    | SingleGpu
    | LookingGlass
    | Vgpu
    | Sriov
    | MigVgpu
    | GvtG
    | GvtD
    | Virtio
    | Virgl
    | Venus
    | NativeContext
    | Qxl
    | Basic
)

CHOICE_OF: dict[Mode, type[Choice]] = dict(
    zip(
        (
            Mode.PASSTHROUGH,
            Mode.SINGLE_GPU,
            Mode.LOOKING_GLASS,
            Mode.VGPU,
            Mode.SRIOV,
            Mode.MIG_VGPU,
            Mode.GVT_G,
            Mode.GVT_D,
            Mode.VIRTIO,
            Mode.VIRGL,
            Mode.VENUS,
            Mode.NATIVE_CONTEXT,
            Mode.QXL,
            Mode.BASIC,
        ),
        get_args(Choice),
        strict=True,
    )
)


def mode_of(choice: Choice) -> Mode:
    """The mode that this choice is of."""
    return next(mode for mode, kind in CHOICE_OF.items() if isinstance(choice, kind))


def gpu_of(choice: Choice) -> PciAddress | None:
    """The card that the choice names, None where the mode needs none or the user named none."""
    return getattr(choice, "gpu", None)


def make_choice(mode: Mode, gpu: PciAddress | None, settings: dict[str, str]) -> Choice:
    """Build the choice from the user's words. Raises Unreadable for an unknown key or value, or a missing card."""
    kind = CHOICE_OF[mode]
    known = {setting.key: setting for setting in SETTINGS.get(mode, ())}
    values: dict[str, object] = {}
    for key, words in settings.items():
        setting = known.get(key)
        if setting is None:
            known_keys = ", ".join(sorted(known)) or "-"
            raise Unreadable(
                text("choice.unknown-setting", key=key, mode=mode.value), text("choice.known-settings", keys=known_keys)
            )
        if words not in setting.values:
            allowed = ", ".join(setting.values)
            raise Unreadable(
                text("choice.bad-value", key=key, value=words), text("choice.known-values", values=allowed)
            )
        values[key] = words == "true" if setting.values == ("true", "false") else words
    if "gpu" in {field.name for field in fields(kind)}:
        if gpu is None and mode in NEEDS_A_CARD:
            raise Unreadable(text("choice.needs-card", mode=mode.value), text("choice.name-card"))
        values["gpu"] = gpu
    elif gpu is not None:
        raise Unreadable(text("choice.takes-no-card", mode=mode.value), text("choice.leave-out-card"))
    return kind(**values)  # type: ignore[arg-type]
