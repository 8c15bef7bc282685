# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make ``ansible_collections.vsphere.content_library`` importable from a plain checkout.

Below an ``ansible_collections/vsphere/content_library`` folder (ansible-test, an installed copy) the import system
finds the collection by itself. Elsewhere a temporary namespace folder with a link to the checkout does the same.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

if ROOT.parts[-3:] != ("ansible_collections", "vsphere", "content_library"):
    _namespace = tempfile.TemporaryDirectory(prefix="content-library-tests-")
    _parent = Path(_namespace.name, "ansible_collections", "vsphere")
    _parent.mkdir(parents=True)
    (_parent / "content_library").symlink_to(ROOT)
    sys.path.insert(0, _namespace.name)

# What several folders of tests assert with.
pytest.register_assert_rewrite("tests.cases.checks", "tests.cases.returns")

# The background job of a shell ignores SIGINT, and so would each process that a test starts to send it one.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "costly: it takes more time than a person who waits wants to give it")
    config.addinivalue_line("markers", "xdist_group(name): tests that share what is costly to make")


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("costly") and os.environ.get("CONTENT_LIBRARY_COSTLY") != "1":
        pytest.skip("it takes its time; CONTENT_LIBRARY_COSTLY=1 runs it, as .ci/run does")
