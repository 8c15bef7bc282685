# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of operations on the wire: the newer REST API below /api, the older one below /rest."""

from __future__ import annotations

from dataclasses import dataclass

WHOLE = ""  # the body is the argument itself, not a field of a structure


@dataclass(frozen=True)
class Row:
    """One operation in one dialect. ``body`` maps the fields of the body to arguments."""

    operation: str
    method: str
    path: str
    status: int
    body: dict[str, str] | None = None
    query: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()  # query parameters that may be repeated
    anonymous: bool = False
    since: str = "0"  # the first version of vCenter that has it


TOKEN = ("client_token",)
NAME = ("file_name",)
FILE_NAME = {"file_name": "file_name"}
PROGRESS = {"progress": "progress"}
DATASTORE_FILTERS = ("datastores", "names", "types")
REST_FILTERS = ("filter.datastores", "filter.names", "filter.types")
REASON = {"client_error_message": "client_error_message"}
PREPARE = {"file_name": "file_name", "endpoint_type": "endpoint_type"}

SESSION = "/content/library/item/update-session"
DOWNLOAD = "/content/library/item/download-session"
LOCAL = "/content/local-library"
SUBSCRIBED = "/content/subscribed-library"
SUBSCRIBED_ITEM = "/content/library/subscribed-item"
FORCE = "?action=force-delete"
PROBE = {"subscription_info": "subscription_info"}
SYNC = {"force_sync_content": "force_sync_content", "sync_optional_files": "sync_optional_files"}
API_ROWS = [
    Row("session.create", "POST", "/session", 201, anonymous=True),
    Row("session.get", "GET", "/session", 200),
    Row("session.delete", "DELETE", "/session", 204),
    Row("update_session.list", "GET", SESSION, 200, query=("library_item_id",)),
    Row("update_session.create", "POST", SESSION, 201, {WHOLE: "spec"}, TOKEN),
    Row("update_session.get", "GET", f"{SESSION}/{{update_session_id}}", 200),
    Row("update_session.update", "PATCH", f"{SESSION}/{{update_session_id}}", 204, {WHOLE: "spec"}),
    Row("update_session.delete", "DELETE", f"{SESSION}/{{update_session_id}}", 204),
    Row("update_session.complete", "POST", f"{SESSION}/{{update_session_id}}?action=complete", 204),
    Row("update_session.cancel", "POST", f"{SESSION}/{{update_session_id}}?action=cancel", 204),
    Row(
        "update_session.fail",
        "POST",
        f"{SESSION}/{{update_session_id}}?action=fail",
        204,
        REASON,
    ),
    Row(
        "update_session.keep_alive",
        "POST",
        f"{SESSION}/{{update_session_id}}?action=keep-alive",
        204,
        {"client_progress": "client_progress"},
    ),
    Row("file.list", "GET", f"{SESSION}/{{update_session_id}}/file", 200),
    Row("file.add", "POST", f"{SESSION}/{{update_session_id}}/file", 201, {WHOLE: "spec"}),
    Row("file.validate", "POST", f"{SESSION}/{{update_session_id}}/file?action=validate", 200),
    Row("file.get", "GET", f"{SESSION}/{{update_session_id}}/file/{{file_name}}", 200),
    Row("file.remove", "DELETE", f"{SESSION}/{{update_session_id}}/file/{{file_name}}", 204),
    Row("item.list", "GET", "/content/library/item", 200, query=("library_id",)),
    Row("item.create", "POST", "/content/library/item", 201, {WHOLE: "spec"}, TOKEN),
    Row("item.find", "POST", "/content/library/item?action=find", 200, {WHOLE: "spec"}),
    Row("item.get", "GET", "/content/library/item/{library_item_id}", 200),
    Row("item.update", "PATCH", "/content/library/item/{library_item_id}", 204, {WHOLE: "spec"}),
    Row("item.delete", "DELETE", "/content/library/item/{library_item_id}", 204),
    Row("item_file.list", "GET", "/content/library/item/{library_item_id}/file", 200),
    Row("item_file.get", "GET", "/content/library/item/{library_item_id}/file?name", 200, query=("name",)),
    Row("item.copy", "POST", "/content/library/item/{source_library_item_id}?action=copy", 200, {WHOLE: "spec"}, TOKEN),
    Row("item_storage.list", "GET", "/content/library/item/{library_item_id}/storage", 200),
    Row("item_storage.get", "GET", "/content/library/item/{library_item_id}/storage?file_name", 200, query=NAME),
    Row("download_session.list", "GET", DOWNLOAD, 200, query=("library_item_id",)),
    Row("download_session.create", "POST", DOWNLOAD, 201, {WHOLE: "spec"}, TOKEN),
    Row("download_session.get", "GET", f"{DOWNLOAD}/{{download_session_id}}", 200),
    Row("download_session.delete", "DELETE", f"{DOWNLOAD}/{{download_session_id}}", 204),
    Row("download_session.keep_alive", "POST", f"{DOWNLOAD}/{{download_session_id}}?action=keep-alive", 204, PROGRESS),
    Row("download_session.cancel", "POST", f"{DOWNLOAD}/{{download_session_id}}?action=cancel", 204),
    Row("download_session.fail", "POST", f"{DOWNLOAD}/{{download_session_id}}?action=fail", 204, REASON),
    Row("download_file.list", "GET", f"{DOWNLOAD}/{{download_session_id}}/file", 200),
    Row("download_file.get", "GET", f"{DOWNLOAD}/{{download_session_id}}/file?file_name", 200, query=NAME),
    Row("download_file.prepare", "POST", f"{DOWNLOAD}/{{download_session_id}}/file?action=prepare", 200, PREPARE),
    Row("datastore.list", "GET", "/vcenter/datastore", 200, lists=DATASTORE_FILTERS),
    Row("library.list", "GET", "/content/library", 200),
    Row("library.find", "POST", "/content/library?action=find", 200, {WHOLE: "spec"}),
    Row("library.get", "GET", "/content/library/{library_id}", 200),
    Row("library.update", "PATCH", "/content/library/{library_id}", 204, {WHOLE: "spec"}),
    Row("local_library.list", "GET", "/content/local-library", 200),
    Row("local_library.create", "POST", "/content/local-library", 201, {WHOLE: "spec"}, TOKEN),
    Row("local_library.get", "GET", "/content/local-library/{library_id}", 200),
    Row("local_library.update", "PATCH", "/content/local-library/{library_id}", 204, {WHOLE: "spec"}),
    Row("local_library.delete", "DELETE", "/content/local-library/{library_id}", 204),
    Row("local_library.force_delete", "POST", f"{LOCAL}/{{library_id}}{FORCE}", 204, since="9.1"),
    Row("subscribed_library.list", "GET", SUBSCRIBED, 200),
    Row("subscribed_library.create", "POST", SUBSCRIBED, 201, {WHOLE: "spec"}, ("client_token",)),
    Row("subscribed_library.get", "GET", f"{SUBSCRIBED}/{{library_id}}", 200),
    Row("subscribed_library.update", "PATCH", f"{SUBSCRIBED}/{{library_id}}", 204, {WHOLE: "spec"}),
    Row("subscribed_library.delete", "DELETE", f"{SUBSCRIBED}/{{library_id}}", 204),
    Row("subscribed_library.force_delete", "POST", f"{SUBSCRIBED}/{{library_id}}{FORCE}", 204, since="9.1"),
    Row("subscribed_library.probe", "POST", f"{SUBSCRIBED}?action=probe", 200, PROBE),
    Row("subscribed_library.sync", "POST", f"{SUBSCRIBED}/{{library_id}}?action=sync", 204),
    Row("subscribed_library.evict", "POST", f"{SUBSCRIBED}/{{library_id}}?action=evict", 204),
    Row("subscribed_item.sync", "POST", f"{SUBSCRIBED_ITEM}/{{library_item_id}}?action=sync", 204, SYNC),
    Row("subscribed_item.evict", "POST", f"{SUBSCRIBED_ITEM}/{{library_item_id}}?action=evict", 204),
]

ROOT = "/com/vmware/content"
REST_SESSION = f"{ROOT}/library/item/update-session"
REST_FILE = f"{ROOT}/library/item/updatesession/file"
REST_DOWNLOAD = f"{ROOT}/library/item/download-session"
ONE_DOWNLOAD = f"{REST_DOWNLOAD}/id:{{download_session_id}}"
DOWNLOAD_FILE = f"{ROOT}/library/item/downloadsession/file"
REST_SUBSCRIBED = f"{ROOT}/subscribed-library"
REST_ITEM = f"{ROOT}/library/subscribed-item"
CREATE = {"create_spec": "spec", "client_token": "client_token"}
COPY = {"destination_create_spec": "spec", "client_token": "client_token"}
REST_ROWS = [
    Row("session.create", "POST", "/com/vmware/cis/session", 200, anonymous=True),
    Row("session.get", "POST", "/com/vmware/cis/session?~action=get", 200),
    Row("session.delete", "DELETE", "/com/vmware/cis/session", 200),
    Row("update_session.list", "GET", REST_SESSION, 200, query=("library_item_id",)),
    Row("update_session.create", "POST", REST_SESSION, 200, CREATE),
    Row("update_session.get", "GET", f"{REST_SESSION}/id:{{update_session_id}}", 200),
    Row("update_session.update", "PATCH", f"{REST_SESSION}/id:{{update_session_id}}", 200, {"update_spec": "spec"}),
    Row("update_session.delete", "DELETE", f"{REST_SESSION}/id:{{update_session_id}}", 200),
    Row("update_session.complete", "POST", f"{REST_SESSION}/id:{{update_session_id}}?~action=complete", 200),
    Row("update_session.cancel", "POST", f"{REST_SESSION}/id:{{update_session_id}}?~action=cancel", 200),
    Row(
        "update_session.fail",
        "POST",
        f"{REST_SESSION}/id:{{update_session_id}}?~action=fail",
        200,
        REASON,
    ),
    Row(
        "update_session.fail",
        "POST",
        f"{REST_SESSION}?~action=fail",
        200,
        {"client_error_message": "client_error_message", "update_session_id": "update_session_id"},
    ),
    Row(
        "update_session.keep_alive",
        "POST",
        f"{REST_SESSION}/id:{{update_session_id}}?~action=keep-alive",
        200,
        {"client_progress": "client_progress"},
    ),
    Row("file.list", "GET", REST_FILE, 200, query=("update_session_id",)),
    Row("file.add", "POST", f"{REST_FILE}/id:{{update_session_id}}?~action=add", 200, {"file_spec": "spec"}),
    Row("file.validate", "POST", f"{REST_FILE}/id:{{update_session_id}}?~action=validate", 200),
    Row("file.get", "POST", f"{REST_FILE}/id:{{update_session_id}}?~action=get", 200, FILE_NAME),
    Row("file.remove", "POST", f"{REST_FILE}/id:{{update_session_id}}?~action=remove", 200, FILE_NAME),
    Row("item.list", "GET", f"{ROOT}/library/item", 200, query=("library_id",)),
    Row("item.create", "POST", f"{ROOT}/library/item", 200, CREATE),
    Row("item.find", "POST", f"{ROOT}/library/item?~action=find", 200, {"spec": "spec"}),
    Row("item.get", "GET", f"{ROOT}/library/item/id:{{library_item_id}}", 200),
    Row("item.update", "PATCH", f"{ROOT}/library/item/id:{{library_item_id}}", 200, {"update_spec": "spec"}),
    Row("item.delete", "DELETE", f"{ROOT}/library/item/id:{{library_item_id}}", 200),
    Row("item_file.list", "GET", f"{ROOT}/library/item/file", 200, query=("library_item_id",)),
    Row("item_file.get", "POST", f"{ROOT}/library/item/file/id:{{library_item_id}}?~action=get", 200, {"name": "name"}),
    Row("item.copy", "POST", f"{ROOT}/library/item/id:{{source_library_item_id}}?~action=copy", 200, COPY),
    Row("item_storage.list", "GET", f"{ROOT}/library/item/storage", 200, query=("library_item_id",)),
    Row("item_storage.get", "POST", f"{ROOT}/library/item/storage/id:{{library_item_id}}?~action=get", 200, FILE_NAME),
    Row("download_session.list", "GET", REST_DOWNLOAD, 200, query=("library_item_id",)),
    Row("download_session.create", "POST", REST_DOWNLOAD, 200, CREATE),
    Row("download_session.get", "GET", ONE_DOWNLOAD, 200),
    Row("download_session.delete", "DELETE", ONE_DOWNLOAD, 200),
    Row("download_session.keep_alive", "POST", f"{ONE_DOWNLOAD}?~action=keep-alive", 200, PROGRESS),
    Row("download_session.cancel", "POST", f"{ONE_DOWNLOAD}?~action=cancel", 200),
    Row("download_session.fail", "POST", f"{ONE_DOWNLOAD}?~action=fail", 200, REASON),
    Row("download_file.list", "GET", DOWNLOAD_FILE, 200, query=("download_session_id",)),
    Row("download_file.get", "POST", f"{DOWNLOAD_FILE}/id:{{download_session_id}}?~action=get", 200, FILE_NAME),
    Row("download_file.prepare", "POST", f"{DOWNLOAD_FILE}/id:{{download_session_id}}?~action=prepare", 200, PREPARE),
    Row("datastore.list", "GET", "/vcenter/datastore", 200, lists=REST_FILTERS),
    Row("library.list", "GET", f"{ROOT}/library", 200),
    Row("library.find", "POST", f"{ROOT}/library?~action=find", 200, {"spec": "spec"}),
    Row("library.get", "GET", f"{ROOT}/library/id:{{library_id}}", 200),
    Row("library.update", "PATCH", f"{ROOT}/library/id:{{library_id}}", 200, {"update_spec": "spec"}),
    Row("local_library.list", "GET", f"{ROOT}/local-library", 200),
    Row("local_library.create", "POST", f"{ROOT}/local-library", 200, CREATE),
    Row("local_library.get", "GET", f"{ROOT}/local-library/id:{{library_id}}", 200),
    Row("local_library.update", "PATCH", f"{ROOT}/local-library/id:{{library_id}}", 200, {"update_spec": "spec"}),
    Row("local_library.delete", "DELETE", f"{ROOT}/local-library/id:{{library_id}}", 200),
    Row("subscribed_library.list", "GET", REST_SUBSCRIBED, 200),
    Row("subscribed_library.create", "POST", REST_SUBSCRIBED, 200, CREATE),
    Row("subscribed_library.get", "GET", f"{REST_SUBSCRIBED}/id:{{library_id}}", 200),
    Row("subscribed_library.update", "PATCH", f"{REST_SUBSCRIBED}/id:{{library_id}}", 200, {"update_spec": "spec"}),
    Row("subscribed_library.delete", "DELETE", f"{REST_SUBSCRIBED}/id:{{library_id}}", 200),
    Row("subscribed_library.probe", "POST", f"{REST_SUBSCRIBED}?~action=probe", 200, PROBE),
    Row("subscribed_library.sync", "POST", f"{REST_SUBSCRIBED}/id:{{library_id}}?~action=sync", 200),
    Row("subscribed_library.evict", "POST", f"{REST_SUBSCRIBED}/id:{{library_id}}?~action=evict", 200),
    Row("subscribed_item.sync", "POST", f"{REST_ITEM}/id:{{library_item_id}}?~action=sync", 200, SYNC),
    Row("subscribed_item.evict", "POST", f"{REST_ITEM}/id:{{library_item_id}}?~action=evict", 200),
]
