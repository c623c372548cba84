# SPDX-License-Identifier: GPL-3.0-or-later
"""The window with 1,000 VMs beside virt-manager: same libvirt test file, same virtual display, one after the other.

Time: for virt-manager until its window is there, which flatters it; for Vitrail until its picture no longer changes,
which does not. Memory is the resident set after 12 seconds, idle processor time that of the last six of them.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from timing import as_installed, report

DOMAINS = 1000
WATCHED_S = 12.0
WARMED_S = 5.0
ROUNDS = 2
IDLE_FROM_S = 6.0
_TICKS = os.sysconf("SC_CLK_TCK")

DOMAIN = """<domain type='test'><name>vm{n:04}</name>
<uuid>5d1f0000-0000-4000-8000-{n:012x}</uuid><memory>1048576</memory>
<vcpu>2</vcpu><os><type arch='x86_64'>hvm</type></os><devices><graphics type='vnc'/>
<video><model type='virtio'/></video></devices></domain>"""


@dataclass
class Seen:
    """What one program did: seconds to its window and to its last change, MiB resident, idle CPU seconds."""

    window_s: float
    still_s: float
    resident_mib: float
    idle_cpu_s: float


def measure_window() -> bool:
    """Print the three ratios; True when all are within their budgets."""
    missing = [
        name for name in ("Xvfb", "openbox", "xdotool", "dbus-run-session", "virt-manager") if not shutil.which(name)
    ]
    if missing:
        print(f"window: not measured, these programs are missing: {', '.join(missing)}")
        return False
    with tempfile.TemporaryDirectory() as place:
        domains = Path(place) / "domains.xml"
        domains.write_text("<node>" + "".join(DOMAIN.format(n=n) for n in range(DOMAINS)) + "</node>", encoding="utf-8")
        uri, environment = f"test://{domains}", as_installed(f"{place}/compiled")
        vitrail = [str(Path(sys.executable).with_name("vitrail")), "--connect", uri]
        manager = ["virt-manager", "--no-fork", "-c", uri]
        # The first round warms the caches of both sides.
        rounds = [
            (
                _watch(vitrail, "Vitrail|This computer|test", environment, seconds),
                _watch(manager, "Virtual Machine Manager", environment, seconds),
            )
            for seconds in (WARMED_S, *(WATCHED_S,) * ROUNDS)
        ][1:]
        ours, theirs = (_best(side) for side in zip(*rounds, strict=True))
    kept = [
        report(f"window with {DOMAINS} VMs, filled", ours.still_s, theirs.window_s, 0.25),
        report("memory", ours.resident_mib, theirs.resident_mib, 0.6, "MiB"),
        report("processor time of six idle seconds", ours.idle_cpu_s, max(theirs.idle_cpu_s, 0.01), 0.2),
    ]
    print(f"  (Vitrail's window was there, not yet filled, after {ours.window_s:.3f} s)")
    return all(kept)


@contextmanager
def _display(folder: Path) -> Iterator[tuple[str, Path]]:
    """A virtual display with a window manager; its frame buffer is a file, so looking costs it nothing."""
    reader, writer = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writer), "-screen", "0", "1440x1000x24", "-fbdir", str(folder), "-nolisten", "tcp"],
        pass_fds=(writer,),
        stderr=subprocess.DEVNULL,
    )
    os.close(writer)
    display = ":" + os.read(reader, 16).decode().strip()
    wm = subprocess.Popen(["openbox"], env={**os.environ, "DISPLAY": display}, stderr=subprocess.DEVNULL)
    try:
        yield display, folder / "Xvfb_screen0"
    finally:
        for process in (wm, server):
            process.terminate()
            process.wait()
        os.close(reader)


def _best(seen: Iterable[Seen]) -> Seen:
    """Of each figure the lowest: what disturbs a program only ever raises it."""
    rounds = tuple(seen)
    return Seen(
        min(one.window_s for one in rounds),
        min(one.still_s for one in rounds),
        min(one.resident_mib for one in rounds),
        min(one.idle_cpu_s for one in rounds),
    )


def _watch(command: list[str], title: str, environment: dict[str, str], seconds: float) -> Seen:
    """Start it as for the first time: on a display and in a home where nothing was before."""
    with tempfile.TemporaryDirectory() as home, _display(Path(home)) as (display, picture):
        there = {"HOME": home, "XDG_RUNTIME_DIR": home, "DISPLAY": display, "QT_QPA_PLATFORM": "xcb"}
        return _watch_on(picture, command, title, environment | there, seconds)


def _watch_on(picture: Path, command: list[str], title: str, environment: dict[str, str], seconds: float) -> Seen:
    begun = time.monotonic()
    process = subprocess.Popen(
        ["dbus-run-session", "--", *command],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    window = still = idle_at = 0.0
    last = None
    while (now := time.monotonic() - begun) < seconds:
        seen = zlib.crc32(picture.read_bytes())
        if seen != last:
            last, still = seen, now
            # Asked only then: whoever looks takes time from those who are looked at.
            if not window and _is_shown(title, environment):
                window = now
        if not idle_at and now >= IDLE_FROM_S:
            idle_at = _cpu_of(process.pid)
        time.sleep(0.02)
    ended = Seen(window, still, _resident_of(process.pid), _cpu_of(process.pid) - idle_at)
    os.killpg(process.pid, signal.SIGTERM)
    process.wait()
    return ended


def _is_shown(title: str, environment: dict[str, str]) -> bool:
    found = subprocess.run(
        ["xdotool", "search", "--onlyvisible", "--name", title], env=environment, capture_output=True, check=False
    )
    return bool(found.stdout.strip())


def _family(pid: int) -> list[int]:
    """The process and all that it started; dbus-run-session and the bus weigh alike on both sides."""
    found = [pid]
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        found += [member for child in task.read_text().split() for member in _family(int(child))]
    return found


def _cpu_of(pid: int) -> float:
    fields = [Path(f"/proc/{member}/stat").read_text().rpartition(")")[2].split() for member in _family(pid)]
    return sum(int(field[11]) + int(field[12]) for field in fields) / _TICKS


def _resident_of(pid: int) -> float:
    pages = [int(Path(f"/proc/{member}/statm").read_text().split()[1]) for member in _family(pid)]
    return sum(pages) * os.sysconf("SC_PAGE_SIZE") / 1048576
