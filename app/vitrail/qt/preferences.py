# SPDX-License-Identifier: GPL-3.0-or-later
"""What the desktop remembers of its user: scheme, language, where the window was. Never anything of a machine."""

from __future__ import annotations

from PySide6.QtCore import QByteArray, QSettings

from vitrail.qt.palettes import Scheme


class Preferences:
    """Thin over QSettings, so that every key stands in one place."""

    def __init__(self, settings: QSettings) -> None:
        self._settings = settings

    @property
    def scheme(self) -> Scheme:
        """Light, dark, or as the desktop has it."""
        value = str(self._settings.value("scheme", Scheme.SYSTEM.value))
        return Scheme(value) if value in set(Scheme) else Scheme.SYSTEM

    @scheme.setter
    def scheme(self, scheme: Scheme) -> None:
        self._settings.setValue("scheme", scheme.value)

    @property
    def language(self) -> str | None:
        """The language's code, None for the desktop's."""
        value = self._settings.value("language", "")
        return str(value) if value else None

    @language.setter
    def language(self, language: str | None) -> None:
        self._settings.setValue("language", language or "")

    def wants_notices(self) -> bool:
        """Whether the desktop is told when the load goes wrong."""
        return str(self._settings.value("notices", "yes")) == "yes"

    def want_notices(self, *, wanted: bool) -> None:
        """Tell the desktop, or leave it alone."""
        self._settings.setValue("notices", "yes" if wanted else "no")

    @property
    def geometry(self) -> QByteArray | None:
        """Where the window was and how large."""
        value = self._settings.value("geometry")
        return value if isinstance(value, QByteArray) else None

    @geometry.setter
    def geometry(self, geometry: QByteArray) -> None:
        self._settings.setValue("geometry", geometry)
