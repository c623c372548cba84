# SPDX-License-Identifier: GPL-3.0-or-later
"""A system of a test's own in a mount namespace: the real dbus-daemon with Debian's configuration, polkitd, the door.

/etc, /usr and /var/lib are overlays and /run is a folder of the test's, so nothing of the machine is touched; from
outside, the bus is a socket in that folder, and the files are seen through /proc.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

ALLOWED, FORBIDDEN, ELSEWHERE, SEATED, SWITCHED_AWAY = "games", "news", "nobody", "irc", "uucp"
"""Users of the machine: polkit's rules let the first do everything and the second nothing; the others have none."""

_START = """
set -e
B=$1
mkdir -p "$B/layers"; mount -t tmpfs tmpfs "$B/layers"
for place in /etc /usr /var/lib; do
  l="$B/layers/$(echo $place | tr / _)"; mkdir -p "$l/upper" "$l/work"
  mount -t overlay overlay -o "lowerdir=$place,upperdir=$l/upper,workdir=$l/work" "$place"
done
mkdir -p "$B/run"; mount --bind "$B/run" /run
mkdir -p /run/dbus /run/systemd/seats /run/systemd/sessions /run/systemd/users /run/systemd/machines
seat() {
  uid=$(id -u "$1"); echo "DISPLAY=$2" >/run/systemd/users/$uid
  printf 'UID=%s\\nUSER=%s\\nACTIVE=%s\\nSTATE=%s\\nREMOTE=0\\nTYPE=x11\\nCLASS=user\\nSEAT=seat0\\n' \
    "$uid" "$1" "$3" "$4" >/run/systemd/sessions/$2
}
seat irc c1 1 active; seat uucp c2 0 online
chmod -R go-w /usr/local
mkdir -p /etc/polkit-1/rules.d
cat >/etc/polkit-1/rules.d/10-test.rules <<'R'
polkit.addRule(function(action, subject) {
  if (action.id.indexOf("org.vitrail.helper1.") == 0 || action.id == "org.freedesktop.policykit.exec") {
    if (subject.user == "games") return polkit.Result.YES;
    if (subject.user == "news") return polkit.Result.NO;
  }
});
R
# Root's messages pass the bus whatever they are, so that the door itself meets them.
cat >/etc/dbus-1/system.d/zz-test.conf <<'P'
<busconfig><policy user="root"><allow send_destination="org.vitrail.Helper1"/></policy></busconfig>
P
exec dbus-daemon --system --nofork --nopidfile --nosyslog
"""
_SECONDS = 30


class PrivateBus:
    """Start it, stop it, look into it."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="vb-", dir="/tmp"))
        self.folder.chmod(0o755)
        self.socket = self.folder / "run" / "dbus" / "system_bus_socket"
        self.address = f"unix:path={self.socket}"
        self.started: set[int] = set()
        """Processes that the bus has started, noted when they are met."""
        self._daemon: subprocess.Popen[bytes] | None = None

    @property
    def root(self) -> Path:
        """The tree as the daemons see it."""
        assert self._daemon is not None
        return Path(f"/proc/{self._daemon.pid}/root")

    def start(self) -> None:
        """Wait until the socket answers."""
        for program in ("unshare", "dbus-daemon", "nsenter", "setpriv"):
            assert shutil.which(program), f"{program} is missing"
        assert Path("/usr/lib/polkit-1/polkitd").exists(), "polkitd is missing"
        with (self.folder / "out").open("ab") as output:
            self._daemon = subprocess.Popen(
                ["unshare", "--mount", "--propagation", "private", "bash", "-c", _START, "start", str(self.folder)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        deadline = time.monotonic() + _SECONDS
        while not self.socket.exists():
            assert self._daemon.poll() is None, (self.folder / "out").read_text()
            assert time.monotonic() < deadline, "the bus made no socket"
            time.sleep(0.02)

    def inside(self, *command: str, user: str | None = None) -> list[str]:
        """The command that runs another inside, as this user."""
        assert self._daemon is not None
        entered = ["nsenter", f"--mount=/proc/{self._daemon.pid}/ns/mnt", "--wdns=/"]
        if user is None:
            return [*entered, *command]
        who = pwd.getpwnam(user)
        return [*entered, "setpriv", f"--reuid={who.pw_uid}", f"--regid={who.pw_gid}", "--clear-groups", *command]

    def put_in_session(self, pid: int, user: str, session: str) -> None:
        """Let polkit see the process in this session, as logind's groups would show it."""
        place = f"/user.slice/user-{pwd.getpwnam(user).pw_uid}.slice/session-{session}.scope"
        (self.folder / "run" / f"cgroup-{pid}").write_text(f"1:name=systemd:{place}\n0::{place}\n")
        subprocess.run(self.inside("mount", "--bind", f"/run/cgroup-{pid}", f"/proc/{pid}/cgroup"), check=True)

    def stop(self) -> None:
        """End everything by its process id."""
        assert self._daemon is not None
        self._daemon.terminate()
        self._daemon.wait(10)
        for pid in self.started:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        shutil.rmtree(self.folder, ignore_errors=True)
