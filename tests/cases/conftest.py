# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cases import runner as in_this_process


@pytest.fixture(scope="session")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[in_this_process.Runner]:
    """One simulator for each process that tests run in."""
    with in_this_process.runner(tmp_path_factory.mktemp("files")) as runner:
        yield runner
