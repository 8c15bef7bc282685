# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every case of every module, in this process, against the simulator, on both dialects."""

from __future__ import annotations

import pytest

from tests.cases.checks import check_case
from tests.cases.language import MODULES, dialects_of, load
from tests.cases.returns import check_result, documented, keys
from tests.cases.runner import subject

CASES = [
    pytest.param(module, case, dialect, id=f"{module}-{case['case']}-{dialect}")
    for module in MODULES
    for case in load(module)
    for dialect in dialects_of(case)
]


@pytest.mark.parametrize(("module", "case", "dialect"), CASES)
def test_case(runner, module, case, dialect):
    values, given, results = runner.run(module, case, dialect)
    check_case(case, dialect, values, given, results)
    docs = documented(subject(module))
    for task in results.values():
        check_result(docs, task.result, task.status == "failed")


@pytest.mark.costly
def test_all_that_is_documented_is_returned(runner):
    """By one case or another; a model by one module or another."""
    # Those with few cases first, so that the others need not show the models that they share.
    docs = {module: documented(subject(module)) for module in sorted(MODULES, key=lambda module: len(load(module)))}
    missing = {key for doc in docs.values() for key in keys(doc)}
    for module, doc in docs.items():
        for case in load(module):
            if missing & set(keys(doc)):
                _values, _given, results = runner.run(module, case, "api", ["run"])
                missing -= check_result(doc, results["run"].result, results["run"].status == "failed")
    assert [(key, sorted(beside)) for beside, key in missing] == []
