# SPDX-License-Identifier: GPL-3.0-or-later
"""What the user has chosen so far. Nothing in it is decided: it is kept, offered again, and judged anew every time."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import cast

from vitrail.judge.suggestion import Seeing
from vitrail.model.choice import Choice, make_choice
from vitrail.model.mode import DRAWS_ON_A_CARD, NEEDS_A_CARD, Mode
from vitrail.model.pci import PciAddress
from vitrail.model.wire import WireError, from_wire, to_wire
from vitrail.qt.wizard.state.steps import Page


@dataclass(frozen=True, slots=True)
class Draft:
    """The answers so far; `page` is the question that was open. None stands for not answered yet."""

    page: Page = Page.VM
    vm_uuid: str | None = None
    purpose: str | None = None
    seeing: Seeing | None = None
    mode: Mode | None = None
    gpu: PciAddress | None = None
    settings: tuple[tuple[str, str], ...] = ()

    @property
    def begun(self) -> bool:
        """Whether anything was answered beyond which VM it is about."""
        return self.purpose is not None


def with_vm(draft: Draft, vm_uuid: str) -> Draft:
    """The draft for this VM; another VM's mode and card are not carried over, purpose and seeing are."""
    if draft.vm_uuid == vm_uuid:
        return draft
    return replace(draft, vm_uuid=vm_uuid, mode=None, gpu=None, settings=())


def with_purpose(draft: Draft, purpose: str) -> Draft:
    """The draft with this purpose; another purpose asks for the mode anew."""
    if draft.purpose == purpose:
        return draft
    return replace(draft, purpose=purpose, mode=None, gpu=None, settings=())


def with_seeing(draft: Draft, seeing: Seeing) -> Draft:
    """The draft with this way of seeing; another one asks for the mode anew."""
    if draft.seeing is seeing:
        return draft
    return replace(draft, seeing=seeing, mode=None, gpu=None, settings=())


def with_mode(draft: Draft, mode: Mode, gpu: PciAddress | None) -> Draft:
    """The draft with this mode on this card; settings belong to a mode and go with it."""
    settings = draft.settings if draft.mode is mode else ()
    card = gpu if mode in NEEDS_A_CARD | DRAWS_ON_A_CARD else None
    return replace(draft, mode=mode, gpu=card, settings=settings)


def with_setting(draft: Draft, key: str, value: str) -> Draft:
    """The draft with one setting of its mode changed."""
    return replace(draft, settings=tuple(sorted({**dict(draft.settings), key: value}.items())))


def choice_of(draft: Draft) -> Choice | None:
    """What the draft asks for, None while the mode is open. Raises Unreadable where mode and card do not fit."""
    return None if draft.mode is None else make_choice(draft.mode, draft.gpu, dict(draft.settings))


def draft_to_text(draft: Draft) -> str:
    """The draft as it is kept in a file."""
    return json.dumps(to_wire(draft), indent=1, sort_keys=True)


def draft_from_text(words: str) -> Draft | None:
    """The draft that was kept; None for anything that this version does not read: then the user begins anew."""
    try:
        return cast("Draft", from_wire(Draft, json.loads(words)))
    except (WireError, ValueError, RecursionError):
        return None
