# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options that several modules have for content and for the update session that brings it."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options: {}
"""

    PULL = r"""
options:
  url:
    description: The URL from which the server pulls the file.
    type: str
  ssl_thumbprint:
    description:
      - The thumbprint of the certificate that O(url) presents. Needed where the server can't verify that certificate.
      - SHA-1 up to vSphere 8, SHA-256 from 9.1.
    type: str
  checksum:
    description: The checksum of a single file in md5, sha1, sha256 or sha512, such as V(sha256:2c26b46b...).
    type: str
"""

    WARNING_BEHAVIOR = r"""
options:
  warning_behavior:
    description: Which warnings do not fail the update session. A type that is not in the list keeps its behavior.
    type: list
    elements: dict
    suboptions:
      type:
        description: The type of the warning.
        type: str
        required: true
        choices:
          - SELF_SIGNED_CERTIFICATE
          - EXPIRED_CERTIFICATE
          - NOT_YET_VALID_CERTIFICATE
          - UNTRUSTED_CERTIFICATE
      ignored:
        description: Whether the warning is ignored.
        type: bool
        default: true
"""

    TIMEOUTS = r"""
options:
  stale_after:
    description:
      - How long, in seconds, an open update session of the same user may stand still. One whose progress and expiry
        have not changed for this long was left behind by a killed run. The task cancels, deletes and replaces it.
      - While this module works, its own update session moves three times as often.
    type: int
    default: 30
  busy_timeout:
    description:
      - How many seconds to wait for an update session that is at work, or for one of another user, before the task
        fails with C(RESOURCE_BUSY).
    type: int
    default: 0
  wait_timeout:
    description: How many seconds the server may take from the last byte until the content is in the library.
    type: int
    default: 3600
"""
