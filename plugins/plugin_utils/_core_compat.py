# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The internals of ansible-core that the in-process action leans on, and what each version has.

==================================================  =====================================================
ArgumentSpecValidator                               2.16 and later; AnsibleModule checks its options by it
_no_log_values, _warnings and _deprecations of it   2.16 and later, all private; _warnings lists aliases
get_module_encoder("legacy", CONTROLLER_TO_MODULE)  2.19 and later; AnsibleJSONEncoder before
INJECT_INVOCATION                                   2.21 and later; every result had its invocation before
INTERPRETER_PYTHON by config.get_config_value       2.16 and later
remove_values                                       2.16 and later; AnsibleModule masks its result by it
ActionModule of plugins.action.normal               2.16 and later; the action of every module without one
==================================================  =====================================================
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from ansible import constants as C
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.common.parameters import remove_values
from ansible.module_utils.errors import UnsupportedError
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action.normal import ActionModule as NormalAction
from ansible.utils.display import Display

try:
    from ansible.module_utils.common.json import Direction, get_module_encoder
except ImportError:  # before 2.19
    from ansible.module_utils.common.json import AnsibleJSONEncoder

    _TO_MODULE: dict[str, Any] = dict(cls=AnsibleJSONEncoder, vault_to_text=True)
else:
    _TO_MODULE = dict(cls=get_module_encoder("legacy", Direction.CONTROLLER_TO_MODULE))

__all__ = [
    "Display",
    "NormalAction",
    "Validated",
    "boolean",
    "configured_interpreter",
    "remove_values",
    "shows_invocation",
    "to_module_arguments",
    "validate",
]


class Validated(NamedTuple):
    """The options of a task as AnsibleModule would have them. refusal is its message where it would refuse them."""

    params: dict[str, Any]
    refusal: str | None
    secrets: set[str]
    warnings: list[str]
    deprecations: list[dict[str, Any]]


def to_module_arguments(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments as a module gets them: decrypted, and without what ansible-core knows about each value."""
    return json.loads(json.dumps(arguments, **_TO_MODULE))


def validate(action: str, spec: Mapping[str, Any], arguments: dict[str, Any]) -> Validated:
    """Check arguments by what a module passes to AnsibleModule."""
    rules = {name: rule for name, rule in spec.items() if name != "supports_check_mode"}
    result = ArgumentSpecValidator(**rules).validate(arguments)
    refusal = None
    if result.error_messages:
        refusal = result.errors.msg
        if isinstance(result.errors[0], UnsupportedError):
            refusal = f"Unsupported parameters for ({action}) module: {refusal}"
    aliases = [f"Both option {seen['option']} and its alias {seen['alias']} are set." for seen in result._warnings]
    return Validated(result.validated_parameters, refusal, result._no_log_values, aliases, result._deprecations)


def shows_invocation(variables: Mapping[str, Any]) -> bool:
    """Whether a result shows the options of its task."""
    is_option = hasattr(C, "INJECT_INVOCATION")
    return not is_option or bool(C.config.get_config_value("INJECT_INVOCATION", variables=variables))


def configured_interpreter(variables: Mapping[str, Any]) -> Any:
    """The Python that a host with these variables runs modules by. It may be a template."""
    return C.config.get_config_value("INTERPRETER_PYTHON", variables=variables)
