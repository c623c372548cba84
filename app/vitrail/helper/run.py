# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs that the helper starts: the only argument vectors there are, a clean environment, and limits.

A program works in the tree it is for: on another root it is started inside it. It inherits the helper's lock, so when
the helper is killed nobody else starts before the program has ended.
"""

from __future__ import annotations

import contextlib
import os
import re
import selectors
import signal
import stat
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass

from vitrail.helper.tree import Tree
from vitrail.model.host_step import ArgumentTool, Tool
from vitrail.model.host_wire import Kind, Refusal

_ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LVM_SUPPRESS_FD_WARNINGS": "1"}
_LANGUAGE_FILES = ("etc/locale.conf", "etc/default/locale")
_LANGUAGE = re.compile(r"""^LANG=["']?([A-Za-z0-9_.@-]{1,40})["']?$""", re.MULTILINE | re.ASCII)
_KEPT_OUTPUT = 4096
_MAX_OUTPUT = 16 * 1024 * 1024
_LISTING_OUTPUT = 8 * 1024 * 1024
_GRACE_SECONDS = 3.0
_FAST, _SLOW = 120.0, 1800.0
_STUCK = -1000


@dataclass(frozen=True, slots=True)
class Ran:
    """How a program ended: its status (negative: a signal), and the end of what it said."""

    status: int
    output: bytes
    too_long: bool = False

    @property
    def well(self) -> bool:
        """Whether it said that it did its work."""
        return self.status == 0 and not self.too_long


@dataclass(frozen=True, slots=True)
class _Program:
    names: tuple[str, ...]
    arguments: tuple[str, ...] = ()
    seconds: float = _FAST


_BINARIES = ("usr/sbin", "usr/bin", "sbin", "bin")
_TOOLS: dict[Tool, _Program] = {
    Tool.UPDATE_INITRAMFS: _Program(("update-initramfs",), ("-u", "-k", "all"), _SLOW),
    Tool.DRACUT: _Program(("dracut",), ("--force", "--regenerate-all"), _SLOW),
    Tool.MKINITCPIO: _Program(("mkinitcpio",), ("-P",), _SLOW),
    Tool.BOOSTER: _Program(("usr/lib/booster/regenerate_images",), (), _SLOW),
    Tool.UPDATE_GRUB: _Program(("update-grub",), (), _FAST * 5),
    Tool.GRUB_MKCONFIG: _Program(("grub-mkconfig",), ("-o", "/boot/grub/grub.cfg"), _FAST * 5),
    Tool.GRUB2_MKCONFIG: _Program(("grub2-mkconfig",), ("-o", "/boot/grub2/grub.cfg"), _FAST * 5),
    Tool.KERNEL_INSTALL: _Program(("kernel-install",), (), _SLOW),
    Tool.SDBOOTUTIL: _Program(("sdbootutil",), ("update-all-entries",), _SLOW),
    Tool.SDBOOT_MANAGE: _Program(("sdboot-manage",), ("gen",)),
    Tool.LIMINE_UPDATE: _Program(("limine-update", "limine-mkinitcpio"), (), _SLOW),
    Tool.PROXMOX_REFRESH: _Program(("proxmox-boot-tool",), ("refresh",), _SLOW),
}
_ADD: dict[ArgumentTool, tuple[_Program, Callable[[str], tuple[str, ...]]]] = {
    ArgumentTool.GRUBBY: (_Program(("grubby",)), lambda words: ("--update-kernel=ALL", f"--args={words}")),
    ArgumentTool.KERNELSTUB: (_Program(("kernelstub",), (), _FAST * 5), lambda words: ("-a", words)),
    ArgumentTool.RPM_OSTREE: (
        _Program(("rpm-ostree",), (), _SLOW),
        lambda words: ("kargs", *(f"--append-if-missing={word}" for word in words.split())),
    ),
}
_REMOVE: dict[ArgumentTool, Callable[[str], tuple[str, ...]]] = {
    ArgumentTool.GRUBBY: lambda words: ("--update-kernel=ALL", f"--remove-args={words}"),
    ArgumentTool.KERNELSTUB: lambda words: ("-d", words),
    ArgumentTool.RPM_OSTREE: lambda words: (
        "kargs",
        *(f"--delete-if-present={word}" for word in words.split()),
    ),
}
_LIST: dict[ArgumentTool, tuple[str, ...]] = {
    ArgumentTool.GRUBBY: ("--info=ALL",),
    ArgumentTool.KERNELSTUB: ("-p",),
    ArgumentTool.RPM_OSTREE: ("kargs",),
}
_IMAGE_LISTING: dict[Tool, _Program] = {
    Tool.UPDATE_INITRAMFS: _Program(("lsinitramfs",)),
    Tool.DRACUT: _Program(("lsinitrd",)),
    Tool.MKINITCPIO: _Program(("lsinitcpio",)),
    Tool.BOOSTER: _Program(("booster",), ("ls",)),
}


def _find(tree: Tree, program: _Program) -> str:
    """The program's path inside the tree. Raises Refusal where it is missing, or where others may write it."""
    for name in program.names:
        for path in (name,) if "/" in name else tuple(f"{folder}/{name}" for folder in _BINARIES):
            try:
                target = tree.resolve(path)
                with tree.parent(target) as (above, last):
                    status = os.stat(last, dir_fd=above, follow_symlinks=False)
            except OSError:
                continue
            safe = not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH) and status.st_uid in (0, os.geteuid())
            if stat.S_ISREG(status.st_mode) and status.st_mode & stat.S_IXUSR and safe:
                return f"/{path}"
    raise Refusal(Kind.TOOL_MISSING, tool=program.names[0])


def demand(tree: Tree, tool: Tool | ArgumentTool) -> None:
    """Nothing, where everything that this tool needs is there. Raises Refusal."""
    if isinstance(tool, ArgumentTool):
        _find(tree, _ADD[tool][0])
        return
    _find(tree, _TOOLS[tool])
    if tool in _IMAGE_LISTING:
        _find(tree, _IMAGE_LISTING[tool])
    if tool is Tool.KERNEL_INSTALL and not _kernels(tree):
        raise Refusal(Kind.UNREAD, what="kernels")


def run_tool(tree: Tree, tool: Tool, lock: int) -> Ran:
    """Run it over everything it looks after."""
    program = _TOOLS[tool]
    path = _find(tree, program)
    vectors = _kernels(tree) if tool is Tool.KERNEL_INSTALL else (program.arguments,)
    ran = Ran(0, b"")
    for arguments in vectors:
        ran = _run(tree, (path, *arguments), program.seconds, lock)
        if not ran.well:
            break
    return ran


def _kernels(tree: Tree) -> tuple[tuple[str, ...], ...]:
    """kernel-install's arguments for every kernel that is installed."""
    found = []
    for version in tree.names("lib/modules"):
        for image in (f"lib/modules/{version}/vmlinuz", f"boot/vmlinuz-{version}"):
            if _is_file(tree, image):
                initrd = f"boot/initrd.img-{version}"
                extra = (f"/{initrd}",) if _is_file(tree, initrd) else ()
                found.append(("add", version, f"/{image}", *extra))
                break
    return tuple(found)


def _is_file(tree: Tree, path: str) -> bool:
    try:
        tree.fact(path, 1)
    except (OSError, Refusal):
        return False
    return True


def change_arguments(tree: Tree, tool: ArgumentTool, words: tuple[str, ...], lock: int, *, add: bool) -> Ran:
    """Add or remove words through the program that owns the line."""
    program, arguments = _ADD[tool]
    vector = (arguments if add else _REMOVE[tool])(" ".join(words))
    return _run(tree, (_find(tree, program), *vector), program.seconds, lock)


def list_arguments(tree: Tree, tool: ArgumentTool) -> bytes | None:
    """What the program says the line is, None where it does not."""
    program, _ = _ADD[tool]
    ran = _run(tree, (_find(tree, program), *_LIST[tool]), _FAST, -1, keep=_LISTING_OUTPUT)
    return ran.output if ran.well else None


def list_image(tree: Tree, tool: Tool, image: str) -> bytes | None:
    """The names in an initramfs, None where it cannot be listed."""
    program = _IMAGE_LISTING[tool]
    vector = (_find(tree, program), *program.arguments, f"/{image}")
    ran = _run(tree, vector, _FAST, -1, keep=_LISTING_OUTPUT)
    return ran.output if ran.well else None


def _language(tree: Tree) -> str:
    """The system's own: menus hold translated titles, and a default entry can be chosen by its title."""
    found = (_LANGUAGE.search(tree.words(path) or "") for path in _LANGUAGE_FILES)
    return next((match[1] for match in found if match is not None), "C.UTF-8")


def _run(tree: Tree, vector: tuple[str, ...], seconds: float, lock: int, keep: int = _KEPT_OUTPUT) -> Ran:
    def enter() -> None:
        os.umask(0o022)
        os.fchdir(tree.descriptor)
        if not tree.is_machine:
            os.chroot(".")

    try:
        process = subprocess.Popen(  # noqa: S603 - the vectors stand above
            vector,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=_ENVIRONMENT | {"LANG": _language(tree)},
            start_new_session=True,
            pass_fds=(lock,) if lock >= 0 else (),
            preexec_fn=enter,  # noqa: PLW1509 - the helper has one thread
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise Refusal(Kind.TOOL_MISSING, tool=vector[0], reason=type(error).__name__) from error
    with process:
        return _watch(process, time.monotonic() + seconds, keep)


def _watch(process: subprocess.Popen[bytes], deadline: float, keep: int) -> Ran:
    """Read what it says until it ends, its time is over, or it says too much; then nothing of its group is left."""
    output, size, too_long = b"", 0, False
    out = process.stdout.fileno() if process.stdout is not None else -1
    ended = os.pidfd_open(process.pid)
    os.set_blocking(out, False)
    try:
        with selectors.DefaultSelector() as selector:
            selector.register(out, selectors.EVENT_READ)
            selector.register(ended, selectors.EVENT_READ)
            while not too_long:
                ready = {key.fd for key, _ in selector.select(max(0.0, deadline - time.monotonic()))}
                piece = _piece(out) if out in ready else None
                if piece == b"":
                    selector.unregister(out)
                if piece:
                    size += len(piece)
                    output = (output + piece)[-keep:]
                elif ended in ready:
                    break
                too_long = size > _MAX_OUTPUT or time.monotonic() > deadline
    finally:
        os.close(ended)
    if too_long:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    try:
        status = process.wait(_GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        status = _STUCK
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    return Ran(status, output, too_long)


def _piece(descriptor: int) -> bytes | None:
    try:
        return os.read(descriptor, 65536)
    except BlockingIOError:
        return None
