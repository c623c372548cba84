# SPDX-License-Identifier: GPL-3.0-or-later
"""A QEMU guest agent that says what a test wants: its dialogue, and its end of a VM's channel socket."""

from __future__ import annotations

import base64
import contextlib
import json
import socket
from collections.abc import Callable
from typing import Any

SENTINEL = b"\xff"
NVIDIA = "37, 1024, 8192, 55, 87.32\n"


class Script:
    """The answers. `lines` holds every question; a test replaces what it wants to go wrong."""

    def __init__(self, output: str | bytes = NVIDIA) -> None:
        self.lines: list[dict[str, Any]] = []
        self.enabled = True
        self.os = "debian"
        self.output = output.encode() if isinstance(output, str) else output
        self.code = 0
        self.ends = True
        self.raw: dict[str, str | bytes] = {}
        """What is sent in place of a proper answer to a question."""
        self.errors: dict[str, str] = {}

    def asked(self, name: str) -> int:
        """How often this was asked."""
        return sum(line.get("execute") == name for line in self.lines)

    def answer(self, line: dict[str, Any]) -> str | bytes:
        """The answer to one question."""
        self.lines.append(line)
        name = line["execute"]
        if name in self.raw:
            return self.raw[name]
        if name in self.errors:
            return json.dumps({"error": {"class": "GenericError", "desc": self.errors[name]}})
        return json.dumps({"return": self._return(name, line.get("arguments", {}))})

    def _return(self, name: str, given: dict[str, Any]) -> Any:
        match name:
            case "guest-sync-delimited" | "guest-sync":
                return given["id"]
            case "guest-info":
                return {"version": "9", "supported_commands": [{"name": "guest-exec", "enabled": self.enabled}]}
            case "guest-get-osinfo":
                return {"id": self.os}
            case "guest-exec":
                return {"pid": 4711}
            case "guest-exec-status":
                data = base64.b64encode(self.output).decode()
                return {"exited": True, "exitcode": self.code, "out-data": data} if self.ends else {"exited": False}
        return {}


def serve(end: socket.socket, script: Script) -> None:
    """Answer everything that is asked at this end of a channel, until it is closed."""
    rest = b""
    with contextlib.suppress(OSError):
        while data := end.recv(65536):
            rest += data.replace(SENTINEL, b"")
            *lines, rest = rest.split(b"\n")
            for line in lines:
                if line.strip():
                    _say(end, script, json.loads(line))


def _say(end: socket.socket, script: Script, line: dict[str, Any]) -> None:
    answer = script.answer(line)
    content = answer if isinstance(answer, bytes) else answer.encode() + b"\n"
    head = SENTINEL if line["execute"] == "guest-sync-delimited" else b""
    end.sendall(head + content)


def command_of(script: Script) -> Callable[[str], str]:
    """The script as a service's command, without a VM."""

    def say(line: str) -> str:
        answer = script.answer(json.loads(line))
        return answer if isinstance(answer, str) else answer.decode("utf-8", "surrogateescape")

    return say
