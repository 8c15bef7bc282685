# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The task `simulator:` puts the host's simulator into a known state and returns the ids of what it made.

    simulator:
      config: {complete_delay: 1.5}                 # keys of POST /control/config
      items: {item: {type: ovf}}                    # attributes of POST /control/items, by a name of your choice
      sessions: {session: {item: item, state: DONE, files: {disk.vmdk: content or null}}}
      faults: [{session: session, match: ..., fault: ...}]  # POST /control/faults; `session` matches its requests alone
      token: administrator@vsphere.local            # logs in; the token is returned as `token`

Sessions are on the item `item` where they don't name another one. A file is pushed with its content, or only added
where that is null. `missing` in the result is an id that nothing has.
"""

from __future__ import annotations

import sys
from pathlib import Path
from urllib.parse import quote, urlsplit

from ansible.plugins.action import ActionBase

sys.path.append(str(Path(__file__).resolve().parents[4]))
from tests.integration.control import Control

ADMINISTRATOR = "administrator@vsphere.local"
MISSING = "00000000-0000-4000-8000-000000000000:11111111-1111-4111-8111-111111111111"


class ActionModule(ActionBase):
    _requires_connection = False
    _VALID_ARGS = frozenset(("config", "items", "sessions", "faults", "token"))

    def run(self, tmp=None, task_vars=None):
        args = self._task.args
        sessions = args.get("sessions", {})
        items = {session.get("item", "item"): {} for session in sessions.values()}
        ids = {"missing": MISSING}
        with Control(task_vars["server"]) as control:
            control("POST", "/reset")
            for name, attributes in {"item": {}, **items, **args.get("items", {})}.items():
                ids[name] = control("POST", "/items", {"name": name, **attributes})["id"]
            for name, session in sessions.items():
                ids[name] = self.add_session(control, ids, **session)
            if "token" in args:
                ids["token"] = control.log_in(args["token"])
            control("POST", "/config", args.get("config", {}))
            control("POST", "/faults", [self.aimed(ids, **fault) for fault in args.get("faults", [])])
            control("DELETE", "/requests")
        return {"changed": False, **ids}

    def add_session(self, control, ids, item="item", user=ADMINISTRATOR, files=None, **attributes):
        [update_session_id] = control("POST", "/sessions", {"library_item_id": ids[item], "user": user})["ids"]
        if files:
            headers = {"vmware-api-session-id": control.log_in(user)}
            path = f"/api/content/library/item/update-session/{quote(update_session_id)}/file"
            for name, content in files.items():
                spec = {"name": name, "source_type": "PUSH"}
                endpoint = control.exchange("POST", path, spec, headers)["upload_endpoint"]["uri"]
                if content is not None:
                    control.exchange("PUT", urlsplit(endpoint).path, content.encode(), headers)
            control.exchange("DELETE", "/api/session", headers=headers)
        control("POST", f"/sessions/{quote(update_session_id)}", attributes)
        return update_session_id

    def aimed(self, ids, match, session=None, **fault):
        # An id is quoted in a path, but for its first half.
        return {"match": {**match, "path": ids[session].partition(":")[0]} if session else match, **fault}
