# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A module of the collection with a bug, served like every other one: it logs in, and then goes wrong in some way."""

from __future__ import annotations

import sys
import time
from types import SimpleNamespace

from ansible_collections.vsphere.content_library.plugins.plugin_utils._in_process import InProcessAction


def recurse(secret):
    return recurse(secret)


WAYS = {
    "raises": lambda secret: {}[secret],
    "exits": lambda secret: sys.exit(3),
    "hangs": lambda secret: time.sleep(3600),
    "recurses": recurse,
}


def run(task):
    token = task.services.client.token()
    WAYS[task.params["how"]](token)
    return {}


class ActionModule(InProcessAction):
    module = SimpleNamespace(
        SPEC={"argument_spec": {"how": {"required": True, "choices": list(WAYS)}}, "supports_check_mode": True}, run=run
    )
