# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where Ansible meets the services: from the options of a module to its result.

A module is a SPEC (what may be asked), a run (what should be true) and a main of one line. run gets a Task, returns the
facts of its result and raises VapiError; it knows neither AnsibleModule nor the process that it runs in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible.module_utils.basic import AnsibleModule, missing_required_lib
from ansible.module_utils.common.parameters import remove_values

from ansible_collections.vsphere.content_library.plugins.module_utils._argspec import (
    SELECTORS,
    connection_spec,
)
from ansible_collections.vsphere.content_library.plugins.module_utils._client import VCenterClient
from ansible_collections.vsphere.content_library.plugins.module_utils._errors import InvalidArgument
from ansible_collections.vsphere.content_library.plugins.module_utils._safe_text import safe, safe_line, secrets_in
from ansible_collections.vsphere.content_library.plugins.module_utils._signals import (
    end_without_reader,
    interruptible,
)
from ansible_collections.vsphere.content_library.plugins.module_utils._task import (
    Report,
    Services,
    Task,
    failure_of,
)
from ansible_collections.vsphere.content_library.plugins.module_utils._transport import REQUESTS_IMPORT_ERROR
from ansible_collections.vsphere.content_library.plugins.module_utils._wait import LONGEST

CONNECTION_OPTIONS = tuple(connection_spec([]))
MAY_BE_EMPTY = (*CONNECTION_OPTIONS, "description", "security_policy_id")
TIME_OPTIONS = ("request_timeout", "wait_timeout", "busy_timeout", "stale_after")
URL_OPTIONS = ("hostname", "proxy_host", "url", "subscription_url", "storage_uri")

Run = Callable[[Task], dict[str, Any]]


@dataclass
class Outcome:
    """How a run ended. secrets are what no part of the result, and no warning, may show."""

    result: dict[str, Any]
    failed: bool = False
    warnings: list[str] = field(default_factory=list)
    secrets: set[str] = field(default_factory=set)


def with_connection_options(spec: dict[str, Any], unverified_by: list[str]) -> dict[str, Any]:
    """The SPEC of a module with the connection options. unverified_by is that of connection_spec."""
    return {**spec, "argument_spec": {**connection_spec(unverified_by), **spec["argument_spec"]}}


def execute(
    run: Run,
    params: dict[str, Any],
    check_mode: bool,
    report: Report | None = None,
    unverified_by: Sequence[str] = (),
) -> Outcome:
    """Run a task by validated options. Whatever happens, the API token that it logged in for is deleted."""
    client = task = None
    warnings = []
    if unverified_by and not params["validate_certs"]:
        warnings.append(f"Certificates are not verified because the environment variable {unverified_by[0]} says so.")
    try:
        _refuse_empty(params)
        params = {**params, **{name: min(params[name], LONGEST) for name in TIME_OPTIONS if params.get(name)}}
        with interruptible(), VCenterClient(**{option: params[option] for option in CONNECTION_OPTIONS}) as client:
            task = Task(params, check_mode, Services(client), report and (lambda line: report(safe_line(line))))
            facts = run(task)
        outcome = Outcome({"changed": task.changed, "operations": task.operations, **facts})
    except (Exception, SystemExit) as error:
        outcome = Outcome(failure_of(error, task), failed=True)
    outcome.secrets = secrets_of(params)
    if client is not None:
        warnings += (task.warnings if task else []) + client.warnings
        outcome.secrets |= client.secrets | secrets_in(client.proxy or "")
    outcome.result = safe(outcome.result)
    if "msg" in outcome.result:
        outcome.result["msg"] = safe_line(outcome.result["msg"])
    outcome.warnings = [safe_line(warning) for warning in warnings]
    return outcome


def refusal_of(arguments: Mapping[str, Any]) -> InvalidArgument | None:
    """Why arguments, as they came, can't be meant: one that says what the task is about is null or empty.

    ansible-core takes a null for an option that is given, in required_one_of and mutually_exclusive, and a service for
    one that is not, which means everything. So this goes before the check of options by ansible-core.
    """
    option = next(_blank_selectors(arguments), None)
    return _blank(*option) if option else None


def _blank_selectors(arguments: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    for option, value in arguments.items():
        if option in SELECTORS and (value in (None, []) or _is_blank(value)):
            yield path + option, value
        for number, member in enumerate(value if isinstance(value, list) else ()):
            if isinstance(member, Mapping):
                yield from _blank_selectors(member, f"{path}{option}[{number}].")
            elif option in SELECTORS and (member is None or _is_blank(member)):
                yield f"{path}{option}[{number}]", member


def _is_blank(value: Any) -> bool:
    return isinstance(value, str) and not value.strip()


def _blank(option: str, value: Any) -> InvalidArgument:
    return InvalidArgument(
        f"{option} is {'null' if value is None else 'empty'}: what it was made from has no value. In check mode, so has"
        " the id of what was not created. Skip the task then (when: not ansible_check_mode), or leave the option out"
        " (default(omit, true))"
    )


def _refuse_empty(params: Mapping[str, Any], path: str = "") -> None:
    for option, value in params.items():
        if _is_blank(value) and option not in MAY_BE_EMPTY:
            raise _blank(path + option, value)
        for number, member in enumerate(value if isinstance(value, list) else ()):
            if isinstance(member, Mapping):
                _refuse_empty(member, f"{path}{option}[{number}].")


def secrets_of(params: Mapping[str, Any]) -> set[str]:
    """What is secret in the options of this task that are URLs, wherever it may turn up."""
    found: set[str] = set()
    for option, value in params.items():
        if isinstance(value, Mapping):
            found |= secrets_of(value)
        elif isinstance(value, list):
            found |= set().union(*(secrets_of(member) for member in value if isinstance(member, Mapping)))
        elif option in URL_OPTIONS:
            found |= secrets_in(str(value or ""))
    return found


class _Module(AnsibleModule):
    """Refuses selectors that are null, and masks the passwords in URLs when it logs or refuses options.

    ansible-core masks them too, but misses the password of a short user name.
    """

    def _load_params(self) -> None:
        super()._load_params()
        self.refusal = refusal_of(self.params)

    def add_path_info(self, kwargs: dict[str, Any]) -> dict[str, Any]:
        """Leave the result as it is. ansible-core would add the mode and owner of a `dest`, which no worker does."""
        return kwargs

    def log(self, msg: str, log_args: dict[str, Any] | None = None) -> None:
        secrets = secrets_of(self.params)
        super().log(remove_values(msg, secrets), log_args and remove_values(log_args, secrets))

    def fail_json(self, msg: str, **kwargs: Any) -> None:
        self.no_log_values.update(secrets_of(self.params))
        if self.refusal:
            super().fail_json(**self.refusal.fail_kwargs())
        super().fail_json(msg, **kwargs)


def module_main(spec: dict[str, Any], run: Run) -> None:
    """The main of every module: read the arguments, run, and end with exit_json or fail_json."""
    unverified_by: list[str] = []
    module = _Module(**with_connection_options(spec, unverified_by))
    if module.refusal:
        module.fail_json(str(module.refusal))
    if REQUESTS_IMPORT_ERROR is not None:
        module.fail_json(msg=missing_required_lib("requests"), exception=REQUESTS_IMPORT_ERROR)
    end_without_reader(1)
    outcome = execute(run, module.params, module.check_mode, unverified_by=unverified_by)
    module.no_log_values.update(outcome.secrets)
    for warning in outcome.warnings:
        module.warn(warning)
    if outcome.failed:
        module.fail_json(**outcome.result)
    if not module._diff:
        outcome.result.pop("diff", None)
    module.exit_json(**outcome.result)
