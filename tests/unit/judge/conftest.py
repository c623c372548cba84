# SPDX-License-Identifier: GPL-3.0-or-later
"""The shipped knowledge: judgements are tested with what users get."""

from __future__ import annotations

from pathlib import Path

import pytest

from vitrail.model.knowledge import Knowledge
from vitrail.service.knowledge import load_knowledge


@pytest.fixture(scope="session")
def knowledge() -> Knowledge:
    return load_knowledge(Path(__file__).parents[3] / "resources/knowledge")
