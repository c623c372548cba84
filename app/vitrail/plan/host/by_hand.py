# SPDX-License-Identifier: GPL-3.0-or-later
"""The same change by hand, where this version does not write it: what to type, and what takes it back.

Commands are shown, never run: what the helper runs is its own table.
"""

from __future__ import annotations

import shlex

from vitrail.model.finding import BY_HAND, Evidence, Finding, Severity, Status
from vitrail.model.host_place import subject_path
from vitrail.model.host_step import ArgumentsByTool, ArgumentTool, HostChange, RunTool, Tool, WriteFile
from vitrail.model.kernel_argument import words_of
from vitrail.model.step import HostStep
from vitrail.model.text import Text, text
from vitrail.plan.host.need import Need

TOOL_COMMANDS: dict[Tool, str] = {
    Tool.UPDATE_INITRAMFS: "update-initramfs -u -k all",
    Tool.DRACUT: "dracut --force --regenerate-all",
    Tool.MKINITCPIO: "mkinitcpio -P",
    Tool.BOOSTER: "/usr/lib/booster/regenerate_images",
    Tool.UPDATE_GRUB: "update-grub",
    Tool.GRUB_MKCONFIG: "grub-mkconfig -o /boot/grub/grub.cfg",
    Tool.GRUB2_MKCONFIG: "grub2-mkconfig -o /boot/grub2/grub.cfg",
    Tool.KERNEL_INSTALL: "kernel-install add-all",
    Tool.SDBOOTUTIL: "sdbootutil update-all-entries",
    Tool.SDBOOTUTIL_IMAGES: "sdbootutil mkinitrd",
    Tool.SDBOOT_MANAGE: "sdboot-manage gen",
    Tool.LIMINE_UPDATE: "limine-update",
    Tool.PROXMOX_REFRESH: "proxmox-boot-tool refresh",
    Tool.UDEV_RULES: "udevadm control --reload; sudo udevadm trigger --subsystem-match=vfio",
}


def argument_commands(tool: ArgumentTool, words: tuple[str, ...]) -> tuple[str, str]:
    """What adds these words, and what takes them out again."""
    joined = " ".join(words)
    match tool:
        case ArgumentTool.GRUBBY:
            start = ("grubby", "--update-kernel=ALL")
            return shlex.join((*start, f"--args={joined}")), shlex.join((*start, f"--remove-args={joined}"))
        case ArgumentTool.KERNELSTUB:
            return shlex.join(("kernelstub", "-a", joined)), shlex.join(("kernelstub", "-d", joined))
        case ArgumentTool.RPM_OSTREE:
            add = (f"--append-if-missing={word}" for word in words)
            remove = (f"--delete-if-present={word}" for word in words)
            return shlex.join(("rpm-ostree", "kargs", *add)), shlex.join(("rpm-ostree", "kargs", *remove))


def by_hand(steps: tuple[HostStep, ...], why: Text) -> Finding:
    """What to do in place of steps that this version shows and does not write, in their order, and the way back."""
    changes = [step.change for step in steps]
    forth = [found[0] for change in changes if (found := _commands(change)) is not None]
    # Back in the order of the steps too: files first, then the programs that read them.
    back = [found[1] for change in changes if (found := _commands(change)) is not None]
    remedy = text("plan.host.by-hand.remedy")
    evidence = (*(Evidence("do", one) for one in forth), *(Evidence("undo", one) for one in back))
    return Finding(BY_HAND, Status.FAIL, Severity.WARNS, why, evidence, remedy)


def _commands(change: HostChange) -> tuple[str, str] | None:
    match change:
        case RunTool():
            command = f"sudo {TOOL_COMMANDS[change.tool]}"
            return command, command
        case ArgumentsByTool():
            add, remove = argument_commands(change.tool, words_of(change.arguments))
            return f"sudo {add}", f"sudo {remove}"
        case WriteFile():
            path = shlex.quote(f"/{subject_path(change)}")
            undo = f"sudo rm {path}" if change.before is None else f"sudoedit {path}"
            return f"sudoedit {path}", undo
    return None


def nix_snippet(need: Need) -> Finding:
    """NixOS is written by its owner alone: the lines for its configuration, to be pasted."""
    addresses = " ".join(str(one.address) for one in need.cards)
    words = " ".join(f'"{flag.value}"' for flag in need.flags)
    lines = [f"boot.kernelParams = [ {words} ];"] if words else []
    if addresses:
        lines.append('boot.initrd.kernelModules = [ "vfio_pci" "vfio_iommu_type1" ];')
        lines.append(
            "boot.initrd.preDeviceCommands = ''"
            f"for a in {addresses}; do echo vfio-pci > /sys/bus/pci/devices/$a/driver_override; done'';"
        )
    title, remedy = text("plan.host.nixos"), text("plan.host.nixos.remedy")
    evidence = tuple(Evidence("/etc/nixos/configuration.nix", line) for line in lines)
    return Finding(BY_HAND, Status.FAIL, Severity.BLOCKS, title, evidence, remedy)
