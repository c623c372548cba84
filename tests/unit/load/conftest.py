# SPDX-License-Identifier: GPL-3.0-or-later
"""NVIDIA's library as a stand-in in C, behind the real pynvml; a machine whose numbers move."""

from __future__ import annotations

import pytest

from fakes.live_machine import LiveMachine
from fakes.nvml_library import behind_pynvml, build


@pytest.fixture(scope="session")
def library(tmp_path_factory):
    """The stand-in, compiled by this machine's compiler."""
    return build(tmp_path_factory.mktemp("nvml"))


@pytest.fixture(scope="session")
def older_library(tmp_path_factory):
    """The same as an old driver has it."""
    return build(tmp_path_factory.mktemp("nvml-older"), older=True)


@pytest.fixture
def nvidia(library):
    """Pynvml with the stand-in, no cards yet."""
    with behind_pynvml(library) as fake:
        yield fake


@pytest.fixture
def machine(tmp_path):
    """An empty machine."""
    return LiveMachine(tmp_path / "root")
