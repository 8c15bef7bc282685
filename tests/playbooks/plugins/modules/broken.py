# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module of plugins/action/broken.py, for a process of its own: a bug whose exception tells every secret."""

from __future__ import annotations

from ansible_collections.vsphere.content_library.plugins.module_utils._module import module_main

SPEC = {"argument_spec": {"how": {"required": True, "choices": ["raises"]}}, "supports_check_mode": True}


def run(task):
    token = task.services.client.token()
    return {}[(token, task.params["password"], *task.services.client.secrets)]


if __name__ == "__main__":
    module_main(SPEC, run)
