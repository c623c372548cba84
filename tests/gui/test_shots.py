# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures of every page: the real service on recordings, nothing canned, nothing left in anybody's state folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtGui import QImage

from vitrail.model.errors import Unreadable
from vitrail.qt.shots import draw

MACHINES = Path(__file__).resolve().parent.parent / "machines"


@pytest.mark.usefixtures("qapp")
def test_every_page_and_step_of_the_demo_machine_is_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VITRAIL_STATE_DIR", str(tmp_path / "state"))
    assert draw(tmp_path / "out", None, None, dark=False, language="en") == 0
    names = [path.stem[3:] for path in sorted((tmp_path / "out").glob("*.png"))]
    for page in ("overview", "overview-table", "cards", "cards-groups", "vms", "load", "changes", "problems", "help"):
        assert page in names
    assert "changes-in-force" in names
    assert any(name.startswith("wizard-") for name in names)
    picture = QImage(str(next((tmp_path / "out").glob("01-*.png"))))
    assert (picture.width(), picture.height()) == (1320, 860)
    assert not list((tmp_path / "state").rglob("*.jsonl"))


@pytest.mark.usefixtures("qapp")
@pytest.mark.parametrize("machine", ["single-gpu", "no-iommu"])
def test_a_recording_is_drawn_in_the_dark_too(tmp_path: Path, machine: str) -> None:
    assert draw(tmp_path, str(MACHINES / machine), None, dark=True, language=None) == 0
    picture = QImage(str(tmp_path / "01-overview.png"))
    assert picture.pixelColor(700, 850).lightness() < 80


@pytest.mark.usefixtures("qapp")
def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(Unreadable):
        draw(blocked / "out", None, None, dark=False, language=None)
