# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an OVF descriptor refers to (DSP0243), read in bounded memory whatever is in it."""

from __future__ import annotations

import codecs
import re
from typing import NamedTuple

from ansible_collections.vsphere.content_library.plugins.module_utils._errors import InvalidArgument

# What a descriptor may make this process hold in memory, far above what real ones need.
MAX_DESCRIPTOR = 16 << 20
MAX_REFERENCES = 10_000
MAX_ELEMENTS, MAX_ATTRIBUTES, MAX_DEPTH = 250_000, 250_000, 100
# Of one tag. expat holds all of them before it tells any, so a long tag is looked through first.
MAX_ATTRIBUTES_OF_A_TAG = 10_000
WINDOW = 64 << 10

FILE = ["Envelope", "References", "File"]
UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, b"<\0", b"\0<")
ATTRIBUTE_VALUE = rb"[^>\"']*(?:\"[^\"]*\"|'[^']*'|(>))"
SIZE = "[0-9]{1,18}"


class Reference(NamedTuple):
    """A File element of the References. None stands for an attribute that is not there, or no number."""

    href: str
    size: int | None
    chunk_size: int | None
    compressed: bool


def read_references(text: bytes, name: str) -> list[Reference]:
    """What counts of each File element, whatever the version, and so the namespace, of the descriptor."""
    from xml.parsers import expat

    # No document type, hence no entities. No namespaces: expat would repeat a long one in each name that it reports.
    reader = _Reader(name)
    try:
        is_utf_16 = text[:2] in UTF_16
        xml = _utf_8(text) if is_utf_16 else text
        _look_through_long_tags(xml, name)
        parser = expat.ParserCreate("utf-8" if is_utf_16 else None)
        parser.StartDoctypeDeclHandler = reader.refuse_doctype
        parser.StartElementHandler = reader.start
        parser.EndElementHandler = reader.end
        parser.ordered_attributes = True
        parser.Parse(xml, True)
    except (expat.ExpatError, LookupError, ValueError) as exc:
        raise InvalidArgument(f"src: {name!r} is not an OVF descriptor, or is damaged: {exc}") from exc
    return reader.references


class _Reader:
    """Takes what expat reports, and refuses what is too much."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._levels = ["", "", ""]  # the local names of the elements that are open, as deep as it matters
        self._elements = self._attributes = self._depth = 0
        self.references: list[Reference] = []

    def start(self, tag: str, attributes: list[str]) -> None:
        """attributes are names and values in turn."""
        self._elements += 1
        self._attributes += len(attributes) // 2
        self._depth += 1
        if self._elements > MAX_ELEMENTS or self._attributes > MAX_ATTRIBUTES or self._depth > MAX_DEPTH:
            counts = f"{MAX_ELEMENTS} elements, {MAX_ATTRIBUTES} attributes or {MAX_DEPTH} levels"
            raise InvalidArgument(f"src: {self._name!r} has more than {counts}, which is too much for a descriptor")
        if self._depth > len(FILE):
            return
        self._levels[self._depth - 1] = tag.rpartition(":")[2]
        if self._levels[0] != "Envelope":
            raise InvalidArgument(
                f"src: {self._name!r} is not an OVF descriptor: it is a {tag[:200]!r}, not an Envelope"
            )
        if self._depth == len(FILE) and self._levels == FILE:
            self.references.append(_reference(attributes))
            _hold("references", len(self.references), MAX_REFERENCES, self._name)

    def end(self, _tag: str) -> None:
        self._depth -= 1

    def refuse_doctype(self, *_declaration: object) -> None:
        what = "it has a document type declaration (DOCTYPE)"
        raise InvalidArgument(f"src: {self._name!r} is not an OVF descriptor: {what}")


def _hold(what: str, count: int, limit: int, name: str) -> None:
    if count > limit:
        raise InvalidArgument(f"src: {name!r} has more than {limit} {what}, which is too much for a descriptor")


def _reference(attributes: list[str]) -> Reference:
    values = {key.rpartition(":")[2]: value for key, value in zip(attributes[::2], attributes[1::2])}

    def number(key: str) -> int | None:
        return int(values[key]) if re.fullmatch(SIZE, values.get(key, "")) else None

    is_compressed = values.get("compression", "") not in ("", "identity")
    return Reference(values.get("href", ""), number("size"), number("chunkSize") or None, is_compressed)


def _utf_8(text: bytes) -> bytearray:
    """UTF-16 in an encoding where a byte says what it is."""
    encoding = "utf-16" if text[:2] in UTF_16[:2] else "utf-16-le" if text[:1] == b"<" else "utf-16-be"
    decoder = codecs.getincrementaldecoder(encoding)()
    result = bytearray()
    for position in range(0, len(text), WINDOW):
        result += decoder.decode(text[position : position + WINDOW]).encode()
    decoder.decode(b"", True)
    return result


def _look_through_long_tags(text: bytes | bytearray, name: str) -> None:
    """Refuse a tag with too many attributes; a text, a comment or an attribute's value may be as long as they like."""
    value, looked_at = re.compile(ATTRIBUTE_VALUE), 0
    for window in range(0, len(text), WINDOW):
        if window < looked_at or text.find(b"<", window, window + WINDOW) >= 0:
            continue
        position, end = text.rfind(b"<", looked_at, window), text.find(b"<", window)
        looked_at = end = len(text) if end < 0 else end
        if position < 0 or text[position + 1 : position + 2] in (b"!", b"?", b"/"):
            continue
        count = 0
        while (match := value.match(text, position, end)) and not match[1]:
            position, count = match.end(), count + 1
            _hold("attributes in one element", count, MAX_ATTRIBUTES_OF_A_TAG, name)
