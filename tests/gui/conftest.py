# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the desktop: offscreen, in English, and nothing may be left behind."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

os.environ["QT_QPA_PLATFORM"] = "offscreen"

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from PySide6.QtCore import QEvent, QSettings
from PySide6.QtWidgets import QApplication

from vitrail.qt.garbage import Collector, collect_what_is_due
from vitrail.qt.palettes import Scheme, wear
from vitrail.qt.preferences import Preferences
from vitrail.qt.runner import Runner
from vitrail.source.resources import resources
from vitrail.text.speaker import Speaker


@pytest.fixture(scope="session")
def english(tmp_path_factory: pytest.TempPathFactory) -> Speaker:
    """English from the .po files as they are now, not as they were last built."""
    merged = Catalog(locale="en")
    for path in sorted((resources() / "translations" / "en").glob("*.po")):
        with path.open("rb") as stream:
            for message in read_po(stream):
                if message.id:
                    merged[message.id] = message
    folder: Path = tmp_path_factory.mktemp("translations")
    target = folder / "en" / "LC_MESSAGES" / "vitrail.mo"
    target.parent.mkdir(parents=True)
    with target.open("wb") as stream:
        write_mo(stream, merged)
    return Speaker(folder=folder)


@pytest.fixture(scope="session", autouse=True)
def dressed(qapp: QApplication) -> None:
    """The light scheme, once: a new sheet costs every widget that is alive."""
    wear(qapp, Scheme.LIGHT)


@pytest.fixture(scope="package", autouse=True)
def collected_here(qapp: QApplication) -> Iterator[None]:
    """Garbage is collected as in the desktop: on this thread alone."""
    collector = Collector(qapp)
    yield
    collector.stop()


@pytest.fixture(autouse=True)
def nothing_left_behind(qapp: QApplication, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """No thread of ours, no visible window, no error in the log once a test is over."""
    yield
    for widget in qapp.topLevelWidgets():
        if not widget.parent():
            widget.close()
            widget.deleteLater()
    qapp.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    qapp.processEvents()
    collect_what_is_due()
    ours = [thread.name for thread in threading.enumerate() if thread.name.startswith("vitrail-")]
    assert not ours, f"threads left: {ours}"
    assert not [record for record in caplog.records if record.levelname in ("ERROR", "CRITICAL")]


@pytest.fixture
def runner() -> Iterator[Runner]:
    """The threads of one test, ended with it."""
    made = Runner()
    yield made
    made.close()


@pytest.fixture
def preferences(tmp_path: Path) -> Preferences:
    """Preferences that are nobody's."""
    return Preferences(QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat))
