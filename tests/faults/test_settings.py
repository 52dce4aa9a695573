"""Faults of settings and of the model that the settings name."""

from __future__ import annotations

import ast
import hashlib
import io
import json
import os
import re
import time
from pathlib import Path

import numpy as np
import pytest

from bot import workers
from bot.cli.common import load
from classifiers import Assessor
from classifiers.assessment import Text
from classifiers.errors import ModelError
from classifiers.model import SHIPPED
from classifiers.modelfile import load_model, save_model
from config.loader import SettingsFault, load_settings
from tests.faults.parts import ROOT

CANARY = "123456:CanaryCanaryCanaryCanaryCanary"


def test_K05_a_secret_that_everybody_can_read_is_loudly_warned_of(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A world-readable settings or secret file brings one warning on stderr that names it and says what to do, not the secret."""
    file, secret = tmp_path / "tocsin.toml", tmp_path / "token"
    file.write_text(f'[telegram]\ntoken = "{CANARY}"\n')
    secret.write_text(CANARY)
    for mode, number in ((0o600, 0), (0o644, 2)):
        file.chmod(mode)
        secret.chmod(mode)
        monkeypatch.setenv("TOCSIN_TELEGRAM__TOKEN_FILE", str(secret))
        load(file)
        lines = capsys.readouterr().err.splitlines()
        assert len([line for line in lines if "chmod 600" in line]) == number
        assert CANARY not in "".join(lines)


HOSTILE = {
    "anchors": "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: [*b,*b,*b,*b,*b,*b]\n",
    "tag": "!!python/object/apply:os.system ['touch pwned']\n",
    "nested": "a = " + "[" * 100_000 + "\n",
    "braces": "a = " + "{a=" * 100_000 + "\n",
    "dotted": "a" + ".a" * 100_000 + " = 1\n",
    "quoted": "x = {" + "'a' . " * 100_000 + "a = 1}\n",
    "letters": "a" * 1_000_000 + "\n",
    "large": "#" * (8 * 1024 * 1024),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_K06_a_hostile_settings_file_is_refused_in_one_line_and_little_time(tmp_path: Path, name: str) -> None:
    """Anchor bombs, tags that name code, endless nesting and huge files are one complaint each, at once."""
    file = tmp_path / "tocsin.toml"
    file.write_text(HOSTILE[name])
    started = time.process_time()
    with pytest.raises(SettingsFault) as caught:
        load_settings(file, {})
    assert time.process_time() - started < 1.0
    assert str(caught.value).startswith(f"{file}:")
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500
    assert os.listdir(tmp_path) == ["tocsin.toml"]


def test_K06_deep_variables_are_refused_in_one_line() -> None:
    """A variable of endless nesting is one complaint that names it."""
    with pytest.raises(SettingsFault, match=r"^TOCSIN_SLACK: "):
        load_settings(None, {"TOCSIN_SLACK": "[" * 200_000}, Path("/nonexistent"))


# --- the model --------------------------------------------------------------------------------------------------


def damaged(folder: Path) -> Path:
    save_model(folder, "linear", {"weights": np.zeros(4, np.float16)}, {})
    file = folder / "linear.npz"
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    return folder


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [("format", 99, "format is 99"), ("features", "old", "features is 'old'"), ("taxonomy", "x", "train it anew")],
)
def test_K10_a_model_of_another_version_is_refused_by_name(tmp_path: Path, key: str, value: object, words: str) -> None:
    """A model made for another format, other features or other signals is refused in a line that says what to do."""
    save_model(tmp_path, "linear", {"weights": np.zeros(4, np.float16)}, {})
    file = tmp_path / "linear.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {key: value}))
    with pytest.raises(ModelError) as caught:
        Assessor.load(tmp_path)
    assert str(caught.value).startswith(f"{file}: ")
    assert words in str(caught.value)


def test_K10_a_damaged_or_exchanged_model_is_refused_and_the_running_one_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One flipped bit is noticed by the checksum; a process that has loaded a model keeps it while the file goes bad."""
    with pytest.raises(ModelError, match="SHA-256"):
        Assessor.load(damaged(tmp_path / "bad"))
    monkeypatch.setattr(workers, "_assessors", {})
    link = tmp_path / "model"
    link.symlink_to(SHIPPED)
    text = [Text("Shelling kills 12 in the border town, officials say")]
    before = workers._assess(text, link)
    link.unlink()
    link.symlink_to(tmp_path / "bad")
    assert workers._assess(text, link) == before
    assert before[0].notes == ()


class Bomb:
    """What a pickle would run."""

    def __init__(self, proof: Path) -> None:
        self.proof = proof

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (str(self.proof),)


def test_X21_a_model_file_runs_no_code(tmp_path: Path) -> None:
    """A model whose arrays hold pickled objects is refused, however right its checksum, and nothing in it is run."""
    proof = tmp_path / "proof"
    save_model(tmp_path, "linear", {"weights": np.zeros(4, np.float16)}, {})
    bomb = io.BytesIO()
    np.savez(bomb, weights=np.array([Bomb(proof)], dtype=object))
    (tmp_path / "linear.npz").write_bytes(bomb.getvalue())
    manifest = json.loads((tmp_path / "linear.json").read_text())
    manifest["sha256"] = hashlib.sha256(bomb.getvalue()).hexdigest()
    (tmp_path / "linear.json").write_text(json.dumps(manifest))
    with pytest.raises(ModelError, match="not a file of plain arrays"):
        load_model(tmp_path, "linear")
    assert not proof.exists()


RUNS_CODE = {"pickle", "joblib", "marshal", "shelve", "dill", "cloudpickle", "yaml", "skops"}


def test_X21_nothing_of_ours_reads_a_format_that_runs_code() -> None:
    """No module of the program imports a loader of pickles or YAML, evaluates text, or lets NumPy unpickle."""
    for path in (file for room in ("bot", "config", "classifiers") for file in (ROOT / room).rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if not re.search(rf"\b(eval|exec|allow_pickle|{'|'.join(RUNS_CODE)})\b", text):
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = {alias.name.split(".")[0] for alias in node.names} | {getattr(node, "module", None)}
                assert not names & RUNS_CODE, path
            if isinstance(node, ast.Call):
                assert not (isinstance(node.func, ast.Name) and node.func.id in ("eval", "exec")), path
                pickles = [word.value for word in node.keywords if word.arg == "allow_pickle"]
                assert all(isinstance(value, ast.Constant) and value.value is False for value in pickles), path
