# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action of every module: do the module's work in the worker, where its process would be on the same machine.

A process for each task costs more than all that the task does. A worker of ansible-core is a process of its own that
has what a module needs, so a task that would run on the controller anyway runs there, with the same options, checks
and results. Every other task goes to the module as if this file were not there.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from ansible import constants as C
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator, ValidationResult
from ansible.module_utils.common.parameters import remove_values
from ansible.module_utils.errors import UnsupportedError
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action.normal import ActionModule as NormalAction
from ansible.utils.display import Display

from ansible_collections.vsphere.content_library.plugins.module_utils._client import REQUESTS_IMPORT_ERROR
from ansible_collections.vsphere.content_library.plugins.module_utils._module import (
    Outcome,
    execute,
    secrets_of,
    with_connection_options,
)

try:
    from ansible.module_utils.common.json import Direction, get_module_encoder
except ImportError:  # ansible-core before 2.19
    from ansible.module_utils.common.json import AnsibleJSONEncoder

    TO_MODULE: dict[str, Any] = dict(cls=AnsibleJSONEncoder, vault_to_text=True)
else:
    TO_MODULE = dict(cls=get_module_encoder("legacy", Direction.CONTROLLER_TO_MODULE))

SWITCH = "vsphere_content_library_in_process"

display = Display()


class InProcessAction(NormalAction):
    """Serves one module, which a subclass names.

    Each module has an action plugin of its name, although plugin_routing could send all of them to one: ansible-core
    imports only an action that has the task's name before it forks the worker. All that is imported later is imported,
    and compiled, again by every task.
    """

    module: ModuleType

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Run the task here, or hand it over."""
        task_vars = task_vars or {}
        hindrance = self._hindrance(task_vars)
        if hindrance is not None:
            display.vvv(f"{self._task.action} runs as a module: {hindrance}")
            return super().run(tmp, task_vars)
        display.vvv(f"{self._task.action} runs in the worker; {SWITCH}=false would run it as a module")
        return self._run_here(task_vars)

    def _hindrance(self, task_vars: dict[str, Any]) -> str | None:
        """Why the task needs a process of its own; None where it does not."""
        task, variables = self._task, task_vars
        if task.delegate_to:
            variables = task_vars.get("ansible_delegated_vars", {}).get(task.delegate_to, {})
        interpreter = self._templar.template(C.config.get_config_value("INTERPRETER_PYTHON", variables=variables))
        wanted = self._templar.template(task_vars.get(SWITCH, os.environ.get(SWITCH.upper(), True)))
        hindrances = {
            f"{SWITCH} is off": not boolean(wanted, strict=False),
            "its connection is not local": self._connection.ansible_name != "ansible.builtin.local",
            "it has become": self._connection.become,
            "it has async": task.async_val,
            "it has environment": any(task.environment or ()),
            f"its interpreter is {interpreter}": not _is_this_python(interpreter),
            "requests can't be imported here": REQUESTS_IMPORT_ERROR is not None,
            "macOS lets no forked process look for a proxy": sys.platform == "darwin",
        }
        return next((reason for reason, holds in hindrances.items() if holds), None)

    def _run_here(self, task_vars: dict[str, Any]) -> dict[str, Any]:
        """What AnsibleModule and module_main do: check the options, do the work, tell the outcome without secrets."""
        unverified_by: list[str] = []
        rules = {name: rule for name, rule in self.module.SPEC.items() if name != "supports_check_mode"}
        # As JSON, like a module gets them: decrypted, and without what ansible-core knows about each value.
        arguments = json.loads(json.dumps(self._task.args, **TO_MODULE))
        validated = ArgumentSpecValidator(**with_connection_options(rules, unverified_by)).validate(arguments)
        params = validated.validated_parameters
        if validated.error_messages:
            outcome = Outcome(dict(msg=self._refusal(validated)), failed=True, secrets=secrets_of(params))
        else:
            with _working_in(self._loader.get_basedir()):
                outcome = execute(self.module.run, params, self._task.check_mode, self._report, unverified_by)
        result = outcome.result
        if outcome.failed:
            result["failed"] = True
        if not self._task.diff:
            result.pop("diff", None)
        # An option of ansible-core 2.21 and later; modules always told before.
        if not hasattr(C, "INJECT_INVOCATION") or C.config.get_config_value("INJECT_INVOCATION", variables=task_vars):
            result["invocation"] = dict(module_args=params)
        twice = [f"Both option {seen['option']} and its alias {seen['alias']} are set." for seen in validated._warnings]
        told = {"warnings": twice + outcome.warnings, "deprecations": validated._deprecations}
        result.update({name: texts for name, texts in told.items() if texts})
        # A short secret must not take the place of a flag, nor of a null.
        flags = {name: value for name, value in result.items() if value is None or isinstance(value, bool)}
        return {**remove_values(result, validated._no_log_values | outcome.secrets), **flags}

    def _report(self, line: str) -> None:
        # Not to standard output, which may be JSON.
        display.display(f"{self._task.action}: {line}", stderr=True)

    def _refusal(self, validated: ValidationResult) -> str:
        errors = validated.errors
        if isinstance(errors[0], UnsupportedError):
            return f"Unsupported parameters for ({self._task.action}) module: {errors.msg}"
        return errors.msg


@contextmanager
def _working_in(folder: str) -> Iterator[None]:
    """A relative path means what it means to a module, which a local connection starts in the playbook's folder."""
    before = os.getcwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def _is_this_python(interpreter: str) -> bool:
    """Whether an interpreter is discovered, or the one that runs this; another link to it has other packages."""
    if not interpreter or interpreter.startswith("auto"):
        return True
    same_folder = os.path.dirname(interpreter) == os.path.dirname(sys.executable)
    return same_folder and os.path.realpath(interpreter) == os.path.realpath(sys.executable)
