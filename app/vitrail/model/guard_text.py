# SPDX-License-Identifier: GPL-3.0-or-later
"""The guard's unit and the two drop-ins that start it where nothing on the command line can.

The unit, line by line:

- DefaultDependencies=no, so that it counts from early on and a start that hangs before basic.target is counted too.
- RequiresMountsFor and After: its own copy of the helper lies there, and taking back needs a root that can be written.
- The conditions: never in a start without our word, never with `vitrail=off`, never after its copy is taken away.
- Conflicts and Before=shutdown.target: it ends with the system, because the default dependencies that say so are off.
- IgnoreOnIsolate: going to the emergency or rescue shell stops everything else, and there it is needed most.
- StartLimitIntervalSec=0 with Restart: however often it falls over, it goes on by the clock that it has written.
- KillMode=mixed and the long stop: a program that takes something back is not killed in the middle of its work.
- OOMScoreAdjust and OOMPolicy: memory that runs out must end neither it nor, with one of its programs, the watch.

No [Install]: nothing but the trial's own command line, or the drop-ins, ever starts it.
"""

from __future__ import annotations

from vitrail.model.host_place import GUARD_CORE
from vitrail.model.host_step import Fixed

UNIT = "vitrail-guard.service"
_HEADER = "# Written by Vitrail. Take it back with: vitrail undo\n"
_CORE = f"/{GUARD_CORE}"

_UNIT = f"""\
{_HEADER}\
[Unit]
Description=Vitrail: takes a trial start back unless it is kept
DefaultDependencies=no
RequiresMountsFor=/var/lib/vitrail
After=systemd-remount-fs.service
ConditionKernelCommandLine=vitrail.plan
ConditionKernelCommandLine=!vitrail=off
ConditionPathExists={_CORE}
Conflicts=shutdown.target
Before=shutdown.target
IgnoreOnIsolate=yes
StartLimitIntervalSec=0

[Service]
ExecStart=/usr/bin/python3 -I -S {_CORE} --guard
Restart=on-failure
RestartSec=5
KillMode=mixed
TimeoutStopSec=10min
OOMPolicy=continue
OOMScoreAdjust=-900
"""

_WANTED = f"""\
{_HEADER}\
[Unit]
Wants={UNIT}
"""

GUARD_TEXTS: dict[Fixed, str] = {
    Fixed.GUARD_UNIT: _UNIT,
    Fixed.GUARD_AT_START: _WANTED,
    Fixed.GUARD_IN_EMERGENCY: _WANTED,
}
