# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules of the house that no other tool checks: licence lines, sizes, docstrings, and every text id.

Ids are compared in both directions: what the code says must be in a catalogue, and what a catalogue holds must be said
somewhere, in the code or in the knowledge files.
"""

from __future__ import annotations

import ast
import re
import string
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from babel.messages.catalog import Message
from babel.messages.pofile import read_po

REPOSITORY = Path(__file__).resolve().parents[2]
APP = REPOSITORY / "app"
LICENCE = "# SPDX-License-Identifier: GPL-3.0-or-later"
MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 60

SOURCES = sorted(APP.rglob("*.py"))
ALL_PYTHON = [
    *SOURCES,
    *sorted((REPOSITORY / "tests").rglob("*.py")),
    *sorted((REPOSITORY / "packaging").rglob("*.py")),
]
CATALOGUES = sorted((REPOSITORY / "resources" / "translations" / "en").glob("*.po"))


def named(path: Path) -> str:
    return path.relative_to(REPOSITORY).as_posix()


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


@pytest.mark.parametrize("path", ALL_PYTHON, ids=named)
def test_a_file_starts_with_its_licence(path):
    lines = path.read_text("utf-8").splitlines()
    first = lines[1] if lines[0].startswith("#!") else lines[0]
    assert first == LICENCE


@pytest.mark.parametrize("path", SOURCES, ids=named)
def test_a_file_is_short_and_says_what_it_holds(path):
    assert len(path.read_text("utf-8").splitlines()) <= MAX_FILE_LINES
    assert ast.get_docstring(tree_of(path))


@pytest.mark.parametrize("path", SOURCES, ids=named)
def test_a_function_fits_on_a_screen(path):
    long = [
        f"{node.name}: {node.end_lineno - node.lineno + 1} lines"
        for node in ast.walk(tree_of(path))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        and node.end_lineno is not None
        and node.end_lineno - node.lineno + 1 > MAX_FUNCTION_LINES
    ]
    assert not long


@pytest.mark.parametrize("path", SOURCES, ids=named)
def test_nothing_is_left_for_later(path):
    assert not re.search(r"\b(TODO|FIXME|XXX|NotImplementedError)\b", path.read_text("utf-8"))


class Said:
    """One place in the code that makes a Text with a literal id."""

    def __init__(self, path: Path, node: ast.Call, message_id: str) -> None:
        self.id = message_id
        self.where = f"{named(path)}:{node.lineno}"
        self.names = {keyword.arg for keyword in node.keywords if keyword.arg not in (None, "count")}
        self.counted = len(node.args) > 1 or any(keyword.arg == "count" for keyword in node.keywords)
        self.open_ended = any(keyword.arg is None for keyword in node.keywords)


def literals(node: ast.expr) -> Iterator[str]:
    match node:
        case ast.Constant(value=str() as value):
            yield value
        case ast.IfExp(body=body, orelse=otherwise):
            yield from literals(body)
            yield from literals(otherwise)


@cache
def said() -> tuple[Said, ...]:
    """Every `text("literal", ...)` of the app."""
    return tuple(
        Said(path, node, message_id)
        for path in SOURCES
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "text" and node.args
        for message_id in literals(node.args[0])
    )


@cache
def messages() -> dict[str, Message]:
    """Every English message by its id."""
    found: dict[str, Message] = {}
    for path in CATALOGUES:
        with path.open("rb") as stream:
            for message in read_po(stream, locale="en", abort_invalid=True):
                if message.id:
                    key = message.id if isinstance(message.id, str) else message.id[0]
                    assert key not in found, f"{named(path)}: {key} is in two files"
                    found[key] = message
    return found


@cache
def mentioned() -> frozenset[str]:
    """Every string that stands in the code or in the knowledge files: a table of ids counts as saying them."""
    strings = {
        node.value
        for path in SOURCES
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    for path in (REPOSITORY / "resources" / "knowledge").glob("*.toml"):
        strings.update(leaves(tomllib.loads(path.read_text("utf-8"))))
    return frozenset(strings)


def leaves(value: object) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for item in value.values():
                yield from leaves(item)
        case list():
            for item in value:
                yield from leaves(item)


@cache
def patterns() -> tuple[re.Pattern[str], ...]:
    """Ids that are put together from pieces in the call itself, as `text(f"judge.mode.{mode}")`."""
    found = {
        "".join(re.escape(part.value) if isinstance(part, ast.Constant) else r"[a-z0-9_.-]+" for part in words.values)
        for path in SOURCES
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("text", "Text")
        for words in node.args[:1]
        if isinstance(words, ast.JoinedStr)
    }
    return tuple(re.compile(words) for words in sorted(found))


def put_together(key: str) -> bool:
    """Whether a call makes this id from pieces, the first of which stands in the code."""
    begins = any(key.startswith((f"{words}.", f"{words}-")) for words in mentioned() if "." in words)
    return any(pattern.fullmatch(key) and (begins or pattern.pattern[0] != "[") for pattern in patterns())


def placeholders(words: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(words) if name is not None}


def forms(message: Message) -> tuple[str, ...]:
    return (message.string,) if isinstance(message.string, str) else tuple(message.string)


def test_every_id_that_the_code_says_has_words():
    missing = sorted(f"{use.where}: {use.id}" for use in said() if use.id not in messages())
    assert not missing


def test_every_message_is_said_somewhere():
    unsaid = [key for key in messages() if key not in mentioned() and not put_together(key)]
    assert not unsaid


def test_placeholders_are_the_arguments():
    wrong = []
    for use in said():
        message = messages().get(use.id)
        if message is None or use.open_ended:
            continue
        given = use.names | ({"count"} if use.counted else set())
        used = set().union(*(placeholders(words) for words in forms(message)))
        if not used <= given or not use.names <= used:
            wrong.append(f"{use.where}: {use.id} has {sorted(used)}, is given {sorted(given)}")
    assert not wrong


def test_only_counted_texts_have_plural_forms():
    wrong = [
        f"{use.where}: {use.id}"
        for use in said()
        if use.id in messages() and use.counted is not isinstance(messages()[use.id].id, tuple)
    ]
    assert not wrong


def test_no_message_is_empty_or_unfinished():
    assert not [key for key, message in messages().items() if message.fuzzy or not all(forms(message))]
