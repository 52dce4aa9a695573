"""docs/FAULTS.md says what the tests say: nothing in it is written by hand, and no fault is without an answer."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LIST = '[Network]\nN01 = "a | b"\nN02 = "c"\n["not tested here"]\nN02 = "needs a moon"\n'
TEST = 'async def test_N01_x() -> None:\n    """Done well. More words."""\n'


def table(root: Path, *arguments: str) -> tuple[int, str]:
    """Run the generator; its exit code and what it complained of."""
    command = [sys.executable, str(ROOT / "bench" / "faults_table.py"), "--root", str(root), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    return done.returncode, done.stderr


def test_the_table_is_what_the_tests_say() -> None:
    """docs/FAULTS.md is up to date, every fault has a test or a reason, and every test names known faults."""
    assert table(ROOT, "--check") == (0, "")


def project(root: Path, faults: str, test: str) -> Path:
    (root / "docs").mkdir()
    (root / "tests" / "room").mkdir(parents=True)
    (root / "docs" / "faults.toml").write_text(faults)
    (root / "tests" / "room" / "test_a.py").write_text(test)
    return root


def test_the_table_holds_id_input_deed_and_test(tmp_path: Path) -> None:
    """A row has the id, the input, the first sentence of the docstring and the test; a reason stands where none is."""
    assert table(project(tmp_path, LIST, TEST)) == (0, "")
    page = (tmp_path / "docs" / "FAULTS.md").read_text()
    assert "| N01 | a \\| b | Done well. | `room/test_a.py::test_N01_x` |" in page
    assert "| N02 | c | needs a moon | none here |" in page
    assert "2 faults: 1 tested, 1 with a reason" in page
    assert table(tmp_path, "--check") == (0, "")


@pytest.mark.parametrize(
    ("faults", "test", "words"),
    [
        (LIST, TEST.replace("N01", "N02"), "N01: has neither a test nor a reason"),
        (LIST, TEST.replace("N01", "n01_N02"), "N02: has a test, so its reason is out of date"),
        (LIST, TEST.replace("N01", "N01_Q77"), "test_N01_Q77_x names the unknown fault Q77"),
        (LIST, "class A:\n    def test_N01_x(self) -> None:\n        pass\n", "test_N01_x has no docstring"),
        (LIST.replace("N02 =", "N03 =", 1), TEST, "N02: has a reason but is not in the list"),
        (LIST + "", "", "N01: has neither a test nor a reason"),
    ],
)
def test_what_is_missing_is_named(tmp_path: Path, faults: str, test: str, words: str) -> None:
    """A fault without answer, an unknown id, a stale reason and a test without words are each named, with exit code 1."""
    code, said = table(project(tmp_path, faults, test))
    assert code == 1
    assert words in said


def test_a_table_that_was_changed_by_hand_is_noticed(tmp_path: Path) -> None:
    """One changed word in docs/FAULTS.md fails the check until the generator has run."""
    table(project(tmp_path, LIST, TEST))
    page = tmp_path / "docs" / "FAULTS.md"
    page.write_text(page.read_text().replace("Done well", "Done badly"))
    code, said = table(tmp_path, "--check")
    assert (code, "out of date" in said) == (1, True)
