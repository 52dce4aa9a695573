"""Settings: what is right is read, what is wrong is named by file, line and key."""

from __future__ import annotations

import re
import tomllib
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from config.lines import line_of
from config.loader import SettingsFault, explain, load_settings
from config.model import Settings
from config.quantities import parse_duration, show_duration

DEFAULT = Path(__file__).parents[2] / "config" / "default.toml"
CANARY = "123456:CanaryCanaryCanary"


def load(tmp_path: Path, text: str, **environ: str) -> Settings:
    file = tmp_path / "tocsin.toml"
    file.write_text(text, encoding="utf-8")
    file.chmod(0o600)
    return load_settings(file, environ).settings


def fault(tmp_path: Path, text: str, **environ: str) -> str:
    with pytest.raises(SettingsFault) as caught:
        load(tmp_path, text, **environ)
    message = str(caught.value).replace(str(tmp_path) + "/", "")
    assert "\n" not in message
    return message


def test_default_file_says_exactly_the_defaults() -> None:
    """The commented default.toml gives the same settings as no file at all."""
    assert load_settings(DEFAULT, {}).settings == Settings()


def uncommented() -> str:
    """default.toml with every example switched on."""
    return re.sub(r"(?m)^# ?(?=(\[\[\w+\]\]|\w+ = ))", "", DEFAULT.read_text(encoding="utf-8"))


def test_default_file_shows_every_setting() -> None:
    """No setting exists that the commented default file does not name."""

    def missing(model: type[BaseModel], table: object, place: str) -> list[str]:
        out = []
        for name, info in model.model_fields.items():
            below = next(
                (a for a in (info.annotation, *getattr(info.annotation, "__args__", ())) if isinstance(a, type)), None
            )
            value = table.get(name) if isinstance(table, dict) else None
            if value is None:
                out.append(f"{place}{name}")
            elif below is not None and issubclass(below, BaseModel):
                out += missing(below, value[0] if isinstance(value, list) else value, f"{place}{name}.")
        return out

    assert missing(Settings, tomllib.loads(uncommented()), "") == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('data_dir = "x"\n[fetch\n', "tocsin.toml:2: "),
        ('\n[fetch]\nintervall = "5m"\n', 'tocsin.toml:3: fetch.intervall: unknown key, did you mean "interval"?'),
        ('[telegrm]\ntoken = "1:a"\n', 'tocsin.toml:1: telegrm: unknown key, did you mean "telegram"?'),
        ('[fetch]\ninterval = "0s"\n', "tocsin.toml:2: fetch.interval: input should be greater than"),
        ('[fetch]\ninterval = "soon"\n', 'tocsin.toml:2: fetch.interval: "soon" is not a duration'),
        ("[fetch]\nmax_items = -1\n", "tocsin.toml:2: fetch.max_items: input should be greater than or equal to 1"),
        ('[[rules]]\nname = "a"\n[[rules]]\nname = "b"\nsignals = ["cease"]\n', 'tocsin.toml:5: rules[2].signals[1]: "c'),
        ('[[rules]]\nname = "a"\ncountries = ["Armenia"]\n', 'tocsin.toml:3: rules[1].countries[1]: "Armenia" is not an'),
        ('[[rules]]\nname = "a"\nchannels = ["slack:desc"]\n[[slack]]\nname = "desk"\nwebhook_url = "http://x.y/z"\n',
         'tocsin.toml:3: rules[1].channels: no channel "slack:desc", did you mean "slack:desk"?'),
        ('[[rules]]\nname = "a"\nchannels = ["telegram:5"]\n', "tocsin.toml:3: rules[1].channels: \"telegram:5\" needs a [t"),
        ('[[rules]]\nname = "a"\n[[rules]]\nname = "a"\n', 'tocsin.toml:4: rules[2].name: "a" stands twice'),
        ('[alerts]\nzone = "Mars/Olympus"\n', 'tocsin.toml:2: alerts.zone: "Mars/Olympus" is not a time zone'),
        ('[[feeds]]\nurl = "file:///etc/passwd"\n', "tocsin.toml:2: feeds[1].url: is not an http or https address"),
        ('[web]\nlisten = "nowhere"\n', 'tocsin.toml:2: web.listen: "nowhere" is not host:port'),
    ],
)  # fmt: skip
def test_K01_K02_K03_K09_one_line_names_file_line_and_key(tmp_path: Path, text: str, message: str) -> None:
    """A wrong setting gives one line with file, line, key and the nearest right name."""
    assert fault(tmp_path, text).startswith(message)


def test_a_wrong_secret_is_never_repeated(tmp_path: Path) -> None:
    """A malformed token is refused without being shown."""
    message = fault(tmp_path, '[telegram]\ntoken = "CanaryCanaryCanary"\n')
    assert message.startswith("tocsin.toml:2: telegram.token: is not a bot token")
    assert "Canary" not in message


def test_K08_environment_wins_over_file_and_explain_says_so(tmp_path: Path) -> None:
    """Where variable and file disagree the variable holds, and explain names both origins without secrets."""
    file = tmp_path / "tocsin.toml"
    file.write_text(f'[telegram]\ntoken = "{CANARY}"\n[fetch]\ninterval = "2m"\n')
    file.chmod(0o600)
    loaded = load_settings(file, {"TOCSIN_FETCH__INTERVAL": "3m", "TOCSIN_TELEGRAM__ADMINS": "[7, 8]"})
    assert loaded.settings.fetch.interval == timedelta(minutes=3)
    assert loaded.settings.telegram.admins == (7, 8)
    rows = {key: (value, origin) for key, value, origin in explain(loaded)}
    assert rows["fetch.interval"][1] == "TOCSIN_FETCH__INTERVAL"
    assert rows["telegram.token"] == ("(secret)", f"{file}:2")
    assert rows["web.listen"] == ("127.0.0.1:8787", "default")
    assert CANARY not in repr(rows) + repr(loaded) + str(loaded.settings)


def test_secret_file_is_read_and_a_public_one_is_warned_of(tmp_path: Path) -> None:
    """TOCSIN_…_FILE holds a secret by file; K05: one that everybody can read brings a warning that names it."""
    secret = tmp_path / "token"
    secret.write_text(CANARY + "\n")
    secret.chmod(0o644)
    loaded = load_settings(None, {"TOCSIN_TELEGRAM__TOKEN_FILE": str(secret)}, tmp_path)
    assert loaded.settings.telegram.token is not None
    assert loaded.settings.telegram.token.get_secret_value() == CANARY
    assert [w for w in loaded.warnings if str(secret) in w and "chmod" in w]
    secret.chmod(0o600)
    assert load_settings(None, {"TOCSIN_TELEGRAM__TOKEN_FILE": str(secret)}, tmp_path).warnings == ()


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("TOCSIN_TELEGRM__TOKEN", "1:a", 'TOCSIN_TELEGRM__TOKEN: no such setting, did you mean "TOCSIN_TELEGRAM__TOKEN"?'),
        ("TOCSIN_TELEGRAM__TOKEN_FILE", "/nowhere/token", "/nowhere/token: no such file or directory"),
        ("TOCSIN_FETCH__INTERVAL", "-1", "TOCSIN_FETCH__INTERVAL: "),
        ("TOCSIN_SLACK", "{", "TOCSIN_SLACK: is not JSON"),
    ],
)  # fmt: skip
def test_environment_faults_name_the_variable(tmp_path: Path, variable: str, value: str, message: str) -> None:
    """A wrong variable gives one line that names it."""
    assert fault(tmp_path, "", **{variable: value}).startswith(message)


def test_missing_and_unreadable_files_are_named(tmp_path: Path) -> None:
    """A settings file that is not there, not text or huge is refused by name."""
    with pytest.raises(SettingsFault, match=r"none\.toml: no such file"):
        load_settings(tmp_path / "none.toml", {})
    (tmp_path / "bin.toml").write_bytes(b"a = 1\n\xff\xfe")
    with pytest.raises(SettingsFault, match=r"bin\.toml:2: is not UTF-8"):
        load_settings(tmp_path / "bin.toml", {})
    (tmp_path / "big.toml").write_bytes(b"#" * (1024 * 1024 + 1))
    with pytest.raises(SettingsFault, match=r"big\.toml: larger than"):
        load_settings(tmp_path / "big.toml", {})


def test_line_of_finds_entries_of_repeated_tables() -> None:
    """The line of a key below the second table of a kind is that key's own line."""
    text = '[[rules]]\nname = "a"\n[rules.exclude]\nwords = []\n[[rules]]\nname = "b"\n'
    assert [line_of(text, ("rules", i, "name")) for i in (0, 1)] == [2, 6]
    assert line_of(text, ("rules", 0, "exclude", "words")) == 4


@given(st.integers(min_value=0, max_value=10**8))
def test_durations_round_trip(seconds: int) -> None:
    """A duration shown is read back as the same duration."""
    assert parse_duration(show_duration(timedelta(seconds=seconds))) == timedelta(seconds=seconds)
