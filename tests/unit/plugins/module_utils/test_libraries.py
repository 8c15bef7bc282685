# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.vsphere.content_library.plugins.module_utils._errors import (
    InternalServerError,
    InvalidArgument,
    NotFound,
)
from ansible_collections.vsphere.content_library.plugins.module_utils._libraries import Libraries
from ansible_collections.vsphere.content_library.tests.unit.plugins.library_wire import (
    LIBRARY,
    library,
)
from ansible_collections.vsphere.content_library.tests.unit.plugins.wire import HOST, Refusal

NOT_FOUND = Refusal("NOT_FOUND", 404, ("There is no such thing.",))
FAILED = Refusal("INTERNAL_SERVER_ERROR", 500, ("Out of order.",))
OTHER = "another-item"


@pytest.fixture
def libraries(server):
    return Libraries(server.client())


def test_a_library_by_its_exact_name(server, libraries):
    server.expect("find_library", ["other", LIBRARY], {"name": "demo"})
    server.expect("get_library", library(), id=LIBRARY)
    server.expect("get_library", library(name="Demo"), id="other")
    assert libraries.find("demo") == LIBRARY


@pytest.mark.parametrize("ids", [[], ["other"]])
def test_no_library_of_that_name(server, libraries, ids):
    server.expect("find_library", ids, {"name": "demo"})
    for library_id in ids:
        server.expect("get_library", library(name="Demo"), id=library_id)
    assert libraries.find("demo") is None


def test_several_libraries_of_that_name(server, libraries):
    server.expect("find_library", ["b", "a"], {"name": "demo"})
    server.expect("get_library", library(), id="a")
    server.expect("get_library", library(), id="b")
    with pytest.raises(InvalidArgument, match="2 libraries have the name demo: a, b; name one by its id"):
        libraries.find("demo")


def test_a_library_that_is_missing(server, libraries):
    server.expect("get_library", NOT_FOUND, id=LIBRARY)
    with pytest.raises(NotFound, match=f"library {LIBRARY} on {HOST}"):
        libraries.get(LIBRARY)


@pytest.mark.parametrize("model", [{}, {"name": "demo"}, {"name": [], "type": "LOCAL"}, {"name": "demo", "type": 3}])
def test_an_answer_that_is_no_library(server, libraries, model):
    server.expect("get_library", model, id=LIBRARY)
    with pytest.raises(InternalServerError, match="can't be read"):
        libraries.get(LIBRARY)
