# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options that choose a library, and one of its items."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  library_name:
    description:
      - The library, by its exact name. Where several libraries have the name, use O(library_id).
    type: str
  library_id:
    description: The library, by its identifier.
    type: str
"""

    ITEM = r"""
options:
  name:
    description: The library item, by its exact name in the library.
    type: str
  library_item_id:
    description: The library item, by its identifier.
    type: str
"""
