# SPDX-License-Identifier: GPL-3.0-or-later
"""An unprivileged user of the helper: says its process id, then does what each line says and says what came of it."""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from collections.abc import Callable
from typing import Any

from vitrail.model.errors import VitrailError
from vitrail.model.host_step import HostPlan
from vitrail.model.host_wire import Job
from vitrail.model.wire import from_wire
from vitrail.service.helper_client import HelperClient


def wait_for_newest(client: HelperClient) -> object:
    """As a desktop does that was started again."""
    job = client.newest_job()
    return None if job is None else client.wait_for(job)


def job_of(client: HelperClient, job: str) -> object:
    """A job that somebody else may have begun."""
    return client._job(Job(job, -1))


_OWN: dict[str, Callable[..., object]] = {"wait_for_newest": wait_for_newest, "job_of": job_of}


def told(client: HelperClient, verb: str, arguments: dict[str, Any]) -> dict[str, object]:
    """The result, or the ids of what is said."""
    if verb == "apply":
        arguments["plan"] = from_wire(HostPlan, arguments["plan"])
    try:
        result = _OWN[verb](client, **arguments) if verb in _OWN else getattr(client, verb)(**arguments)
    except VitrailError as error:
        return {
            "class": type(error).__name__,
            "id": error.what.id,
            "args": dict(error.what.args),
            "next": [step.id for step in error.next_steps],
        }
    if isinstance(result, tuple):
        return {"ok": [dataclasses.asdict(item) for item in result]}
    return {"ok": None if result is None else dataclasses.asdict(result)}


def main() -> None:
    """One line in, one out."""
    client = HelperClient(sys.argv[1])
    sys.stdout.write(f"{os.getpid()}\n")
    sys.stdout.flush()
    for line in sys.stdin:
        verb, arguments = json.loads(line)
        sys.stdout.write(json.dumps(told(client, verb, arguments)) + "\n")
        sys.stdout.flush()


main()
