# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every module supports, as attributes."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Whether the module can tell in C(check_mode) what it would do.
    support: full
    details:
      - In check mode the module reads and never writes. Logging in is no write.
  action_group:
    description: The group that C(module_defaults) can name to set options for this module and its siblings.
    support: full
    membership:
      - vsphere.content_library.vcenter
  action:
    description: Whether an action plugin does parts of the work on the controller.
    support: full
    details:
      - A task runs in ansible-core's worker process, which is much faster, if it has the local connection and the
        Python of ansible-core or a discovered one. It runs as a module with C(become), C(async) or C(environment), on
        macOS, and on any other host.
      - Set the variable C(vsphere_content_library_in_process), or the environment variable
        E(VSPHERE_CONTENT_LIBRARY_IN_PROCESS), to V(false) to run each task as a module. With C(-vvv) a task
        says which way it runs, and why.
  async:
    description: Whether the module supports C(async).
    support: full
  platform:
    description: Where the module can run.
    support: full
    platforms: posix
"""

    INFO_MODULE = r"""
options: {}
attributes:
  diff_mode:
    description: Whether the module returns C(before) and C(after) with C(--diff).
    support: N/A
    details:
      - The module only reads.
  idempotent:
    description: Whether a second run with the same arguments changes nothing.
    support: full
    details:
      - The module only reads.
"""

    RESOURCE_MODULE = r"""
options: {}
attributes:
  diff_mode:
    description: Whether the module returns C(before) and C(after) with C(--diff).
    support: full
  idempotent:
    description: Whether a second run with the same arguments changes nothing.
    support: full
"""
