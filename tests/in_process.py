# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a module's task in this process, with the options that ansible-core makes of its arguments."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any
from unittest import mock

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator, ValidationResult
from ansible.module_utils.common.parameters import remove_values

from ansible_collections.vsphere.content_library.plugins.module_utils._module import (
    Outcome,
    execute,
    refusal_of,
    with_connection_options,
)


def validate(module: ModuleType, arguments: dict[str, Any], unverified_by: list[str] | None = None) -> ValidationResult:
    """What ansible-core makes of the arguments, as AnsibleModule asks it to. unverified_by as in connection_spec."""
    unverified_by = [] if unverified_by is None else unverified_by
    rules = {name: rule for name, rule in module.SPEC.items() if name != "supports_check_mode"}
    return ArgumentSpecValidator(**with_connection_options(rules, unverified_by)).validate(arguments)


def run(module: ModuleType, arguments: dict[str, Any], check_mode: bool = False) -> Outcome:
    validated = validate(module, arguments)
    assert not validated.error_messages, validated.error_messages
    return execute(module.run, validated.validated_parameters, check_mode)


def result_of(module: ModuleType, arguments: dict[str, Any], check_mode: bool = False) -> dict[str, Any]:
    """What a play gets: with `failed` and `warnings`, and without secrets."""
    refusal = refusal_of(arguments)
    if refusal is not None:
        return {"failed": True, **refusal.fail_kwargs()}
    unverified_by: list[str] = []
    validated = validate(module, arguments, unverified_by)
    if validated.error_messages:
        return {"failed": True, "msg": validated.errors.msg}
    outcome = execute(module.run, validated.validated_parameters, check_mode, unverified_by=unverified_by)
    told = {"failed": True} if outcome.failed else {}
    result = {**outcome.result, **told, "warnings": outcome.warnings}
    return remove_values(result, validated._no_log_values | outcome.secrets)


READS = (".get", ".list", ".find", ".validate", ".probe")


def writes(operations: Iterable[str]) -> list[str]:
    """Those of the operations that change something, logins and logouts among them."""
    return [operation for operation in operations if not operation.endswith(READS)]


@contextmanager
def nobodys_vcenter() -> Iterator[None]:
    """No option comes from the environment of whoever runs this."""
    with mock.patch.dict(os.environ):
        for name in [name for name in os.environ if name.startswith("VMWARE_")]:
            del os.environ[name]
        yield
