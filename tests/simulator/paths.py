# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the vendor's OpenAPI has each operation; written apart from rows.py, which is held to it."""

from __future__ import annotations

UPDATE_SESSION = {
    "api": "/api/content/library/item/update-session",
    "rest": "/rest/com/vmware/content/library/item/update-session",
}
REST = "/rest/com/vmware/content"
REST_FILE = f"{REST}/library/item/updatesession/file"
SESSION_API = "/api/content/library/item/update-session/{update_session_id}"
SESSION_REST = f"{REST}/library/item/update-session/id:{{update_session_id}}"

# Operation -> method and path as the OpenAPI has them, for /api and /rest.
OPERATIONS = {
    "session.create": (("POST", "/api/session"), ("POST", "/rest/com/vmware/cis/session")),
    "session.get": (("GET", "/api/session"), ("POST", "/rest/com/vmware/cis/session?~action=get")),
    "session.delete": (("DELETE", "/api/session"), ("DELETE", "/rest/com/vmware/cis/session")),
    "update_session.list": (("GET", UPDATE_SESSION["api"]), ("GET", UPDATE_SESSION["rest"])),
    "update_session.create": (("POST", UPDATE_SESSION["api"]), ("POST", UPDATE_SESSION["rest"])),
    "update_session.get": (("GET", SESSION_API), ("GET", SESSION_REST)),
    "update_session.update": (("PATCH", SESSION_API), ("PATCH", SESSION_REST)),
    "update_session.delete": (("DELETE", SESSION_API), ("DELETE", SESSION_REST)),
    "update_session.complete": (
        ("POST", f"{SESSION_API}?action=complete"),
        ("POST", f"{SESSION_REST}?~action=complete"),
    ),
    "update_session.cancel": (("POST", f"{SESSION_API}?action=cancel"), ("POST", f"{SESSION_REST}?~action=cancel")),
    "update_session.fail": (("POST", f"{SESSION_API}?action=fail"), ("POST", f"{SESSION_REST}?~action=fail")),
    "update_session.keep_alive": (
        ("POST", f"{SESSION_API}?action=keep-alive"),
        ("POST", f"{SESSION_REST}?~action=keep-alive"),
    ),
    "file.list": (("GET", f"{SESSION_API}/file"), ("GET", REST_FILE)),
    "file.add": (("POST", f"{SESSION_API}/file"), ("POST", f"{REST_FILE}/id:{{update_session_id}}?~action=add")),
    "file.get": (
        ("GET", f"{SESSION_API}/file/{{file_name}}"),
        ("POST", f"{REST_FILE}/id:{{update_session_id}}?~action=get"),
    ),
    "file.remove": (
        ("DELETE", f"{SESSION_API}/file/{{file_name}}"),
        ("POST", f"{REST_FILE}/id:{{update_session_id}}?~action=remove"),
    ),
    "file.validate": (
        ("POST", f"{SESSION_API}/file?action=validate"),
        ("POST", f"{REST_FILE}/id:{{update_session_id}}?~action=validate"),
    ),
    "item.list": (("GET", "/api/content/library/item"), ("GET", f"{REST}/library/item")),
    "item.create": (("POST", "/api/content/library/item"), ("POST", f"{REST}/library/item")),
    "item.find": (
        ("POST", "/api/content/library/item?action=find"),
        ("POST", f"{REST}/library/item?~action=find"),
    ),
    "item.get": (
        ("GET", "/api/content/library/item/{library_item_id}"),
        ("GET", f"{REST}/library/item/id:{{library_item_id}}"),
    ),
    "item.update": (
        ("PATCH", "/api/content/library/item/{library_item_id}"),
        ("PATCH", f"{REST}/library/item/id:{{library_item_id}}"),
    ),
    "item.delete": (
        ("DELETE", "/api/content/library/item/{library_item_id}"),
        ("DELETE", f"{REST}/library/item/id:{{library_item_id}}"),
    ),
    "item_file.list": (
        ("GET", "/api/content/library/item/{library_item_id}/file"),
        ("GET", f"{REST}/library/item/file"),
    ),
    "item_file.get": (
        ("GET", "/api/content/library/item/{library_item_id}/file?name"),
        ("POST", f"{REST}/library/item/file/id:{{library_item_id}}?~action=get"),
    ),
    "library.list": (("GET", "/api/content/library"), ("GET", f"{REST}/library")),
    "library.find": (("POST", "/api/content/library?action=find"), ("POST", f"{REST}/library?~action=find")),
    "library.get": (("GET", "/api/content/library/{library_id}"), ("GET", f"{REST}/library/id:{{library_id}}")),
    "library.update": (
        ("PATCH", "/api/content/library/{library_id}"),
        ("PATCH", f"{REST}/library/id:{{library_id}}"),
    ),
    "local_library.list": (("GET", "/api/content/local-library"), ("GET", f"{REST}/local-library")),
    "local_library.create": (("POST", "/api/content/local-library"), ("POST", f"{REST}/local-library")),
    "local_library.get": (
        ("GET", "/api/content/local-library/{library_id}"),
        ("GET", f"{REST}/local-library/id:{{library_id}}"),
    ),
    "local_library.update": (
        ("PATCH", "/api/content/local-library/{library_id}"),
        ("PATCH", f"{REST}/local-library/id:{{library_id}}"),
    ),
    "local_library.delete": (
        ("DELETE", "/api/content/local-library/{library_id}"),
        ("DELETE", f"{REST}/local-library/id:{{library_id}}"),
    ),
}
