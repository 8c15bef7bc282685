# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cases of tests/integration/cases/content/<module>.yml, for the modules that move content.

A case has `given`, `task` and `phases` as in tests/integration/cases.py. Beside `given` it may use these variables:
`files`, the folder that `write_sources` fills; `demo`, the id of the library of that name; `http` and `https`, URLs
where the same folder is served, and `thumbprint` of the latter's certificate; `sha256`, by the names of files. `expect`
says what comes of it:

    operations              as in the result; none where it is left out
    requests                the operations of the API that the real run called, without login and logout
    files                   as in the result, in order: "NAME ACTION", and " verified" where checksum_verified is true
    items, item_files       the names of library_items, and of the files of the first
    item, session, file     some keys of library_item, update_session and file, with their values; null for null
    content                 by name, what the item has on the server afterwards: the name in `files` of a file with the
                            same bytes, or null for whatever was there before; the item is that of the result, else the
                            one that `given` has; null for an item that is gone
    session_files           by name, some keys of the files that the session of `given` has; null for what is not there
    sessions                the sessions on the server afterwards: each its state, and a part of its error message
    warnings                a part of each warning
    failed                  error_type, msg (parts of it), and if told http_status and operation
    check, again            what differs from the above in that phase
    sent                    false where nothing at all may be sent
    tokens_left             how many; 1 where the server refuses a token and keeps it all the same
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import http.server
import io
import json
import re
import socket
import ssl
import tarfile
import threading
import uuid
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import trustme
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from tests.in_process import writes
from tests.integration.cases import DIALECTS, WAYS, phases_of, playbook_of
from tests.integration.playbooks import Playbooks, Run, Server, TaskResult

CASES = Path(__file__).parent / "cases/content"
LARGE = 12 << 20  # more than the buffers of a connection hold, so that a rate holds for it
NAME = "größe (1) ü.iso"
DEMO = str(uuid.uuid5(uuid.NAMESPACE_URL, "library/demo"))


# Sources


def descriptor(*names: str, sizes: dict[str, int] | None = None) -> bytes:
    references = "".join(
        f'<File ovf:id="file{number}" ovf:href="{name}"' + (f' ovf:size="{sizes[name]}"' if sizes else "") + "/>"
        for number, name in enumerate(names)
    )
    namespace = "http://schemas.dmtf.org/ovf/envelope/1"
    return (
        f'<?xml version="1.0"?>\n<Envelope xmlns="{namespace}" xmlns:ovf="{namespace}">'
        f'<References>{references}</References><VirtualSystem ovf:id="vm"><Info>vm</Info></VirtualSystem></Envelope>'
    ).encode()


def self_signed() -> bytes:
    """The certificate of a package's author."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "The author")])
    now = datetime.now(timezone.utc)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=1))
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)


def manifest(files: dict[str, bytes]) -> bytes:
    lines = [f"SHA256({name})= {hashlib.sha256(content).hexdigest()}\n" for name, content in files.items()]
    return "".join(lines).encode()


def archive(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def write_sources(folder: Path) -> None:
    """All that the cases push."""
    disks = {f"disk{number}.vmdk": f"disk {number} ".encode() * 40_000 * number for number in (1, 2, 3)}
    content = {**disks, "appliance.nvram": b"\0nvram\0" * 100}
    sizes = {name: len(data) for name, data in content.items()}
    described = {"appliance.ovf": descriptor(*content, sizes=sizes), **content}
    signed = {"appliance.mf": manifest(described), "appliance.cert": self_signed()}
    ova = {"appliance.ovf": described["appliance.ovf"], "appliance.mf": signed["appliance.mf"], **content}
    wrong = {"wrong.ovf": descriptor("disk1.vmdk"), "disk1.vmdk": disks["disk1.vmdk"]}
    texts = {
        "tools.iso": b"tools 1\n",
        "more.iso": b"more\n",
        "empty.iso": b"",
        NAME: b"with a name of many kinds\n",
        **described,
        **signed,
        "appliance.ova": archive(ova),
        "missing.ovf": descriptor("not-there.vmdk"),
        "escaping.ovf": descriptor("../tools.iso"),
        "wrong.ovf": wrong["wrong.ovf"],
        "wrong.mf": manifest({**wrong, "disk1.vmdk": b"other"}),
    }
    for name, data in texts.items():
        (folder / name).write_bytes(data)
    with (folder / "large.iso").open("wb") as stream:
        stream.truncate(LARGE)
    (folder / "folder.iso").mkdir()
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(folder / "socket.iso"))


class FileHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args: Any) -> None:
        pass


@contextlib.contextmanager
def served(folder: Path, certificate: trustme.LeafCert | None = None) -> Iterator[str]:
    """The URL of a web server with what is in a folder."""
    handler = functools.partial(FileHandler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            certificate.configure_cert(context)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield f"{'https' if certificate else 'http'}://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


@contextlib.contextmanager
def variables(folder: Path) -> Iterator[dict[str, Any]]:
    """The sources and where they are, as variables of a playbook."""
    write_sources(folder)
    certificate = trustme.CA().issue_cert("127.0.0.1")
    der = ssl.PEM_cert_to_DER_cert(certificate.cert_chain_pems[0].bytes().decode())
    paths = [path for path in folder.iterdir() if path.is_file()]
    with served(folder) as plain, served(folder, certificate) as secure:
        yield {
            "files": str(folder),
            "demo": DEMO,
            "http": plain,
            "https": secure,
            "thumbprint": hashlib.sha1(der, usedforsecurity=False).hexdigest(),
            "sha256": {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths},
        }


# Cases


@functools.cache
def load_cases(module: str) -> list[dict[str, Any]]:
    cases = yaml.safe_load((CASES / f"{module}.yml").read_text(encoding="utf-8"))
    names = [case["case"] for case in cases]
    assert len(names) == len(set(names)), f"{module}.yml has a case twice"
    return cases


def contract(module: str) -> list[Any]:
    """Parameters `case`, `way` and `dialect` of a test: how each case of a module is run."""
    return [
        pytest.param(case, way, dialect, id=f"{case['case']}-{way}-{dialect}")
        for number, case in enumerate(load_cases(module))
        for way in WAYS
        for dialect in dialects_of(number, case, way)
    ]


def dialects_of(number: int, case: dict[str, Any], way: str) -> list[str]:
    if way == "module" and "in_process" in WAYS:
        # A process for each task takes its time, so that every fourth case has to do.
        return [DIALECTS[number % 2]] if number % 4 == 0 else []
    return DIALECTS if case["expect"].get("sent", True) else ["api"]


def runner(
    module: str, request: pytest.FixtureRequest, playbook: Playbooks, servers: dict[str, Server], files: dict[str, Any]
) -> Callable[[str], Run]:
    """Runs the cases of a module in one way, those that tests are selected for, once."""
    items = [item.callspec.params for item in request.session.items if hasattr(item, "callspec")]
    selected = [params for params in items if "case" in params]

    @functools.cache
    def run(way: str) -> Run:
        cases = []
        for case in load_cases(module):
            chosen = [params for params in selected if params["case"] is case and params["way"] == way]
            cases.append((case, sorted({params["dialect"] for params in chosen})))
        tasks = playbook_of(module, [(case, dialects) for case, dialects in cases if dialects])
        return playbook(tasks, servers, way=way, strategy="free", extra_vars=files)

    return run


def check_case(case: dict[str, Any], dialect: str, run: Run, files: dict[str, Any]) -> None:
    """Hold what happened against what the case expects, and against what holds for every task of the collection.

    In check mode: nothing but reads, the server as it was, and the operations of the real run. The second run:
    unchanged. Always: no API token and no open session left behind, no upload URL in a result.
    """
    given = run.task(f"{case['case']} | given", dialect)
    assert given.status == "ok", given.result
    expect = rendered(case["expect"], {**files, "given": given.result})
    results = {phase: run.task(f"{case['case']} | {phase}", dialect) for phase in phases_of(case)}
    before = given
    for phase, task in results.items():
        wanted = {**expect, **expect.get(phase, {})}
        if phase == "again" and "operations" not in expect.get("again", {}):
            wanted.update(operations=[], warnings=[])
        check_task(task, wanted, phase, given)
        if phase == "check" or not (wanted.get("operations") or "failed" in wanted):
            assert still(task.state) == still(before.state), "the server's state was changed"
        before = task
    check_server(results["run"], expect, given, Path(files["files"]))


def check_task(task: TaskResult, wanted: dict[str, Any], phase: str, given: TaskResult) -> None:
    operations = [name for name in task.operations if name not in ("session.create", "session.delete")]
    if not wanted.get("sent", True):
        assert task.requests == [], "something was sent"
    if phase == "check" or (phase == "again" and not wanted["operations"]):
        assert writes(operations) == [], "something was written"
    if phase == "run" and "requests" in wanted:
        assert operations == wanted["requests"]
    left = [token for token in task.state["tokens"] if token not in given.state["tokens"]]
    assert len(left) == wanted.get("tokens_left", 0), "an API token was left behind"
    assert all(token in task.state["tokens"] for token in given.state["tokens"]), "an API token was taken away"
    assert texts(task.result.get("warnings", []), wanted.get("warnings", [])), task.result
    assert "/cls/data" not in json.dumps(task.result)
    if "failed" in wanted:
        check_failure(task, wanted["failed"])
        return
    result = task.result
    assert task.status == "ok", result
    assert result["operations"] == wanted.get("operations", [])
    assert result["changed"] == bool(result["operations"])
    for key, name in (("item", "library_item"), ("session", "update_session"), ("file", "file")):
        if key in wanted:
            assert contains(result[name], wanted[key]), result[name]
    if "item_files" in wanted:
        assert [file["name"] for file in result["library_items"][0]["files"]] == wanted["item_files"]
    if "items" in wanted:
        assert [item["name"] for item in result["library_items"]] == wanted["items"]
    if "files" in wanted:
        rows = [(row["name"], row["action"], "verified" * row["checksum_verified"]) for row in result["files"]]
        told = [" ".join(filter(None, row)) for row in rows]
        wanted_rows = wanted["files"]
        if phase == "check":  # which can't know what the server will verify
            told, wanted_rows = ([text.replace(" verified", "") for text in texts] for texts in (told, wanted_rows))
        assert told == wanted_rows


def check_failure(task: TaskResult, wanted: dict[str, Any]) -> None:
    result = task.result
    assert task.status == "failed", result
    for text in wanted["msg"]:
        assert text in result["msg"], result["msg"]
    for key in ("error_type", "http_status", "operation"):
        if key in wanted:
            assert result[key] == wanted[key], result


def check_server(task: TaskResult, expect: dict[str, Any], given: TaskResult, folder: Path) -> None:
    """What is on the server after the real run."""
    sessions = sorted(task.state["sessions"].values(), key=lambda session: session["state"])
    told = [f"{session['state']} {(session['error_message'] or {}).get('default_message', '')}" for session in sessions]
    if "sessions" in expect:
        assert texts(told, expect["sessions"]), told
    elif given.state["sessions"] == {}:
        assert not any(text.startswith("ACTIVE") for text in told), "a session was left open"
    for name, wanted in expect.get("session_files", {}).items():
        assert contains(task.state["sessions"][given["session"]]["files"].get(name), wanted), name
    items, old_items = task.state["items"], given.state["items"]
    if "failed" in expect:
        assert items.keys() == old_items.keys(), "an item was left behind, or lost"
    if "content" not in expect:
        return
    item_id = (task.result.get("library_item") or {}).get("id") or given["item"]
    if expect["content"] is None:
        assert item_id not in items
        return
    has, had = items[item_id]["files"], old_items.get(item_id, {"files": {}})["files"]
    assert has.keys() == expect["content"].keys()
    for name, source in expect["content"].items():
        assert has[name]["sha256"] == (sha256_of(folder / source) if source else had[name]["sha256"]), name


@functools.cache
def sha256_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def still(state: dict[str, Any]) -> dict[str, Any]:
    """The state without what moves by itself, and without tokens, which are looked at on their own."""
    sessions = {
        name: {key: value for key, value in session.items() if key != "expires_in"}
        for name, session in state["sessions"].items()
    }
    return {"items": state["items"], "libraries": state["libraries"], "sessions": sessions}


def contains(whole: Any, part: Any) -> bool:
    if isinstance(part, dict) and isinstance(whole, dict):
        return all(key in whole and contains(whole[key], value) for key, value in part.items())
    return whole == part


def texts(found: list[str], parts: list[str]) -> bool:
    return len(found) == len(parts) and all(part in text for text, part in zip(found, parts))


def rendered(expect: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    """expect with {{ a.b }} replaced."""

    def value(match: re.Match[str]) -> str:
        found: Any = values
        for name in match[1].split("."):
            found = found[name]
        return str(found)

    return json.loads(re.sub(r"\{\{ ([\w.]+) \}\}", value, json.dumps(expect)))
