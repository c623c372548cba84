# SPDX-License-Identifier: GPL-3.0-or-later
"""How long the window's thread is away, while it is filled and walked through.

With 1,000 domains, with 64 cards, with a libvirtd that is stopped and with one that hangs. A timer beats in that
thread; the longest gap between two beats is the stall. Somebody else's use of the processor makes gaps too, so each
place is opened several times, and of every act the shortest of its longest gaps counts.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from window import DOMAIN, DOMAINS

from machines import make_recording

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from integration.private_libvirt import PrivateLibvirt

BUDGET_MS = 50.0
ROUNDS = 3


def measure_stall() -> bool:
    """Print the longest stall of each act; True when all are within the budget."""
    kept = True
    for title, words in _places():
        rounds = [_in_a_process(*words) for _ in range(ROUNDS)]
        for act in rounds[0]:
            stall = min(one[act] for one in rounds)
            kept = kept and stall <= BUDGET_MS
            verdict = "kept" if stall <= BUDGET_MS else "BROKEN"
            print(f"stall, {title}, {act}: {stall:.0f} ms, budget {BUDGET_MS:.0f} ms: {verdict}")
    return kept


def _places() -> Iterator[tuple[str, tuple[str, ...]]]:
    """What each place is called, and how it is opened; it is there until the next one is asked for."""
    with tempfile.TemporaryDirectory() as folder:
        domains = Path(folder) / "domains.xml"
        domains.write_text("<node>" + "".join(DOMAIN.format(n=n) for n in range(DOMAINS)) + "</node>", encoding="utf-8")
        yield "1,000 domains", ("walk", "--connect", f"test://{domains}")
        machine = Path(folder) / "machine"
        make_recording(machine, 64, 200)
        yield "64 cards", ("walk", "--machine", str(machine))
        yield "libvirtd stopped", ("walk", "--connect", f"qemu:///system?socket={folder}/nothing")
        if os.geteuid() == 0:
            with _hanging(Path(folder)) as uri:
                yield "libvirtd hangs", ("wait", "--connect", uri)


@contextmanager
def _hanging(folder: Path) -> Iterator[str]:
    daemon = PrivateLibvirt(folder / "daemon")
    daemon.start()
    try:
        daemon.pause()
        yield daemon.uri
    finally:
        daemon.stop()


def _in_a_process(act: str, option: str, place: str) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as home:
        ended = subprocess.run(
            [sys.executable, str(Path(__file__).with_name("heart.py")), act, option, place],
            env=os.environ | {"QT_QPA_PLATFORM": "offscreen", "HOME": home, "XDG_RUNTIME_DIR": home},
            check=True,
            capture_output=True,
            text=True,
        )
    found: dict[str, float] = json.loads(ended.stdout)
    return found
