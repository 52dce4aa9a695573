"""Writes docs/FAULTS.md: which faults are met, how, and by which test.

``docs/faults.toml`` names the faults, and for the few that cannot be tested here the reason. A test carries the ids it
covers at the beginning of its name (``test_N04_…``, ``test_K01_K02_…``); the first sentence of its docstring says what
Tocsin does. Tests are read, never imported.

``python bench/faults_table.py`` writes the table; ``--check`` only says whether it is up to date. Exit code 1 where an
id has neither test nor reason, a reason is not needed any more, or a test names an unknown id.
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[1]
UNTESTED = "not tested here"
_IDS = re.compile(r"test_((?:[a-z][0-9]{2}_)+)", re.IGNORECASE)
_SENTENCE = re.compile(r"(?<=[.!?])\s")


@dataclass(frozen=True, slots=True)
class Test:
    """One test function, the ids in its name and what it says."""

    path: str
    name: str
    ids: tuple[str, ...]
    says: str


@dataclass(frozen=True, slots=True)
class Faults:
    """The list: group → id → input, and id → reason why it has no test."""

    groups: Mapping[str, Mapping[str, str]]
    reasons: Mapping[str, str] = field(default_factory=dict)

    @property
    def ids(self) -> list[str]:
        """All ids, in the order of the list."""
        return [fault for group in self.groups.values() for fault in group]


def read_faults(path: Path) -> Faults:
    """The list out of its TOML file."""
    tables: dict[str, dict[str, str]] = tomllib.loads(path.read_text(encoding="utf-8"))
    reasons = tables.pop(UNTESTED, {})
    return Faults(tables, reasons)


def find_tests(root: Path) -> list[Test]:
    """Every test function below ``root/tests`` that carries ids, by path and line."""
    found: list[Test] = []
    for path in sorted((root / "tests").rglob("test_*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
        found += [_read(node, path.relative_to(root).as_posix()) for node in _functions(tree)]
    return found


def _functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and _IDS.match(node.name):
            yield node


def _read(node: ast.FunctionDef | ast.AsyncFunctionDef, path: str) -> Test:
    match = _IDS.match(node.name)
    assert match is not None
    ids = tuple(part.upper() for part in match[1].strip("_").split("_"))
    words = " ".join((ast.get_docstring(node) or "").split())
    return Test(path, node.name, ids, _SENTENCE.split(words)[0])


def problems(faults: Faults, tests: list[Test]) -> list[str]:
    """What is wrong with the list or the tests, one line each."""
    known, tested = set(faults.ids), {fault for test in tests for fault in test.ids}
    wrong = [f"{fault}: stands twice in the list" for fault in sorted(known) if faults.ids.count(fault) > 1]
    wrong += [f"{fault}: has a reason but is not in the list" for fault in faults.reasons if fault not in known]
    wrong += [
        f"{fault}: has neither a test nor a reason" for fault in faults.ids if fault not in tested | {*faults.reasons}
    ]
    wrong += [f"{fault}: has a test, so its reason is out of date" for fault in faults.reasons if fault in tested]
    for test in tests:
        wrong += [
            f"{test.path}: {test.name} names the unknown fault {fault}" for fault in test.ids if fault not in known
        ]
        if not test.says:
            wrong.append(f"{test.path}: {test.name} has no docstring that says what is done")
    return wrong


def render(faults: Faults, tests: list[Test]) -> str:
    """The document."""
    covered = [fault for fault in faults.ids if any(fault in test.ids for test in tests)]
    lines = [
        "# Faults, and what Tocsin does about them",
        "",
        "Written by `python bench/faults_table.py` from `docs/faults.toml` and the tests; do not edit. A test carries",
        "the ids it covers in its name, so `pytest -k N04` runs what is said of N04.",
        "",
        f"{len(faults.ids)} faults: {len(covered)} tested, {len(faults.reasons)} with a reason why not here.",
    ]
    for group, inputs in faults.groups.items():
        lines += ["", f"## {group}", "", "| id | input | what Tocsin does | test |", "| --- | --- | --- | --- |"]
        for fault, words in inputs.items():
            lines += [_row(fault, words, test) for test in tests if fault in test.ids]
            if fault in faults.reasons:
                lines.append(f"| {fault} | {_cell(words)} | {_cell(faults.reasons[fault])} | none here |")
    return "\n".join(lines) + "\n"


def _row(fault: str, words: str, test: Test) -> str:
    return f"| {fault} | {_cell(words)} | {_cell(test.says)} | `{test.path.removeprefix('tests/')}::{test.name}` |"


def _cell(text: str) -> str:
    """Text as a table's cell: no bar ends it, no tag begins in it."""
    return text.replace("|", "\\|").replace("<", "&lt;")


def main(arguments: list[str]) -> int:
    """Write or check; returns the exit code."""
    parser = argparse.ArgumentParser(description="Write docs/FAULTS.md from the tests.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail where the table is out of date")
    parser.add_argument("--root", type=Path, default=ROOT, help="the project's folder")
    asked = parser.parse_args(arguments)
    faults, tests = read_faults(asked.root / "docs" / "faults.toml"), find_tests(asked.root)
    wrong = problems(faults, tests)
    table, page = asked.root / "docs" / "FAULTS.md", render(faults, tests)
    if not asked.check:
        table.write_text(page, encoding="utf-8")
    elif not table.exists() or table.read_text(encoding="utf-8") != page:
        wrong.append("docs/FAULTS.md: out of date, run python bench/faults_table.py")
    for line in wrong:
        print(line, file=sys.stderr)
    print(f"{len(faults.ids)} faults, {len({i for test in tests for i in test.ids})} tested by {len(tests)} tests")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
