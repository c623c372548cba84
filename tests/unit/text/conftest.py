# SPDX-License-Identifier: GPL-3.0-or-later
"""Catalogues written from small .po files, by the same code that builds the shipped ones."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="session")
def builder() -> ModuleType:
    """packaging/build_resources.py as a module."""
    spec = importlib.util.spec_from_file_location("build_resources", REPOSITORY / "packaging" / "build_resources.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def catalogues(builder: ModuleType, tmp_path: Path) -> Callable[..., Path]:
    """Write catalogues of {language: {file: po text}}; the answer is the translations folder."""

    def write(languages: dict[str, dict[str, str]]) -> Path:
        folder = tmp_path / "resources" / "translations"
        for language, files in languages.items():
            for name, messages in files.items():
                path = folder / language / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(messages, "utf-8")
        builder.build_catalogues(tmp_path)
        return folder

    return write
