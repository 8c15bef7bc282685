# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.vsphere.content_library.plugins.modules import library_items
from ansible_collections.vsphere.content_library.plugins.plugin_utils._in_process import InProcessAction


class ActionModule(InProcessAction):
    module = library_items
