# SPDX-License-Identifier: GPL-3.0-or-later
"""Turns a Text into a sentence of the user's language, from the catalogues that were built from the .po files."""

from __future__ import annotations

import os
from gettext import GNUTranslations
from pathlib import Path

from vitrail.model.text import Text
from vitrail.source.resources import resources
from vitrail.text.language import ENGLISH, wanted_languages
from vitrail.text.visible import visible


class Speaker:
    """One language. What its catalogue lacks is said in English; the catalogues are read at the first sentence."""

    def __init__(self, *languages: str, folder: Path | None = None) -> None:
        self.languages = (*languages, ENGLISH)
        self._folder = folder
        self._catalogues: tuple[GNUTranslations, ...] | None = None

    def say(self, message: Text) -> str:
        """The sentence, its arguments made visible; an id that no catalogue has is said as it is."""
        args: dict[str, str | int] = {name: self._argument(value) for name, value in message.args}
        if message.count is not None:
            args["count"] = message.count
        return self._template(message).format_map(args)

    def _argument(self, value: str | int | Text) -> str | int:
        if isinstance(value, Text):
            return self.say(value)
        return visible(value) if isinstance(value, str) else value

    def _template(self, message: Text) -> str:
        if self._catalogues is None:
            self._catalogues = self._read()
        for catalogue in self._catalogues:
            if message.count is not None:
                found = catalogue.ngettext(message.id, message.id, message.count)
                if found != message.id:
                    return found
            found = catalogue.gettext(message.id)
            if found != message.id:
                return found
        return message.id

    def _read(self) -> tuple[GNUTranslations, ...]:
        folder = resources() / "translations" if self._folder is None else self._folder
        found = []
        for language in self.languages:
            path = folder / language / "LC_MESSAGES" / "vitrail.mo"
            if path.is_file():
                with path.open("rb") as stream:
                    found.append(GNUTranslations(stream))
        return tuple(found)


def speaker(language: str | None) -> Speaker:
    """The speaker for `--language`, else for the environment's language."""
    return Speaker(*wanted_languages(language, os.environ))


def english() -> Speaker:
    """The speaker of every JSON answer: scripts read it, whatever the user speaks."""
    return Speaker()
