# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options that modules share, documented in the doc fragments: vcenter, library, content.

The event source takes CONNECTION, and does without ansible-core.
"""

from __future__ import annotations

import os
from typing import Any

from ansible_collections.vsphere.content_library.plugins.module_utils._models import WARNING_TYPES

# Of each connection option what it may be, and the environment variable that it falls back to.
CONNECTION: dict[str, tuple[dict[str, Any], str | None]] = dict(
    hostname=(dict(type="str", required=True), "VMWARE_HOST"),
    port=(dict(type="int"), "VMWARE_PORT"),
    username=(dict(type="str"), "VMWARE_USER"),
    password=(dict(type="str", no_log=True), "VMWARE_PASSWORD"),
    session_id=(dict(type="str", no_log=True), "VMWARE_SESSION_ID"),
    validate_certs=(dict(type="bool", default=True), "VMWARE_VALIDATE_CERTS"),
    ca_path=(dict(type="path"), "VMWARE_CA_PATH"),
    proxy_host=(dict(type="str"), "VMWARE_PROXY_HOST"),
    proxy_port=(dict(type="int"), "VMWARE_PROXY_PORT"),
    api_endpoint=(dict(type="str", choices=["auto", "api", "rest"], default="auto"), "VMWARE_API_ENDPOINT"),
    request_timeout=(dict(type="int", default=60), None),
)
# What says which session, item, library or files a task is about. Null or empty, such an option is refused.
SELECTORS = (
    "update_session_id",
    "library_item_id",
    "source_library_item_id",
    "library_id",
    "library_name",
    "name",
    "files",
)
LIBRARY = dict(library_name=dict(type="str"), library_id=dict(type="str"))
ITEM = dict(name=dict(type="str"), library_item_id=dict(type="str"))
PULL = dict(url=dict(type="str"), ssl_thumbprint=dict(type="str"), checksum=dict(type="str"))
WARNING_BEHAVIOR = dict(
    warning_behavior=dict(
        type="list",
        elements="dict",
        options=dict(
            type=dict(type="str", required=True, choices=list(WARNING_TYPES)),
            ignored=dict(type="bool", default=True),
        ),
    )
)
TIMEOUTS = dict(
    stale_after=dict(type="int", default=30),
    busy_timeout=dict(type="int", default=0),
    wait_timeout=dict(type="int", default=3600),
)
# What the content of an item comes from, and what is to be true of it.
CONTENT: dict[str, dict[str, Any]] = dict(
    state=dict(type="str", choices=["present", "absent"], default="present"),
    type=dict(type="str"),
    description=dict(type="str"),
    source_library_item_id=dict(type="str"),
    src=dict(type="raw"),  # a list of paths, or one path, which may have a comma in it
    **PULL,
    purge=dict(type="bool", default=True),
    force=dict(type="bool", default=False),
    **WARNING_BEHAVIOR,
)
CONTENT_RULES = dict(
    mutually_exclusive=[("src", "url", "source_library_item_id")], required_by=dict(ssl_thumbprint=["url"])
)


def connection_spec(unverified_by: list[str]) -> dict[str, Any]:
    """The connection options as an argument spec.

    The name of the environment variable is added to unverified_by if validate_certs comes from it. AWX injects
    VMWARE_VALIDATE_CERTS=False unless a credential says otherwise, and a user should know who turned verification off.
    """
    from ansible.module_utils.basic import env_fallback
    from ansible.module_utils.errors import AnsibleFallbackNotFound

    def set_fallback(name: str) -> str:
        # CI systems and surveys of AWX leave a variable empty that nobody filled in.
        if not os.environ.get(name, "").strip():
            raise AnsibleFallbackNotFound
        return env_fallback(name)

    def noted_fallback(name: str) -> str:
        value = set_fallback(name)
        unverified_by.append(name)
        return value

    spec = {}
    for name, (option, variable) in CONNECTION.items():
        fallback = noted_fallback if name == "validate_certs" else set_fallback
        spec[name] = {**option, "fallback": (fallback, [variable])} if variable else dict(option)
    return spec
