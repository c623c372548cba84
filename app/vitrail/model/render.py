# SPDX-License-Identifier: GPL-3.0-or-later
"""The bytes that a template and its values make: one function for what is shown and for what root writes.

`current` matters only where a file is the user's and words or a block of it are ours. Bytes that are no UTF-8 survive.
"""

from __future__ import annotations

import hashlib

from vitrail.model.early_script import FIXED_TEXTS
from vitrail.model.edited_lines import (
    Place,
    Unrenderable,
    add_words,
    entry_options,
    put_block,
    refind_options,
    take_block_out,
    take_words_out,
    whole_line,
    without_block,
)
from vitrail.model.host_place import place_of
from vitrail.model.host_step import (
    ArgumentFile,
    ArgumentsFile,
    Fixed,
    FixedFile,
    LoaderEntry,
    Template,
)
from vitrail.model.kernel_argument import words_of
from vitrail.model.permission import AppArmorRoms, LockedMemory, SessionMemory, VfioAccess, permission_text
from vitrail.model.reservation import ReservedCard, ReservedCards
from vitrail.model.trial import EntryTrial, GrubTrial
from vitrail.model.trial_entry import entry_file, grub_entry

_HEADER = "# Written by Vitrail. Take it back with: vitrail undo\n"
_BLOCKS: dict[ArgumentFile, str] = {
    ArgumentFile.GRUB_DEFAULTS: 'GRUB_CMDLINE_LINUX_DEFAULT="$GRUB_CMDLINE_LINUX_DEFAULT {words}"\n',
    ArgumentFile.SDBOOT_MANAGE: 'LINUX_OPTIONS="$LINUX_OPTIONS {words}"\n',
    ArgumentFile.LIMINE_DEFAULTS: 'KERNEL_CMDLINE[default]+=" {words}"\n',
}
_WHOLE: dict[ArgumentFile, str] = {
    ArgumentFile.GRUB_DROP_IN: _HEADER + _BLOCKS[ArgumentFile.GRUB_DEFAULTS],
    ArgumentFile.CMDLINE_DROP_IN: "{words}\n",
}


def digest_of(content: bytes) -> str:
    """SHA-256, hexadecimal: what a step's `before` and `after` are."""
    return hashlib.sha256(content).hexdigest()


def _text(content: bytes) -> str:
    return content.decode("utf-8", "surrogateescape")


def _bytes(words: str) -> bytes:
    return words.encode("utf-8", "surrogateescape")


def render(template: Template, current: bytes | None) -> bytes:
    """The whole file after the step. Raises Unrenderable where what is there does not take the change."""
    whole = _whole(template)
    if whole is not None:
        return whole.encode()
    block = _block(template)
    if current is None and not _may_begin(template):
        raise Unrenderable("no-file")
    words = _text(current or b"")
    if "\0" in words:
        raise Unrenderable("no-text")
    if block is not None:
        _refuse_twice(template, words)
        return _bytes(put_block(words, block))
    return _bytes(_with_words(template, words))


def take_back(template: Template, before: bytes | None, current: bytes) -> bytes | None:
    """A file that others edited on, without what is ours; None where that cannot be told apart."""
    if place_of(template).ours:
        return None
    former, now = _text(before or b""), _text(current)
    if _block(template) is not None:
        taken = take_block_out(former, _text(render(template, before)), now)
    else:
        taken = take_words_out(former, now, _words(template), _place(template))
    return None if taken is None else _bytes(taken)


def _whole(template: Template) -> str | None:
    match template:
        case ReservedCards():
            return _HEADER + "".join(_row(card) for card in template.cards)
        case FixedFile():
            return FIXED_TEXTS[template.which] if place_of(template).ours else None
        case ArgumentsFile() if template.which in _WHOLE:
            return _WHOLE[template.which].format(words=" ".join(words_of(template.arguments)))
        case EntryTrial():
            return entry_file(template)
        case VfioAccess() | LockedMemory() | SessionMemory() | AppArmorRoms():
            return _HEADER + permission_text(template)
    return None


def _row(card: ReservedCard) -> str:
    identity = card.identity
    numbers = (identity.vendor_id, identity.device_id, identity.subsystem_vendor_id, identity.subsystem_device_id)
    ids = " ".join("-" if number is None else f"0x{number:04x}" for number in numbers)
    return f"{card.plan_id} {identity.address} {ids}\n"


def _block(template: Template) -> str | None:
    match template:
        case FixedFile():
            return FIXED_TEXTS[template.which]
        case ArgumentsFile() if template.which in _BLOCKS:
            return _BLOCKS[template.which].format(words=" ".join(words_of(template.arguments)))
        case GrubTrial():
            return grub_entry(template)
    return None


def _may_begin(template: Template) -> bool:
    return isinstance(template, FixedFile | GrubTrial)


def _refuse_twice(template: Template, words: str) -> None:
    """A key of YAML must not come twice; the user's own line is never replaced."""
    if template == FixedFile(Fixed.BOOSTER_MODULES):
        rest = without_block(words).split("\n")
        if any(line.startswith("modules_force_load:") for line in rest):
            raise Unrenderable("key-is-there")


def _words(template: Template) -> tuple[str, ...]:
    return words_of(template.arguments) if isinstance(template, ArgumentsFile | LoaderEntry) else ()


def _place(template: Template) -> Place:
    match template:
        case LoaderEntry():
            return entry_options
        case ArgumentsFile(which=ArgumentFile.REFIND_LINUX):
            return refind_options
    return whole_line


def _with_words(template: Template, words: str) -> str:
    if isinstance(template, LoaderEntry) and not any(entry_options(line) for line in words.split("\n")):
        end = "" if not words or words.endswith("\n") else "\n"
        return f"{words}{end}options {' '.join(_words(template))}\n"
    last = not (isinstance(template, ArgumentsFile) and template.which is ArgumentFile.REFIND_LINUX)
    return add_words(words, _words(template), _place(template), last=last)
