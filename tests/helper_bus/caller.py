# SPDX-License-Identifier: GPL-3.0-or-later
"""An unprivileged user of the helper: says its process id, then does what each line says and says what came of it."""

from __future__ import annotations

import dataclasses
import json
import os
import sys

from vitrail.model.errors import VitrailError
from vitrail.service.helper_client import HelperClient


def told(client: HelperClient, verb: str, arguments: dict[str, object]) -> dict[str, object]:
    """The result, or the ids of what is said."""
    try:
        result = getattr(client, verb)(**arguments)
    except VitrailError as error:
        return {
            "class": type(error).__name__,
            "id": error.what.id,
            "args": dict(error.what.args),
            "next": [step.id for step in error.next_steps],
        }
    if isinstance(result, tuple):
        return {"ok": [dataclasses.asdict(item) for item in result]}
    return {"ok": dataclasses.asdict(result)}


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
