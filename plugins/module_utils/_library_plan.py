# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a library is to be, and what has to be sent for that. Nothing here sends anything."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.vsphere.content_library.plugins.module_utils._errors import InvalidArgument
from ansible_collections.vsphere.content_library.plugins.module_utils._facts import read
from ansible_collections.vsphere.content_library.plugins.module_utils._models import Library

LIMITS = {"name": 80, "description": 2000}
PUBLICATION = ("authentication_method", "published", "persist_json_enabled")
# Where one of these is another, the publisher is asked anew, with the secrets that no server tells.
PUBLISHER = ("subscription_url", "authentication_method", "user_name")
SUBSCRIPTION = (*PUBLISHER, "automatic_sync_enabled", "on_demand")
SECRETS = ("password", "ssl_thumbprint")
PUBLISHERS_USER = "vcsp"  # of every vCenter
NEW_SUBSCRIPTION = {"authentication_method": "NONE", "automatic_sync_enabled": True, "on_demand": False}

Params = Mapping[str, Any]


def check_limits(params: Params) -> None:
    """Raise InvalidArgument for what no server takes, before anything is sent."""
    for option, limit in LIMITS.items():
        if len(params[option] or "") > limit:
            raise InvalidArgument(f"{option} has more than {limit} characters")
    url = given(params["subscription"]).get("subscription_url")
    if url is not None and not url.strip():
        raise InvalidArgument("subscription_url must not be empty")


def given(options: Params | None) -> dict[str, Any]:
    """The suboptions that the task has, in the words of the API."""
    found = {name: value for name, value in (options or {}).items() if value is not None}
    if "authentication_method" in found:
        found["authentication_method"] = found["authentication_method"].upper()
    return found


def creation(params: Params, backing: dict[str, str] | None) -> dict[str, Any]:
    """The model of a new library. Raises InvalidArgument where something is missing, or does not fit the type."""
    if not params["name"]:
        raise InvalidArgument("a new library needs name")
    if backing is None:
        raise InvalidArgument("a new library needs one of datastore, datastore_id and storage_uri")
    type_ = (params["type"] or "local").upper()
    check_type(params, type_)
    model = {
        "name": params["name"],
        "type": type_,  # the path says it too, and a server may believe the model alone
        "description": params["description"],
        "storage_backings": [backing],
        "security_policy_id": params["security_policy_id"] or None,
    }
    if params["optimize_remote_publishing"] is not None:
        model["optimization_info"] = {"optimize_remote_publishing": params["optimize_remote_publishing"]}
    if type_ == "SUBSCRIBED":
        model["subscription_info"] = new_subscription(given(params["subscription"]))
    elif params["publication"] is not None:
        info = {"authentication_method": "NONE", "published": False, **given(params["publication"])}
        info.pop("current_password", None)
        require_password(info, "publication", "new")
        model["publish_info"] = info
    return {name: value for name, value in model.items() if value is not None}


def check_type(params: Params, type_: str) -> None:
    """Raise InvalidArgument for an option of the other type."""
    other = "publication" if type_ == "SUBSCRIBED" else "subscription"
    if params[other] is not None:
        fitting = "local" if type_ == "SUBSCRIBED" else "subscribed"
        raise InvalidArgument(f"{other} is for a {fitting} library, and this one is {type_.lower()}: see type")


def new_subscription(wanted: dict[str, Any]) -> dict[str, Any]:
    """The SubscriptionInfo of a new library."""
    if "subscription_url" not in wanted:
        raise InvalidArgument("a new subscribed library needs subscription with subscription_url")
    info = {**NEW_SUBSCRIPTION, **wanted}
    if info["authentication_method"] == "BASIC":
        info.setdefault("user_name", PUBLISHERS_USER)
    require_password(info, "subscription", "new")
    return info


def require_password(info: dict[str, Any], option: str, what: str) -> None:
    if info["authentication_method"] == "BASIC" and not info.get("password"):
        raise InvalidArgument(f"{option} with authentication_method basic needs password where it is {what}")


def check_fixed(params: Params, library: Library, backing: dict[str, str] | None) -> None:
    """Raise InvalidArgument for what can't be changed. A server passes over most of that in silence."""
    check_type(params, library["type"])
    optimization = library["optimization_info"]
    optimized = bool(optimization and optimization["optimize_remote_publishing"])
    wanted_optimized = params["optimize_remote_publishing"]
    fixed: list[tuple[str, Any, Any]] = [
        ("type", library["type"].lower(), params["type"]),
        ("optimize_remote_publishing", optimized, wanted_optimized),
    ]
    if backing:
        fixed.append(("storage backing", place(library["storage_backings"]), place([backing])))
    for what, is_, wanted in fixed:
        if wanted is not None and wanted != is_:
            raise InvalidArgument(f"the {what} of library {library['name']} is {is_} and can't become {wanted}")


def place(backings: Any) -> str:
    """Where a library stores its content, for people and to compare."""
    first = backings[0] if backings else {}
    return first.get("datastore_id") or (first.get("storage_uri") or "unknown").rstrip("/")


def changes(params: Params, library: Library) -> dict[str, Any]:
    """The model of an update: only what differs. Raises InvalidArgument where a password for it is missing."""
    # What a library was found by is no property to change.
    model = {
        name: params[name]
        for name in (("name", "description") if params["library_id"] else ("description",))
        if params[name] is not None and params[name] != library[name]
    }
    policy = params["security_policy_id"]
    if policy == "" and library["security_policy_id"]:
        model["unset_security_policy_id"] = True
    elif policy and policy != library["security_policy_id"]:
        model["security_policy_id"] = policy
    always = params["update_password"] == "always"
    if library["type"] == "SUBSCRIBED":
        info = changed_subscription(given(params["subscription"]), dict(library["subscription_info"] or {}), always)
    else:
        info = changed_publication(given(params["publication"]), dict(library["publish_info"] or {}), always)
    if info:
        model["subscription_info" if library["type"] == "SUBSCRIBED" else "publish_info"] = info
    return model


def changed_subscription(wanted: dict[str, Any], before: dict[str, Any], always: bool) -> dict[str, Any]:
    info = differing(wanted, before, SUBSCRIPTION)
    asked_anew = bool(info.keys() & set(PUBLISHER))
    if asked_anew or always:
        info.update((name, wanted[name]) for name in SECRETS if name in wanted)
    after = {**before, **info}
    if asked_anew and after.get("authentication_method") == "BASIC":
        require_password(info | {"authentication_method": "BASIC"}, "subscription", "changed")
        if not after.get("user_name"):
            info["user_name"] = PUBLISHERS_USER
    return info


def changed_publication(wanted: dict[str, Any], before: dict[str, Any], always: bool) -> dict[str, Any]:
    """The vendor guards a change of the password, and the end of it or of the publication, by the current one."""
    info = differing(wanted, before, PUBLICATION)
    was_basic = before.get("authentication_method") == "BASIC"
    if info.get("published") and not was_basic:
        info["authentication_method"] = wanted["authentication_method"]
    if "password" in wanted and (always or info.get("authentication_method") == "BASIC"):
        info["password"] = wanted["password"]
    if info.get("authentication_method") == "BASIC":
        require_password(info, "publication", "changed")
    ends = info.get("authentication_method") == "NONE" or (before.get("published") and info.get("published") is False)
    if was_basic and (ends or "password" in info):
        if not wanted.get("current_password"):
            raise InvalidArgument(
                "publication needs current_password: the library has authentication_method basic, and its password "
                f"is to {'go, or the library is no longer to be published' if ends else 'change'}"
            )
        info["current_password"] = wanted["current_password"]
    return info


def differing(wanted: dict[str, Any], before: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: wanted[name] for name in names if name in wanted and wanted[name] != before.get(name)}


def predicted(library: Library | None, model: dict[str, Any], type_: str) -> Library:
    """The library as it would be, created or updated by this model."""
    known: dict[str, Any] = dict(library or {"description": ""})
    after = {"type": type_, **known, **told(model)}
    for name in ("publish_info", "subscription_info"):
        if name in model:
            after[name] = {**(known.get(name) or {}), **told(model[name])}
    if type_ == "LOCAL" and after.get("publish_info") is None:
        after["publish_info"] = {"authentication_method": "NONE", "published": False, "persist_json_enabled": False}
    publication = after.get("publish_info")
    if publication:
        publication.setdefault("persist_json_enabled", False)
        publication.update({} if publication["published"] else {"publish_url": None, "user_name": None})
    if model.get("unset_security_policy_id"):
        after["security_policy_id"] = None
    return read("Library", after)


def told(model: dict[str, Any]) -> dict[str, Any]:
    """What of a model a server tells."""
    hidden = ("password", "current_password", "ssl_thumbprint", "unset_security_policy_id")
    return {name: value for name, value in model.items() if name not in hidden}
