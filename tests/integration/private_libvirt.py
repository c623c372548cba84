# SPDX-License-Identifier: GPL-3.0-or-later
"""A libvirtd of a test's own: real daemons in a private mount namespace, with folders and socket in a temporary one."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

_START = """
set -e
B=$1
for pair in etc:/etc/libvirt run:/run/libvirt lib:/var/lib/libvirt log:/var/log/libvirt cache:/var/cache/libvirt; do
  mkdir -p "$B/${pair%%:*}" "${pair#*:}"
  mount --bind "$B/${pair%%:*}" "${pair#*:}"
done
virtlogd -p "$B/virtlogd.pid" </dev/null >"$B/virtlogd.out" 2>&1 &
echo $! >"$B/virtlogd.started"
exec libvirtd -p "$B/libvirtd.pid"
"""
_QEMU_CONF = 'security_driver = "none"\nuser = "root"\ngroup = "root"\nremember_owner = 0\n'
_LIBVIRTD_CONF = 'auth_unix_rw = "none"\n'
_START_SECONDS = 30


class PrivateLibvirt:
    """Start, stop, pause and restart; domains survive a restart as on a real machine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.socket = folder / "run" / "libvirt-sock"
        self.uri = f"qemu:///system?socket={self.socket}"
        self._daemon: subprocess.Popen[bytes] | None = None
        (folder / "etc").mkdir(parents=True)
        (folder / "etc" / "qemu.conf").write_text(_QEMU_CONF)
        (folder / "etc" / "libvirtd.conf").write_text(_LIBVIRTD_CONF)

    def start(self) -> None:
        """Start both daemons and wait until libvirt's socket answers."""
        for program in ("unshare", "libvirtd", "virtlogd"):
            assert shutil.which(program), f"{program} is missing: install libvirt-daemon-system and qemu-system-x86"
        self.socket.unlink(missing_ok=True)
        with (self.folder / "libvirtd.out").open("ab") as output:
            self._daemon = subprocess.Popen(
                ["unshare", "--mount", "bash", "-c", _START, "start", str(self.folder)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        deadline = time.monotonic() + _START_SECONDS
        while not self.socket.exists():
            assert self._daemon.poll() is None, (self.folder / "libvirtd.out").read_text()
            assert time.monotonic() < deadline, "libvirtd made no socket"
            time.sleep(0.02)

    def stop(self) -> None:
        """End both by their process ids."""
        if self._daemon is not None:
            self.resume()
            self._daemon.terminate()
            try:
                self._daemon.wait(20)
            except subprocess.TimeoutExpired:
                self._daemon.kill()
                self._daemon.wait()
            self._daemon = None
        note = self.folder / "virtlogd.started"
        if note.exists():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(note.read_text()), signal.SIGTERM)
            note.unlink()

    @property
    def pid(self) -> int:
        """The process id of libvirtd."""
        assert self._daemon is not None
        return self._daemon.pid

    def pause(self) -> None:
        """Make the daemon hang: it keeps its sockets and answers nothing."""
        assert self._daemon is not None
        self._daemon.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        assert self._daemon is not None
        self._daemon.send_signal(signal.SIGCONT)
