# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Break the code below plugins/ in one place at a time, and count the tests that notice: make mutants.

A mutant is one change of one expression or statement, such as < for <=. It is killed where a test fails that passed
before. The sample is chosen by a hash of the function's name, the statement and the change, and not by the place, so
that code that only moved is broken in the same ways. Of all tests only those run that reached the line (as coverage.py
saw it), the fastest first.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import copy
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("plugins/module_utils", "plugins/modules", "plugins/plugin_utils")
TIME_LIMIT = 300  # seconds for the tests of one mutant; one that hangs is killed, too
OTHER: dict[type, Any] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.Div: ast.Mult,
    ast.And: ast.Or, ast.Or: ast.And,
}  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """One change: in a file of a tree, of what stands from start to end (offsets in the text), to other code."""

    path: str
    line: int
    start: int
    end: int
    code: str
    what: str
    key: str


def changed(node: ast.AST) -> ast.AST | None:
    """Other code in the place of an expression or statement; None where nothing is changed."""
    if isinstance(node, ast.stmt):
        return _other_statement(node)
    other = copy.deepcopy(node)
    if isinstance(other, ast.Compare) and type(other.ops[0]) in OTHER:
        other.ops[0] = OTHER[type(other.ops[0])]()
        return other
    if (
        isinstance(other, (ast.BoolOp, ast.BinOp))
        and type(other.op) in OTHER
        and not any(map(_is_text, ast.walk(other)))
    ):
        other.op = OTHER[type(other.op)]()
        return other
    if isinstance(other, ast.UnaryOp) and isinstance(other.op, ast.Not):
        return other.operand
    if isinstance(other, ast.IfExp):
        return ast.IfExp(ast.UnaryOp(ast.Not(), other.test), other.body, other.orelse)
    return _other_constant(other) if isinstance(other, ast.Constant) else None


def _other_constant(node: ast.Constant) -> ast.AST | None:
    if isinstance(node.value, bool):
        return ast.Constant(not node.value)
    return ast.Constant(node.value + 1) if isinstance(node.value, int) else None


def _other_statement(node: ast.stmt) -> ast.AST | None:
    if isinstance(node, ast.Return):
        empty = node.value is None or (isinstance(node.value, ast.Constant) and node.value.value is None)
        return None if empty else ast.Return(ast.Constant(None))
    call = isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
    return ast.Pass() if call or isinstance(node, (ast.AugAssign, ast.Raise)) else None


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.JoinedStr) or isinstance(getattr(node, "value", None), str)


def mutants_of(tree: Path, path: str) -> Iterator[Mutant]:
    """All changes in the functions of a file."""
    text = (tree / path).read_text(encoding="utf-8")
    starts = [0]
    for line in text.encode().splitlines(keepends=True):
        starts.append(starts[-1] + len(line))

    def mutant(node: Any, function: str, statement: str) -> Mutant | None:
        other = changed(node)
        if other is None:
            return None
        code = ast.unparse(ast.fix_missing_locations(other))
        code = f"({code})" if isinstance(other, ast.expr) else code
        what = f"{function}: {_first_line(node)} -> {code}"
        key = hashlib.sha256(f"{what}|{statement}".encode()).hexdigest()
        start = starts[node.lineno - 1] + node.col_offset
        end = starts[node.end_lineno - 1] + node.end_col_offset
        return Mutant(path, node.lineno, start, end, code, what, key)

    def visit(node: ast.AST, function: str, statement: str) -> Iterator[Mutant]:
        for child in ast.iter_child_nodes(node):
            inside, said = function, statement
            if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
                inside = child.name
            elif isinstance(child, ast.stmt):
                said = _first_line(child)
            found = mutant(child, inside, said) if function and isinstance(child, (ast.expr, ast.stmt)) else None
            if found:
                yield found
            if not (isinstance(child, ast.JoinedStr) or (function and _is_annotation(child, node))):
                yield from visit(child, inside, said)

    yield from visit(ast.parse(text), "", "")


def _first_line(node: ast.AST) -> str:
    return ast.unparse(node).partition("\n")[0]


def _is_annotation(child: ast.AST, parent: ast.AST) -> bool:
    return child in (getattr(parent, "annotation", None), getattr(parent, "returns", None))


def sample(tree: Path, number: int, first: frozenset[str] = frozenset()) -> list[Mutant]:
    """So many mutants, beginning with those of the keys in first that there are."""
    paths = [str(path.relative_to(tree)) for folder in FOLDERS for path in sorted((tree / folder).glob("*.py"))]
    found = [mutant for path in paths for mutant in mutants_of(tree, path)]
    chosen: dict[str, Mutant] = {}
    for mutant in sorted(found, key=lambda mutant: (mutant.key not in first, mutant.key)):
        chosen.setdefault(mutant.key, mutant)
    return list(chosen.values())[:number]


def run(tree: Path, arguments: list[str], limit: float) -> int | None:
    """pytest's exit code; None where it took too long."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "--no-header", "-p", "no:cacheprovider", *arguments]
    with subprocess.Popen(
        command, cwd=tree, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    ) as process:
        try:
            return process.wait(limit)
        except subprocess.TimeoutExpired:
            return None
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def coverage(tree: Path, tests: list[str]) -> dict[tuple[str, int], list[str]]:
    """Which tests reach a line, the fastest first."""
    plugin = tree / "seen_by_mutants.py"
    plugin.write_text(
        "import coverage, json, pytest\n"
        "cov = coverage.Coverage(data_file='.seen', include=['*/plugins/*'], branch=False)\n"
        "times = {}\n"
        "def pytest_sessionstart(session): cov.start()\n"
        "@pytest.hookimpl(hookwrapper=True)\n"
        "def pytest_runtest_protocol(item, nextitem):\n"
        "    cov.switch_context(item.nodeid)\n"
        "    yield\n"
        "def pytest_runtest_logreport(report):\n"
        "    times[report.nodeid] = times.get(report.nodeid, 0) + report.duration\n"
        "    if report.failed: times[report.nodeid] = None\n"
        "def pytest_sessionfinish(session):\n"
        "    cov.stop(); data = cov.get_data(); seen = []\n"
        "    for path in data.measured_files():\n"
        "        for line, tests in data.contexts_by_lineno(path).items():\n"
        "            seen.append([path, line, tests])\n"
        "    json.dump([seen, times], open('.seen.json', 'w'))\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "seen_by_mutants", *tests]
    subprocess.run(command, cwd=tree, env={**os.environ, "PYTHONPATH": str(tree)}, check=False)
    seen, times = json.loads((tree / ".seen.json").read_text())
    failing = [test for test, seconds in times.items() if seconds is None]
    if failing:
        print(f"left out, as they fail without a mutant: {failing}")
    found: dict[tuple[str, int], list[str]] = {}
    for path, line, names in seen:
        reached = [name for name in names if times.get(name) is not None]
        found[(os.path.relpath(os.path.realpath(path), tree), line)] = sorted(reached, key=lambda name: times[name])
    return found


def copied(tree: Path) -> Path:
    """What git knows of the project, in tree."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    for path in filter(None, listed.stdout.split("\0")):
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / path, tree / path)
    return tree


def judge(tree: Path, mutant: Mutant, tests: list[str]) -> str:
    """killed, or survived, or unreached."""
    if not tests:
        return "unreached"
    path = tree / mutant.path
    text = path.read_bytes()
    path.write_bytes(text[: mutant.start] + mutant.code.encode() + text[mutant.end :])
    try:
        for number in (20, len(tests)):  # most mutants die of the first few
            listed = tree / ".chosen"
            listed.write_text("\n".join(tests[:number]))
            if run(tree, [f"@{listed}"], TIME_LIMIT) != 0:
                return "killed"
        return "survived"
    finally:
        path.write_bytes(text)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--number", type=int, default=200, help="how many mutants")
    parser.add_argument("--jobs", type=int, default=max(1, (os.cpu_count() or 1) // 2), help="how many at a time")
    parser.add_argument("--tests", nargs="+", default=["tests/unit", "tests/cases"], help="what pytest runs")
    parser.add_argument("--output", type=Path, help="a file for the verdicts, as JSON lines")
    parser.add_argument("--first", type=Path, help="the verdicts of an earlier run, whose mutants are tried first")
    options = parser.parse_args()
    earlier = options.first.read_text(encoding="utf-8").splitlines() if options.first else []
    first = frozenset(json.loads(line)["key"] for line in earlier)
    verdicts: dict[str, list[str]] = {}
    with (
        tempfile.TemporaryDirectory(prefix="content-library-mutants-") as name,
        ThreadPoolExecutor(options.jobs) as pool,
    ):
        trees: SimpleQueue[Path] = SimpleQueue()
        for number in range(options.jobs):
            trees.put(copied(Path(os.path.realpath(name), f"tree{number}")))
        tree = trees.get()
        reached = coverage(tree, options.tests)
        mutants = sample(tree, options.number, first)
        trees.put(tree)

        def judged(mutant: Mutant) -> str:
            tree = trees.get()
            try:
                return judge(tree, mutant, reached.get((mutant.path, mutant.line), []))
            finally:
                trees.put(tree)

        start = time.monotonic()
        for number, (mutant, verdict) in enumerate(zip(mutants, pool.map(judged, mutants)), 1):
            place = f"{mutant.path}:{mutant.line}"
            verdicts.setdefault(verdict, []).append(f"{place} {mutant.what}")
            row: dict[str, Any] = dict(key=mutant.key, place=place, what=mutant.what, verdict=verdict)
            if options.output:
                with options.output.open("a", encoding="utf-8") as file:
                    print(json.dumps(row), file=file)
            print(f"{number} {verdict} {place} {mutant.what[:100]} ({time.monotonic() - start:.0f} s)", flush=True)
    for verdict in ("survived", "unreached"):
        print(f"\n{verdict}:", *verdicts.get(verdict, []), sep="\n  ")
    print("\n" + ", ".join(f"{len(found)} {verdict}" for verdict, found in sorted(verdicts.items())))


if __name__ == "__main__":
    main()
