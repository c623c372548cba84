# SPDX-License-Identifier: GPL-3.0-or-later
"""How long the loader's menu is on the screen, and which entry is already set to start next. Read only.

Each loader has its own words for both; a word that is not understood is told as unknown, never as "no menu".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from vitrail.model.reading import Known, Reading, Unknown
from vitrail.model.text import text
from vitrail.probe.efi_variables import GLOBAL, VARIABLES, read_loader_words, read_variable
from vitrail.probe.grub_settings import grub_settings
from vitrail.probe.unread import garbled

if TYPE_CHECKING:
    from vitrail.source.root import Root

Contents = Mapping[str, Reading[str | None]]
"""The files of the start by their paths; one that could not be read is Unknown, and so is a folder."""

GRUB_ENVIRONMENTS = ("boot/grub/grubenv", "boot/grub2/grubenv")
LOADER_CONFS = ("boot/loader/loader.conf", "efi/loader/loader.conf", "boot/efi/loader/loader.conf")
_LIMINE_CONFS = ("boot/limine.conf", "boot/limine/limine.conf")
_REFIND_CONFS = ("boot/efi/EFI/refind/refind.conf", "efi/EFI/refind/refind.conf", "boot/EFI/refind/refind.conf")
_GRUB_DEFAULT_SECONDS = 5
_LIMINE_DEFAULT_SECONDS = 5
_REFIND_DEFAULT_SECONDS = 20
_YES = ("yes", "on", "true", "1")


def read_menu_seconds(root: Root, loader: Reading[str | None], contents: Contents) -> Reading[int | None]:
    """How long the menu is shown; 0: it is hidden; Known(None): it waits for ever."""
    if isinstance(loader, Unknown):
        return loader
    match loader.value:
        case "grub":
            return _grub(contents)
        case "systemd-boot":
            return _systemd_boot(root, contents)
        case "limine":
            return _limine(contents)
        case "refind":
            return _refind(contents)
    return Unknown(text("probe.boot.no-menu-words"))


def read_one_shot(root: Root, loader: Reading[str | None], contents: Contents) -> Reading[str | None]:
    """What starts next instead of the usual entry, whoever set it."""
    firmware = read_variable(root, f"{VARIABLES}/BootNext-{GLOBAL}")
    if isinstance(firmware, Known) and firmware.value:
        return Known(f"Boot{int.from_bytes(firmware.value[:2], 'little'):04X}", firmware.source)
    entry = read_loader_words(root, "LoaderEntryOneShot")
    if isinstance(entry, Known) and entry.value:
        return entry
    if isinstance(loader, Known) and loader.value == "grub":
        return _next_entry(contents)
    unread = next((said for said in (firmware, entry) if isinstance(said, Unknown)), None)
    return unread if unread is not None else Known(None, f"/{VARIABLES}")


def _next_entry(contents: Contents) -> Reading[str | None]:
    environment = _first(contents, GRUB_ENVIRONMENTS)
    if isinstance(environment, Unknown):
        return environment
    return Known(_variables(environment.value or "").get("next_entry") or None, environment.source)


def _variables(environment: str) -> dict[str, str]:
    lines = (line.partition("=") for line in environment.split("\n") if not line.startswith("#"))
    return {key: value for key, _, value in lines}


def _first(contents: Contents, paths: tuple[str, ...]) -> Reading[str | None]:
    """The first of these that is there; Unknown where none was seen and one could not be looked at."""
    unread = None
    for path in paths:
        content = contents.get(path)
        if isinstance(content, Known) and content.value is not None:
            return content
        if isinstance(content, Unknown):
            unread = unread or content
    return unread or Known(None, f"/{paths[0]}")


def _grub(contents: Contents) -> Reading[int | None]:
    drop_ins = sorted(path for path in contents if path.startswith("etc/default/grub.d/"))
    read = [contents[path] for path in ("etc/default/grub", *drop_ins) if path in contents]
    unread = next((one for one in read if isinstance(one, Unknown)), None)
    if unread is not None:
        return unread
    known = [one for one in read if isinstance(one, Known) and one.value is not None]
    if not known:
        return Unknown(text("probe.boot.no-menu-words"))
    source = known[-1].source if len(known) == 1 else "/etc/default/grub, /etc/default/grub.d"
    settings = grub_settings(one.value or "" for one in known)
    asked = {key: settings.get(key, "") for key in ("GRUB_TIMEOUT", "GRUB_TIMEOUT_STYLE", "GRUB_HIDDEN_TIMEOUT")}
    unclear = next((key for key, value in asked.items() if value is None), None)
    if unclear is not None:
        return garbled("etc/default/grub", unclear)
    if asked["GRUB_TIMEOUT_STYLE"] in ("hidden", "countdown") or asked["GRUB_HIDDEN_TIMEOUT"]:
        return Known(0, source)
    return _unless_hidden_by_itself(contents, _seconds(asked["GRUB_TIMEOUT"] or str(_GRUB_DEFAULT_SECONDS), source))


def _unless_hidden_by_itself(contents: Contents, shown: Reading[int | None]) -> Reading[int | None]:
    """Fedora hides the menu after a good start, by a word in GRUB's environment."""
    environment = _first(contents, GRUB_ENVIRONMENTS)
    if isinstance(environment, Unknown):
        return environment
    if _variables(environment.value or "").get("menu_auto_hide", "0") not in ("", "0"):
        return Known(0, environment.source)
    return shown


def _seconds(words: str, source: str) -> Reading[int | None]:
    """A number as loaders write it; negative: for ever."""
    try:
        # GRUB and rEFInd take fractions too.
        number = float(words)
    except ValueError:
        return garbled(source.lstrip("/"), words)
    if not abs(number) < 1 << 31:
        return garbled(source.lstrip("/"), words)
    return Known(None if number < 0 else int(number), source)


def _systemd_boot(root: Root, contents: Contents) -> Reading[int | None]:
    said = read_loader_words(root, "LoaderConfigTimeout")
    if isinstance(said, Known) and said.value:
        return _systemd_boot_words(said.value, said.source)
    conf = _first(contents, LOADER_CONFS)
    if isinstance(conf, Unknown):
        return conf
    if conf.value is None:
        return Unknown(text("probe.boot.no-loader-conf"))
    return _systemd_boot_words(_setting(conf.value, "timeout") or "0", conf.source)


def _systemd_boot_words(words: str, source: str) -> Reading[int | None]:
    if words == "menu-force":
        return Known(None, source)
    if words in ("menu-hidden", "menu-disabled"):
        return Known(0, source)
    return _seconds(words, source)


def _setting(conf: str, key: str) -> str | None:
    """The value of the last line `key value`."""
    found = [line.split(None, 1) for line in conf.split("\n") if line.split(None, 1)[:1] == [key]]
    return (found[-1][1].strip() if len(found[-1]) > 1 else "") if found else None


def _limine(contents: Contents) -> Reading[int | None]:
    conf = _first(contents, _LIMINE_CONFS)
    if isinstance(conf, Unknown):
        return conf
    if conf.value is None:
        return Unknown(text("probe.boot.no-menu-words"))
    lines = [line.partition(":") for line in conf.value.split("\n") if not line[:1].isspace()]
    settings = {key.strip().lower(): value.strip().lower() for key, colon, value in lines if colon}
    if settings.get("quiet") in _YES:
        return Known(0, conf.source)
    if settings.get("timeout") == "no":
        return Known(None, conf.source)
    return _seconds(settings.get("timeout", str(_LIMINE_DEFAULT_SECONDS)), conf.source)


def _refind(contents: Contents) -> Reading[int | None]:
    conf = _first(contents, _REFIND_CONFS)
    if isinstance(conf, Unknown):
        return conf
    if conf.value is None:
        return Unknown(text("probe.boot.no-menu-words"))
    said = _seconds(_setting(conf.value, "timeout") or str(_REFIND_DEFAULT_SECONDS), conf.source)
    if isinstance(said, Known):
        # rEFInd turns it round: 0 waits for ever, -1 starts at once.
        return Known({None: 0, 0: None}.get(said.value, said.value), said.source)
    return said
