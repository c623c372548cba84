# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a disk is unlocked at the start, and by what: a typed passphrase, a key that rests on measurements, a file.

Only volumes that are unlocked now count, so a line for a disk that is not there says nothing. Read only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vitrail.model.boot import FileSystem, Layer
from vitrail.model.paths import CLEVIS_SIGNS
from vitrail.model.reading import Known, Reading, Unknown
from vitrail.model.text import text
from vitrail.probe.boot_menu import Contents
from vitrail.probe.unread import is_missing, presence, unread
from vitrail.probe.volumes import device_mapper_kind
from vitrail.source.volumes import BLOCKS, place_of

if TYPE_CHECKING:
    from vitrail.source.root import Root

CRYPTTAB = "etc/crypttab"
_CMDLINE = "/proc/cmdline"
_BY_DEVICE = ("tpm2-device=", "fido2-device=", "pkcs11-uri=")
"""Options of crypttab that put another key in the passphrase's place."""
_NO_KEY_FILE = ("", "none", "-")
_MEASURED_BY_SNAPD = "snapd_recovery_mode="
_KEY_FIELD = 2
_OPTIONS_FIELD = 3


@dataclass(frozen=True, slots=True)
class Unlocking:
    """Both answers come from the same facts."""

    asks_passphrase: Reading[bool]
    sealed: Reading[bool]


def read_unlocking(
    root: Root,
    loader: Reading[str | None],
    cmdline: Reading[str],
    file_systems: Reading[tuple[FileSystem, ...]],
    contents: Contents,
) -> Unlocking:
    """How the disks of this start are unlocked."""
    if isinstance(file_systems, Unknown):
        return Unlocking(file_systems, file_systems)
    encrypted = _encrypted(root)
    if isinstance(encrypted, Unknown):
        return Unlocking(encrypted, encrypted)
    words = tuple(cmdline.value.split()) if isinstance(cmdline, Known) else ()
    own = next((one for one in file_systems.value if one.kind == "zfs"), None)
    if not encrypted.value:
        if own is not None:
            # Such a pool encrypts by itself, and only its own tools tell.
            reason = Unknown(text("probe.boot.own-encryption", kind=own.kind))
            return Unlocking(reason, Known(value=False, source=encrypted.source))
        nothing = Known(value=False, source=encrypted.source)
        return Unlocking(nothing, nothing)
    if presence(root, *CLEVIS_SIGNS):
        reason = Unknown(text("probe.boot.clevis"))
        return Unlocking(reason, reason)
    return _by_words(loader, words, file_systems.value, contents)


def _encrypted(root: Root) -> Reading[bool]:
    """Whether any encrypted volume is open now."""
    try:
        volumes = [name for name in root.names(BLOCKS) if name.startswith("dm-")]
        kinds = [device_mapper_kind(root, place_of(root, name)) for name in volumes]
    except OSError as error:
        if is_missing(error) and root.live:
            return Known(value=False, source=f"/{BLOCKS}")
        return unread(root, BLOCKS, error)
    return Known("CRYPT" in kinds, f"/{BLOCKS}")


def _by_words(
    loader: Reading[str | None], words: tuple[str, ...], file_systems: tuple[FileSystem, ...], contents: Contents
) -> Unlocking:
    table = contents.get(CRYPTTAB, Known(None, f"/{CRYPTTAB}"))
    source = table.source if isinstance(table, Known) and table.value is not None else _CMDLINE
    wanted = [] if isinstance(table, Unknown) else _wanted(table.value or "")
    on_line = _from_line(words)
    sealed = any("tpm2-device=" in options for _, options in (*wanted, *on_line))
    if any(word.startswith(_MEASURED_BY_SNAPD) for word in words):
        return Unlocking(Known(value=False, source=_CMDLINE), Known(value=True, source=_CMDLINE))
    if sealed:
        return Unlocking(_typed(wanted or on_line, source), Known(value=True, source=source))
    if isinstance(table, Unknown):
        return Unlocking(table, table)
    not_sealed = Known(value=False, source=source)
    if isinstance(loader, Known) and loader.value == "grub" and _loader_unlocks(file_systems):
        return Unlocking(Known(value=True, source="/boot"), not_sealed)
    if not wanted and not on_line:
        # Opened by other means: an image with words of its own, or by hand afterwards.
        on_root = any(Layer.CRYPT in one.layers.value for one in file_systems if isinstance(one.layers, Known))
        return Unlocking(Known(on_root, source), not_sealed)
    # The line names what crypttab describes; alone, it says all there is.
    return Unlocking(_typed(wanted or on_line, source), not_sealed)


def _typed(wanted: list[tuple[str, str]], source: str) -> Reading[bool]:
    asks = any(key in _NO_KEY_FILE and not any(sign in options for sign in _BY_DEVICE) for key, options in wanted)
    return Known(asks, source)


def _loader_unlocks(file_systems: tuple[FileSystem, ...]) -> bool:
    """Whether GRUB itself has to unlock the disk with the kernel on it."""
    mounts = {one.mount: one for one in file_systems}
    one = mounts.get("/boot", mounts.get("/"))
    return one is not None and isinstance(one.layers, Known) and Layer.CRYPT in one.layers.value


def _wanted(table: str) -> list[tuple[str, str]]:
    """Key and options of what crypttab unlocks at every start."""
    found = []
    for line in table.split("\n"):
        fields = line.split()
        if len(fields) < _KEY_FIELD or fields[0].startswith("#"):
            continue
        key = fields[_KEY_FIELD] if len(fields) > _KEY_FIELD else "none"
        options = fields[_OPTIONS_FIELD] if len(fields) > _OPTIONS_FIELD else ""
        if "noauto" not in options.split(","):
            found.append((key, options))
    return found


def _from_line(words: tuple[str, ...]) -> list[tuple[str, str]]:
    """The same of the command line: dracut's and systemd's words, and those of Arch's encrypt hook."""
    named = [word for word in words if word.startswith(("rd.luks.uuid=", "rd.luks.name=", "luks.uuid=", "luks.name="))]
    options = ",".join(word for word in words if word.startswith(("rd.luks.options=", "luks.options=")))
    keyed = any(word.startswith(("rd.luks.key=", "luks.key=", "cryptkey=")) for word in words)
    by_hook = any(word.startswith("cryptdevice=") for word in words)
    return [("file" if keyed else "none", options)] if named or by_hook else []
