# SPDX-License-Identifier: GPL-3.0-or-later
"""`plan --json`: what would be written, complete; and the choice in it, read back for `apply PLAN.json`."""

from __future__ import annotations

import json
from dataclasses import fields

from vitrail.cli.json_values import SCHEMA, Json, json_finding, say
from vitrail.model.choice import Choice, gpu_of, make_choice, mode_of
from vitrail.model.errors import Unreadable
from vitrail.model.mode import Mode
from vitrail.model.pci import PciAddress
from vitrail.model.plan import Loss, Phase, Plan
from vitrail.model.step import Step
from vitrail.model.text import Text, text
from vitrail.plan.describe import diff_of, kind_of, subject_of, summary_of, undo_of


def json_plan(plan: Plan) -> Json:
    """The whole plan. `choice` names the VM too, so that the document is enough to plan anew."""
    return {
        "plan_id": plan.plan_id,
        "choice": _choice(plan),
        "needs_reboot": plan.needs_reboot,
        "guard": None if plan.guard is None else plan.guard.strength.value,
        "losses": [_loss(loss) for loss in plan.losses],
        "phases": [_phase(phase) for phase in plan.phases],
        "findings": [json_finding(finding) for finding in plan.findings],
    }


def _choice(plan: Plan) -> Json:
    gpu = gpu_of(plan.choice)
    return {
        "vm": {"uuid": plan.vm_uuid, "name": plan.vm_name},
        "mode": mode_of(plan.choice).value,
        "gpu": None if gpu is None else str(gpu),
        "settings": _settings(plan.choice),
    }


def _settings(choice: Choice) -> dict[str, str]:
    values = {field.name: getattr(choice, field.name) for field in fields(choice) if field.name != "gpu"}
    return {key: str(value).lower() if isinstance(value, bool) else value for key, value in values.items()}


def _loss(loss: Loss) -> Json:
    return {"what": say(loss.what), "when": say(loss.when), "until": say(loss.until)}


def _phase(phase: Phase) -> Json:
    return {
        "name": phase.name,
        "writer": phase.writer.value,
        "steps": [_step(step, writable=phase.writable) for step in phase.steps],
    }


def _step(step: Step, *, writable: bool) -> Json:
    return {
        "kind": kind_of(step),
        "subject": subject_of(step),
        "summary": say(summary_of(step)),
        "diff": diff_of(step),
        "undo": say(undo_of(step)),
        "writable": writable,
    }


def read_plan(words: str) -> tuple[str, str, Choice]:
    """The plan's id, its VM's UUID (else name) and its choice; its steps are never read. Raises Unreadable."""
    try:
        document = json.loads(words.removeprefix("\ufeff"))
        if document["schema"] != SCHEMA:
            raise Unreadable(text("cli.plan-file.schema", schema=str(document["schema"])), _make_anew())
        chosen = document["choice"]
        vm = chosen["vm"]["uuid"] or chosen["vm"]["name"]
        gpu = None if chosen["gpu"] is None else PciAddress.parse(chosen["gpu"])
        return _word(document["plan_id"]), _word(vm), make_choice(Mode(chosen["mode"]), gpu, _words(chosen["settings"]))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise Unreadable(text("cli.plan-file.wrong"), _make_anew()) from error


def _make_anew() -> Text:
    return text("cli.plan-file.make")


def _word(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value


def _words(values: object) -> dict[str, str]:
    if not isinstance(values, dict):
        raise TypeError(values)
    return {_word(key): _word(value) for key, value in values.items()}
