# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a module documents as its return values is what it returns: no key more, none less, of that type."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from types import ModuleType
from typing import Any

import yaml

# What any module of Ansible may return.
COMMON = {"changed", "failed", "msg", "warnings", "deprecations", "invocation", "exception"}
TYPES = {"str": str, "int": int, "bool": bool, "list": list, "dict": dict, "float": (int, float)}
# What a newer vCenter adds is passed through: keys that the cases make up, or that the simulator has.
NEWER = {"novelty", "metadata_version", "state_info", "configuration_info", "source_id"}

# A key and all those beside it, which tell one model from another wherever modules return it.
Key = tuple[frozenset[str], str]


@cache
def documented(module: ModuleType) -> dict[str, Any]:
    return yaml.safe_load(module.RETURN)


def check_result(docs: dict[str, Any], result: dict[str, Any], failed: bool) -> set[Key]:
    """Hold a result against its documentation. Returns the documented keys that it has."""
    told = {key: value for key, value in result.items() if key not in COMMON}
    if failed and "error_type" not in told:
        assert not told, told  # Ansible refused the arguments
        return set()
    for name, doc in docs.items():
        when = doc["returned"]
        expected = when.startswith("success") if not failed else when == "failure"
        if expected and (when == "failure" or " and O(" not in when):
            assert name in told, f"{name} is not there"
        if when == "success":
            assert not failed or name not in told, f"{name} is there after a failure"
        if when == "failure":
            assert failed or name not in told, f"{name} is there after a success"
    return set(_seen(told, docs, ""))


def _seen(entry: dict[str, Any], docs: dict[str, Any], path: str) -> Iterator[Key]:
    for key, value in entry.items():
        if path and key in NEWER:
            continue
        assert key in docs, f"{path}{key} is not documented"
        yield frozenset(docs), key
        if value is not None:
            yield from _value(value, docs[key], f"{path}{key}")
    for key, doc in docs.items():
        assert key in entry or not path or doc["returned"] != "always", f"{path}{key} is not always there"


def _value(value: Any, doc: dict[str, Any], path: str) -> Iterator[Key]:
    wanted = TYPES[doc["type"]]
    assert isinstance(value, wanted), (path, value)
    assert wanted is bool or not isinstance(value, bool), (path, value)
    if isinstance(value, list) and "elements" in doc:
        assert all(isinstance(member, TYPES[doc["elements"]]) for member in value), (path, value)
    if "contains" in doc:
        for member in value if isinstance(value, list) else [value]:
            yield from _seen(member, doc["contains"], f"{path}.")


def keys(docs: dict[str, Any]) -> Iterator[Key]:
    """All that is documented."""
    for key, doc in docs.items():
        yield frozenset(docs), key
        yield from keys(doc.get("contains", {}))
