# SPDX-License-Identifier: GPL-3.0-or-later
"""A real systemd as the first process of namespaces of its own, over a copy of this system that nothing outlives.

It knows a handful of units and the guard's. /sys and /proc/sys cannot be written, and /dev has none of the devices.
Its restart is the end of the namespaces.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

SYSTEMD = shutil.which("systemd", path="/usr/lib/systemd:/lib/systemd")
_START_SECONDS = 40.0
_PLAIN = "[Unit]\nDefaultDependencies=no\n"
_SLEEPS = f"{_PLAIN}[Service]\nExecStart=/bin/sleep infinity\n"
_UNITS = {
    "graphical.target": f"{_PLAIN}Wants=multi-user.target other.service\nAfter=multi-user.target\n",
    "emergency.target": f"{_PLAIN}AllowIsolate=yes\nConflicts=shutdown.target\nWants=shell.service\n",
    "other.service": _SLEEPS,
    "shell.service": _SLEEPS,
    **dict.fromkeys(("multi-user.target", "rescue.target", "sysinit.target", "basic.target", "umount.target"), _PLAIN),
    "shutdown.target": f"{_PLAIN}RefuseManualStart=yes\n",
    "final.target": f"{_PLAIN}RefuseManualStart=yes\nAfter=shutdown.target umount.target\n",
    "reboot.target": f"{_PLAIN}Requires=systemd-reboot.service\nAfter=systemd-reboot.service\nAllowIsolate=yes\n",
    "systemd-reboot.service": f"{_PLAIN}Requires=shutdown.target umount.target final.target\n"
    "After=shutdown.target umount.target final.target\nSuccessAction=reboot-force\n"
    "[Service]\nType=oneshot\nExecStart=/bin/true\n",
}
_INNER = """\
set -eu
mount --make-rprivate /
mount -t tmpfs tmpfs "$BASE"
mkdir "$BASE/up" "$BASE/work" "$BASE/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$BASE/up,workdir=$BASE/work" "$BASE/root"
cd "$BASE/root"
mount -t proc proc proc
mount --bind proc/sys proc/sys
mount -o remount,ro,bind proc/sys
echo "root=/dev/vda $LINE" > command-line
mount --bind command-line proc/cmdline
mount -t sysfs -o ro sysfs sys
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs -o mode=755 tmpfs dev
mknod -m 666 dev/null c 1 3
mknod -m 666 dev/urandom c 1 9
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
    mount -t cgroup2 cgroup2 sys/fs/cgroup
else
    mount -t tmpfs -o mode=755 tmpfs sys/fs/cgroup
    mkdir sys/fs/cgroup/systemd
    mount -t cgroup -o none,name=systemd cgroup sys/fs/cgroup/systemd
fi
cp -r "$MADE/units" units
mkdir -p var/lib
rm -rf var/lib/vitrail
cp -r "$MADE/root/var/lib/vitrail" var/lib/vitrail
cp "$MADE/root/etc/systemd/system/vitrail-guard.service" units/
cp "$MADE/root/etc/systemd/system/vitrail-guard.service" etc/systemd/system/
mkdir before
pivot_root . before
umount -l /before
exec env -i container=vitrail PATH=/usr/sbin:/usr/bin:/sbin:/bin \\
    SYSTEMD_UNIT_PATH=/units:/run/systemd/generator:/run/systemd/generator.early \\
    "$SYSTEMD" --system --show-status=no --log-target=null $LINE
"""


class Booted:
    """One start. `run` is in there; when it restarts, it is gone."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        deadline = time.monotonic() + _START_SECONDS
        while not self.is_up():
            if process.poll() is not None or time.monotonic() > deadline:
                pytest.skip("systemd cannot be started in namespaces here")
            os.sched_yield()

    def _first(self) -> str | None:
        try:
            children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        except OSError:
            return None
        return children[0] if children else None

    def until(self, true: Callable[[], bool]) -> None:
        """Wait for it, as long as the system runs and it does not take too long."""
        deadline = time.monotonic() + _START_SECONDS
        while not true():
            assert self._process.poll() is None
            assert time.monotonic() < deadline
            os.sched_yield()

    def run(self, *vector: str) -> str:
        """What a program in there says."""
        first = self._first()
        if first is None:
            return ""
        enter = ("nsenter", "-t", first, "-m", "-p", "-u", "-i", "-n")
        done = subprocess.run((*enter, *vector), capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
        return done.stdout

    def is_up(self) -> bool:
        return self.run("systemctl", "is-active", "graphical.target").strip() == "active"

    def guard(self, *properties: str) -> dict[str, str]:
        """Properties of the guard's unit, as systemd has them."""
        said = self.run("systemctl", "show", f"--property={','.join(properties)}", "vitrail-guard.service")
        return dict(line.partition("=")[::2] for line in said.splitlines())

    def clock(self) -> dict[str, object]:
        """The guard's clock, {} for none."""
        words = self.run("cat", "/run/vitrail/guard.json")
        return json.loads(words) if words else {}

    def turn_clock(self, seconds: float) -> None:
        """Its deadline comes in so many seconds."""
        deadline = time.clock_gettime(time.CLOCK_BOOTTIME) + seconds
        clock = json.dumps(self.clock() | {"deadline_boottime": deadline})
        self.run("sh", "-c", f"echo '{clock}' > /run/vitrail/new && mv /run/vitrail/new /run/vitrail/guard.json")

    def has_ended(self, seconds: float = 60.0) -> bool:
        """Whether it restarts by then."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
        return self._process.poll() is not None


@contextlib.contextmanager
def booted(made: Path, line: str) -> Iterator[Booted]:
    """Start it with this command line; `made` holds `root`, a machine that a guarded plan was applied to."""
    if SYSTEMD is None or os.geteuid() != 0 or not shutil.which("unshare") or not shutil.which("nsenter"):
        pytest.skip("systemd cannot be started in namespaces here")
    units, base = made / "units", made / "base"
    for folder in (units, base):
        folder.mkdir(exist_ok=True)
    for name, words in _UNITS.items():
        (units / name).write_text(words)
    (units / "default.target").unlink(missing_ok=True)
    (units / "default.target").symlink_to("graphical.target")
    flags = ("--mount", "--pid", "--fork", "--kill-child", "--uts", "--ipc", "--net", "--cgroup")
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "BASE": str(base), "MADE": str(made), "LINE": line}
    with subprocess.Popen(
        ("unshare", *flags, "/bin/sh", "-c", _INNER),
        env=environment | {"SYSTEMD": SYSTEMD},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        try:
            yield Booted(process)
        finally:
            process.kill()
