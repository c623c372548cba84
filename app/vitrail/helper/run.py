# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs that the helper starts: argument vectors that stand in the code, a clean environment, and limits.

A program works in the tree it is for: on another root it is started inside it. It inherits the helper's lock, so when
the helper is killed nobody else starts before the program has ended.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import selectors
import signal
import stat
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

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
_CORE_ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LC_ALL": "C.UTF-8"}
_PIECE = 256 * 1024


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
    Tool.SDBOOTUTIL_IMAGES: _Program(("sdbootutil",), ("mkinitrd",), _SLOW),
    Tool.SDBOOT_MANAGE: _Program(("sdboot-manage",), ("gen",)),
    Tool.LIMINE_UPDATE: _Program(("limine-update", "limine-mkinitcpio"), (), _SLOW),
    Tool.PROXMOX_REFRESH: _Program(("proxmox-boot-tool",), ("refresh",), _SLOW),
    Tool.UDEV_RULES: _Program(("udevadm",)),
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


_UDEV_CALLS = (("control", "--reload"), ("trigger", "--subsystem-match=vfio"))


class SystemTool(Enum):
    """Questions and orders to the running system itself; the guard's, and none of a plan's."""

    TARGETS = auto()
    """How far this start has come."""
    RESTART = auto()
    ROOT_WRITABLE = auto()
    MOUNT_ALL = auto()
    """What a start that went wrong has not mounted."""
    KERNEL_LOG_1 = auto()
    """The kernel's lines of the boot before this one, and of those before that."""
    KERNEL_LOG_2 = auto()
    KERNEL_LOG_3 = auto()


_BRIEF = 10.0
_LOG = ("--quiet", "--no-pager", "--dmesg", "--output=json", "--output-fields=MESSAGE,PRIORITY,_BOOT_ID")
_SYSTEM: dict[SystemTool, _Program] = {
    SystemTool.TARGETS: _Program(
        ("systemctl",), ("show", "--property=Id,ActiveState,Job", "graphical.target", "multi-user.target"), _BRIEF
    ),
    SystemTool.RESTART: _Program(("systemctl",), ("--no-block", "reboot"), _BRIEF * 3),
    SystemTool.ROOT_WRITABLE: _Program(("mount",), ("-o", "remount,rw", "/"), _BRIEF * 3),
    SystemTool.MOUNT_ALL: _Program(("mount",), ("--all", "--test-opts", "no_netdev"), _BRIEF * 3),
    SystemTool.KERNEL_LOG_1: _Program(("journalctl",), (*_LOG, "--boot=-1"), _BRIEF),
    SystemTool.KERNEL_LOG_2: _Program(("journalctl",), (*_LOG, "--boot=-2"), _BRIEF),
    SystemTool.KERNEL_LOG_3: _Program(("journalctl",), (*_LOG, "--boot=-3"), _BRIEF),
}


def start_core(vector: tuple[str, ...], request: int, answer: int, progress: int = -1) -> subprocess.Popen[bytes]:
    """The core: it reads what is asked from one descriptor, answers on another and tells its steps on the third.

    Whoever starts it sets the time, because only they know what it does. Raises Refusal.
    """
    try:
        return subprocess.Popen(  # noqa: S603 - the bus door's own start, no word of the caller's
            vector if progress < 0 else (*vector, "--progress", str(progress)),
            stdin=request,
            stdout=answer,
            env=_CORE_ENVIRONMENT,
            cwd="/",
            start_new_session=True,
            pass_fds=() if progress < 0 else (progress,),
        )
    except OSError as error:
        raise Refusal(Kind.CORE_MISSING) from error


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
    if tool is Tool.KERNEL_INSTALL and not _kernels(tree):
        raise Refusal(Kind.UNREAD, what="kernels")


def run_tool(tree: Tree, tool: Tool, lock: int) -> Ran:
    """Run it over everything it looks after."""
    program = _TOOLS[tool]
    path = _find(tree, program)
    ran = Ran(0, b"")
    for arguments in _calls(tree, tool):
        ran = _run(tree, (path, *arguments), program.seconds, lock)
        if not ran.well:
            break
    return ran


def _calls(tree: Tree, tool: Tool) -> tuple[tuple[str, ...], ...]:
    """With which arguments it is started, one call after the other."""
    match tool:
        case Tool.KERNEL_INSTALL:
            return _kernels(tree)
        case Tool.UDEV_RULES:
            return _UDEV_CALLS
    return (_TOOLS[tool].arguments,)


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


def ask_system(tree: Tree, tool: SystemTool) -> Ran:
    """Ask or tell the running system. Raises Refusal where its program is missing."""
    program = _SYSTEM[tool]
    return _run(tree, (_find(tree, program), *program.arguments), program.seconds, -1, keep=_LISTING_OUTPUT)


def _language(tree: Tree) -> str:
    """The system's own: menus hold translated titles, and a default entry can be chosen by its title."""
    found = (_LANGUAGE.search(tree.words(path) or "") for path in _LANGUAGE_FILES)
    return next((match[1] for match in found if match is not None), "C.UTF-8")


def run_program(tree: Tree, name: str, *arguments: str, lock: int = -1) -> Ran:
    """Run a program that ends soon, by its name. Raises Refusal where it is missing."""
    return _run(tree, (_find(tree, _Program((name,))), *arguments), _FAST, lock)


def demand_program(tree: Tree, name: str) -> None:
    """Nothing, where this program is there. Raises Refusal."""
    _find(tree, _Program((name,)))


def pass_through(tree: Tree, vector: tuple[str, ...], source: int, sink: Callable[[bytes], None]) -> None:
    """Everything that a program makes of what can be read from this descriptor. Raises Refusal, OSError."""
    path = _find(tree, _Program(vector[:1]))
    process = _started(tree, (path, *vector[1:]), -1, source, subprocess.DEVNULL)
    with process:
        try:
            while process.stdout is not None and (piece := process.stdout.read(_PIECE)):
                sink(piece)
        except BaseException:
            process.kill()
            raise
    if process.returncode != 0:
        raise OSError(errno.EIO, vector[0])


def _run(tree: Tree, vector: tuple[str, ...], seconds: float, lock: int, keep: int = _KEPT_OUTPUT) -> Ran:
    with _started(tree, vector, lock, subprocess.DEVNULL, subprocess.STDOUT) as process:
        return _watch(process, time.monotonic() + seconds, keep)


def _started(tree: Tree, vector: tuple[str, ...], lock: int, source: int, errors: int) -> subprocess.Popen[bytes]:
    def enter() -> None:
        os.umask(0o022)
        os.fchdir(tree.descriptor)
        if not tree.is_machine:
            os.chroot(".")

    try:
        return subprocess.Popen(  # noqa: S603 - the vectors stand in the code
            vector,
            stdin=source,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=_ENVIRONMENT | {"LANG": _language(tree)},
            start_new_session=True,
            pass_fds=(lock,) if lock >= 0 else (),
            preexec_fn=enter,  # noqa: PLW1509 - the helper has one thread
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise Refusal(Kind.TOOL_MISSING, tool=vector[0], reason=type(error).__name__) from error


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
