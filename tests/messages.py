# Copyright (c) 2026, the vsphere.content_library contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m tests.messages [PATH...]``: list every message that the modules can give, to read them one by one.

A message is a text that is raised, handed to what makes an error, or put among the warnings. A variable that holds such
a text counts where it is set in the same function. What is put in at run time is shown as {expression}.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
PLACES = ("plugins", "extensions/eda/plugins")
ENOUGH = 2  # words; less is a name, or a part of a text


class Message(NamedTuple):
    path: str
    line: int
    maker: str  # what is raised or called
    text: str


def messages(paths: list[Path]) -> Iterator[Message]:
    files = [file for path in paths for file in ([path] if path.is_file() else path.rglob("*.py"))]
    for path in sorted(files):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        functions = [node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
        seen: set[tuple[int, str]] = set()
        for function in functions:
            texts = {
                target.id: node.value
                for node in ast.walk(function)
                if isinstance(node, ast.Assign)
                for target in node.targets
                if isinstance(target, ast.Name)
            }
            for line, maker, value in made(function):
                text = shown(texts.get(value.id, value) if isinstance(value, ast.Name) else value)
                if len(text.split()) >= ENOUGH and (line, text) not in seen:
                    seen.add((line, text))
                    yield Message(str(path.relative_to(ROOT)), line, maker, text)


def made(function: ast.AST) -> Iterator[tuple[int, str, ast.expr]]:
    """The line, the maker and the first argument, or msg, of each call that makes a message."""
    for node in ast.walk(function):
        if not isinstance(node, ast.Call):
            continue
        maker = ast.unparse(node.func)
        name = maker.rpartition(".")[2]
        values = [*node.args[:3], *(keyword.value for keyword in node.keywords if keyword.arg == "msg")]
        is_error = name[:1].isupper() or "error" in name.lower() or "fail" in name or name in ("wrong", "refused")
        if is_error or maker.endswith("warnings.append"):
            for value in values:
                if isinstance(value, (ast.Constant, ast.JoinedStr, ast.BinOp, ast.IfExp, ast.Name)):
                    yield node.lineno, maker, value


def shown(value: ast.expr) -> str:
    if isinstance(value, ast.Constant):
        return value.value if isinstance(value.value, str) else ""
    if isinstance(value, ast.JoinedStr):
        return "".join(map(shown, value.values))
    if isinstance(value, ast.FormattedValue):
        return "{" + ast.unparse(value.value) + "}"
    if isinstance(value, ast.BinOp) and isinstance(value.op, ast.Add):
        return shown(value.left) + shown(value.right)
    if isinstance(value, ast.IfExp):
        return f"{shown(value.body)} | {shown(value.orelse)}"
    return ""


def main() -> None:
    paths = [Path(name).resolve() for name in sys.argv[1:]] or [ROOT / place for place in PLACES]
    before = None
    for message in messages(paths):
        if message.path != before:
            print(f"\n{message.path}")
            before = message.path
        print(f"  {message.line}: {message.maker}: {message.text}")


if __name__ == "__main__":
    main()
