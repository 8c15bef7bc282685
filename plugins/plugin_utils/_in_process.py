# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action of every module: do the module's work in the worker, where its process would be on the same machine.

A process for each task costs more than all that the task does. A worker of ansible-core is a process of its own that
has what a module needs, so a task that would run on the controller anyway runs there, with the same options, checks
and results. Every other task goes to the module as if this file were not there.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import ModuleType
from typing import Any

from ansible_collections.vsphere.content_library.plugins.module_utils import (
    _download_sessions,
    _libraries,
    _library_items,
    _update_sessions,
)
from ansible_collections.vsphere.content_library.plugins.module_utils._module import (
    Outcome,
    execute,
    refusal_of,
    secrets_of,
    with_connection_options,
)
from ansible_collections.vsphere.content_library.plugins.module_utils._signals import end_without_parent
from ansible_collections.vsphere.content_library.plugins.module_utils._transport import REQUESTS_IMPORT_ERROR
from ansible_collections.vsphere.content_library.plugins.plugin_utils._core_compat import (
    Display,
    NormalAction,
    boolean,
    configured_interpreter,
    remove_values,
    shows_invocation,
    to_module_arguments,
    validate,
)

SWITCH = "vsphere_content_library_in_process"

display = Display()

# A module imports them when it needs them. Here they are imported before the worker is forked, and not by each task.
SERVICES = (_download_sessions, _libraries, _library_items, _update_sessions)


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
        interpreter = self._templar.template(configured_interpreter(variables))
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
        """What AnsibleModule and module_main do: check the options, run the task, return the result without secrets."""
        unverified_by: list[str] = []
        spec = with_connection_options(self.module.SPEC, unverified_by)
        arguments = to_module_arguments(self._task.args)
        refusal = refusal_of(arguments)
        options = validate(self._task.action, spec, arguments)
        if refusal is not None:
            outcome = Outcome(refusal.fail_kwargs(), failed=True, secrets=secrets_of(options.params))
        elif options.refusal is not None:
            outcome = Outcome(dict(msg=options.refusal), failed=True, secrets=secrets_of(options.params))
        else:
            end_without_parent()
            with _working_in(self._loader.get_basedir()):
                outcome = execute(self.module.run, options.params, self._task.check_mode, self._report, unverified_by)
        result = outcome.result
        if outcome.failed:
            result["failed"] = True
        if not self._task.diff:
            result.pop("diff", None)
        if shows_invocation(task_vars):
            result["invocation"] = dict(module_args=options.params)
        for name, notes in (
            ("warnings", options.warnings + outcome.warnings),
            ("deprecations", options.deprecations),
        ):
            if notes:
                result[name] = notes
        # A short secret must not take the place of a flag, nor of a null.
        flags = {name: value for name, value in result.items() if value is None or isinstance(value, bool)}
        return {**remove_values(result, options.secrets | outcome.secrets), **flags}

    def _report(self, line: str) -> None:
        # Not to standard output, which may be JSON.
        display.display(f"{self._task.action}: {line}", stderr=True)


@contextmanager
def _working_in(folder: str) -> Iterator[None]:
    """Work in this folder. A module on a local connection starts in that of the playbook, so relative paths agree.

    To come back afterwards is a courtesy to whatever else this worker does. Nobody may be able to: the folder before is
    gone, or it is a private home that sudo left behind.
    """
    before = None
    with suppress(OSError):
        before = os.getcwd()
    os.chdir(folder)
    try:
        yield
    finally:
        if before is not None:
            with suppress(OSError):
                os.chdir(before)


def _is_this_python(interpreter: str) -> bool:
    """Whether modules are to run by any Python, or by the one that runs this. Another link to it has other packages."""
    if not interpreter or interpreter.startswith("auto"):
        return True
    same_folder = os.path.dirname(interpreter) == os.path.dirname(sys.executable)
    return same_folder and os.path.realpath(interpreter) == os.path.realpath(sys.executable)
