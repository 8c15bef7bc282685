# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Items of many files, and descriptors of many bytes."""

from __future__ import annotations

import tempfile
import time
import tracemalloc
from functools import partial
from pathlib import Path
from unittest import mock

from ansible_collections.vsphere.content_library.plugins.module_utils._packages import open_package
from ansible_collections.vsphere.content_library.plugins.modules import library_item
from tests.benchmark.measurement import MIB, Took, interleaved, middle
from tests.in_process import run
from tests.pages import table
from tests.simulator.process import SimulatorProcess

COUNTS = (100, 200, 400, 800)


def many(rounds: int) -> str:
    """100 to 800 files of a few bytes in one new item, both sides on this machine."""
    with tempfile.TemporaryDirectory(prefix="content-library-benchmark-") as folder, SimulatorProcess() as simulator:
        paths = [Path(folder, f"{number}.cfg") for number in range(max(COUNTS))]
        for number, path in enumerate(paths):
            path.write_text(str(number))
        with mock.patch.dict("os.environ", simulator.environment):

            def push(count: int) -> Took:
                simulator.reset()
                start, cpu = time.monotonic(), time.process_time()
                source = [str(path) for path in paths[:count]]
                outcome = run(library_item, {"library_name": "demo", "name": "many", "src": source})
                if outcome.failed:
                    raise RuntimeError(outcome.result["msg"])
                return Took(time.monotonic() - start, time.process_time() - cpu, 0)

            took = interleaved({count: partial(push, count) for count in COUNTS}, max(3, rounds // 3))
    rows = [
        (str(count), middle(runs, "seconds"), middle(runs, "cpu"), 1000 * middle(runs, "seconds") / count)
        for count, runs in took.items()
    ]
    return table(("files in one item", "seconds", "CPU seconds of the client", "ms for each"), *rows)


def descriptors(rounds: int) -> str:
    """An OVF descriptor of 4 MiB, in which nearly all is one text; or of 3 MiB, in small sections."""
    head, tail = "<Envelope><References/>", "</Envelope>"
    texts = {
        "one annotation": f"<Annotation>{'x' * 4 * MIB}</Annotation>",
        "one comment": f"<!--{'x' * 4 * MIB}-->",
        "character references": f"<Annotation>{'&#xA;' * (4 * MIB // 5)}</Annotation>",
        "sections of 33 bytes": '<Item a="1" b="2"><c>3</c></Item>' * (3 * MIB // 33),
    }
    with tempfile.TemporaryDirectory(prefix="content-library-benchmark-") as folder:
        rows = []
        for number, (name, text) in enumerate(texts.items()):
            path = Path(folder, f"{number}.ovf")
            path.write_text(head + text + tail)

            def read(path: Path = path) -> Took:
                start, cpu = time.monotonic(), time.process_time()
                open_package([str(path)])
                return Took(time.monotonic() - start, time.process_time() - cpu, 0)

            took = interleaved({name: read}, rounds)[name]
            tracemalloc.start()
            open_package([str(path)])
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            rows.append((name, middle(took, "seconds"), f"{peak / MIB:.1f}"))
    return table(("a descriptor of 4 MiB", "seconds", "peak MiB of Python"), *rows)
