# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that the user names: read whole, an XML document by its own encoding, replaced in one move."""

from __future__ import annotations

import codecs
import os
import re
import stat
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from vitrail.model.errors import Unreadable
from vitrail.model.text import Text, text

MAX_BYTES = 16 * 1024 * 1024
"""A domain or a plan is far smaller; more is a mistake."""

_NEW_FILE_MODE = 0o666


_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (b"<\0?\0", "utf-16-le"),
    (b"\0<\0?", "utf-16-be"),
)
"""How a file begins that says its encoding before any word does; the 32-bit marks begin like the 16-bit ones."""
_DECLARED = re.compile(rb"""<\?xml\s[^>]*?\bencoding\s*=\s*["']([A-Za-z][A-Za-z0-9._-]*)["']""")
_WIDE = ("utf-16", "utf-32")


@dataclass(frozen=True, slots=True)
class Document:
    """A text and the encoding of its file; a byte order mark is the first character of the text."""

    words: str
    encoding: str


def read_text(name: str) -> str:
    """The text of a UTF-8 file with its own line ends; `-` is standard input. Raises Unreadable."""
    return _decoded(name, _content(name), "utf-8")


def read_document(name: str) -> Document:
    """An XML document by its byte order mark, else by what it declares, else as UTF-8. Raises Unreadable."""
    content = _content(name)
    encoding = _encoding(name, content)
    return Document(_decoded(name, content, encoding), encoding)


def _content(name: str) -> bytes:
    try:
        # By its number: where it is closed, there is no sys.stdin.
        with open(0, "rb", closefd=False) if name == "-" else Path(name).open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        # ValueError: a name with a NUL in it.
        raise Unreadable(text("cli.file.unreadable", file=name, reason=_reason(error))) from error
    if len(content) > MAX_BYTES:
        raise Unreadable(text("cli.file.too-large", file=name, mib=MAX_BYTES >> 20))
    return content


def _encoding(name: str, content: bytes) -> str:
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return encoding
    declared = _DECLARED.match(content)
    if declared is None:
        return "utf-8"
    told = declared[1].decode("ascii")
    try:
        encoding = codecs.lookup(told).name
    except LookupError as error:
        raise Unreadable(text("cli.file.unknown-encoding", file=name, encoding=told), _as_utf8()) from error
    # A declaration that can be read byte for byte is in no wide encoding, whatever it says of itself.
    return "utf-8" if encoding.startswith(_WIDE) else encoding


def _decoded(name: str, content: bytes, encoding: str) -> str:
    try:
        words = content.decode(encoding)
        if words.encode(encoding) == content:
            return words
    except UnicodeDecodeError as error:
        before = content[: error.start]
        line = before.count(b"\n") + 1
        column = error.start - (before.rfind(b"\n") + 1) + 1
        if encoding == "utf-8":
            raise Unreadable(text("cli.file.not-utf8", file=name, line=line, column=column)) from error
        what = text("cli.file.not-as-told", file=name, encoding=encoding, line=line, column=column)
        raise Unreadable(what, _as_utf8()) from error
    except (LookupError, ValueError) as error:
        # Python also calls things encodings that are none.
        raise Unreadable(text("cli.file.unknown-encoding", file=name, encoding=encoding), _as_utf8()) from error
    # What cannot be written back as it was is not edited.
    raise Unreadable(text("cli.file.unknown-encoding", file=name, encoding=encoding), _as_utf8())


def _as_utf8() -> Text:
    return text("cli.file.as-utf8")


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def replace_text(name: str, words: str, encoding: str) -> None:
    """Put this text where the name leads, whole or not at all; mode and owner stay. Raises Unreadable."""
    content = words.encode(encoding)
    try:
        target = Path(os.path.realpath(name))
        if target.exists() and not target.is_file():
            target.write_bytes(content)
        else:
            _replace(target, content)
    except (OSError, ValueError) as error:
        raise Unreadable(text("cli.file.unwritable", file=name, reason=_reason(error))) from error


def _replace(target: Path, content: bytes) -> None:
    known = target.stat() if target.exists() else None
    descriptor, temporary = tempfile.mkstemp(dir=target.parent, prefix=".vitrail-", suffix=".tmp")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            if known is None:
                os.fchmod(stream.fileno(), _NEW_FILE_MODE & ~_umask())
            else:
                with suppress(PermissionError):
                    os.fchown(stream.fileno(), known.st_uid, known.st_gid)
                os.fchmod(stream.fileno(), stat.S_IMODE(known.st_mode))
            stream.flush()
            os.fsync(stream.fileno())
        Path(temporary).replace(target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _umask() -> int:
    # There is no way to ask without setting it; this runs before any thread does.
    now = os.umask(0o077)
    os.umask(now)
    return now
