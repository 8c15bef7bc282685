# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where clients push content to and get it from."""

from __future__ import annotations

from urllib.parse import quote, urlsplit

from .call import Call


def transfer_endpoint(call: Call, path: str, host: str | None, thumbprint: bool | str) -> dict[str, str]:
    """``path`` below /cls/data; on the host of the request unless ``host`` says otherwise."""
    base = urlsplit(call.base_url)
    netloc = f"{host}:{base.port}" if host else base.netloc
    endpoint = {"uri": f"{base.scheme}://{netloc}/cls/data/{quote(path)}"}
    if thumbprint:
        endpoint["ssl_certificate_thumbprint"] = call.store.thumbprint if thumbprint is True else thumbprint
    return endpoint
