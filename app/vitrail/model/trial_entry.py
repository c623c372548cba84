# SPDX-License-Identifier: GPL-3.0-or-later
"""The text of a trial's entry, for GRUB and for loaders that read entry files.

Separate from `render` because two small languages are spoken here. Every word of GRUB's is in single quotes, where
nothing has a meaning, so that the kernel gets exactly these.
"""

from __future__ import annotations

from vitrail.model.kernel_argument import words_of
from vitrail.model.trial import EntryTrial, GrubTrial, entry_name

REFUSED = "vitrail.refused"
"""What GRUB starts the old system with where it could not erase the mark of the trial."""


def _quoted(*words: str) -> str:
    return " ".join(f"'{word}'" for word in words)


def _initrds(trial: GrubTrial | EntryTrial) -> tuple[str, ...]:
    return trial.initrds if trial.image is None else (*trial.initrds, trial.image)


def grub_entry(trial: GrubTrial) -> str:
    """The menu entry. It looks first whether GRUB could erase its own mark; if not, it starts the old system."""
    name = entry_name(trial.plan_id)
    modules = "".join(f"\tinsmod {module}\n" for module in trial.modules)
    old = _quoted(trial.kernel, *trial.line, f"{REFUSED}={trial.plan_id}")
    new = _quoted(trial.kernel, *trial.line, *words_of(trial.arguments))
    return f"""\
menuentry 'Vitrail: trial of plan {trial.plan_id}' --id {name} {{
\tinsmod loadenv
\tunset next_entry
\tload_env next_entry
\tif [ "${{feature_all_video_module}}" = "y" ]; then
\t\tinsmod all_video
\t\tset gfxpayload=keep
\tfi
{modules}\
\tsearch --no-floppy --fs-uuid --set=root {trial.file_system}
\tif [ -n "${{next_entry}}" ]; then
\t\techo 'Vitrail: the mark of the trial could not be erased, so the former system is started.'
\t\tlinux {old}
\t\tinitrd {_quoted(*trial.initrds)}
\telse
\t\tlinux {new}
\t\tinitrd {_quoted(*_initrds(trial))}
\tfi
}}
"""


def entry_file(trial: EntryTrial) -> str:
    """The entry file of the boot loader specification. Without a sort key: that would put it before the others."""
    initrds = "".join(f"initrd {path}\n" for path in _initrds(trial))
    options = " ".join((*trial.line, *words_of(trial.arguments)))
    return f"""\
# Written by Vitrail. Take it back with: vitrail undo
title Vitrail: trial of plan {trial.plan_id}
linux {trial.kernel}
{initrds}\
options {options}
"""
