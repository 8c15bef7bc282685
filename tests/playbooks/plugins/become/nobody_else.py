# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Become who one is already, which asks nobody for a password: what matters is that a task has become."""

from __future__ import annotations

from ansible.plugins.become import BecomeBase

DOCUMENTATION = r"""
name: nobody_else
short_description: Become nobody else
description: Runs the command as it is.
options:
  become_user:
    description: Not used.
    default: root
    vars:
      - name: ansible_become_user
"""


class BecomeModule(BecomeBase):
    name = "nobody_else"

    def build_become_command(self, cmd, shell):
        super().build_become_command(cmd, shell)
        return self._build_success_command(cmd, shell) if cmd else cmd
