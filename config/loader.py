"""Finds, reads and checks the settings. Every complaint is one line that names the file and line, or the variable.

Precedence, highest first: environment variables (``TOCSIN_TELEGRAM__TOKEN``, or ``TOCSIN_TELEGRAM__TOKEN_FILE`` for
a file that holds the value), the settings file, the defaults.
"""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, SecretStr, ValidationError

from config.checks import nearest
from config.lines import line_of
from config.model import LocatedError, Settings

PREFIX = "TOCSIN_"
CONFIG_VARIABLE = "TOCSIN_CONFIG"
MAX_BYTES = 1024 * 1024

MAX_DEPTH = 32
_PART = r"""(?:[\w-]+|"[^"\n]*"|'[^'\n]*')"""
_DEEP_KEY = re.compile(rf"""(?<![\w"'.-]){_PART}(?:[ \t]*\.[ \t]*{_PART}){{{MAX_DEPTH},}}""")
"""A dotted key of thousands of parts: ``tomllib`` takes time and memory with their square."""

Place = tuple[str | int, ...]


class SettingsFault(ValueError):
    """The settings are wrong; the message is the one line to show."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """Settings with where they came from: ``origins`` maps ``telegram.token`` to a file:line or a variable."""

    settings: Settings
    path: Path | None
    origins: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def find_file(named: Path | None, environ: Mapping[str, str], here: Path) -> Path | None:
    """The settings file: the one named, ``$TOCSIN_CONFIG``, ``./tocsin.toml``, ``/etc/tocsin/tocsin.toml``, or none."""
    if named is not None:
        return named
    if environ.get(CONFIG_VARIABLE):
        return Path(environ[CONFIG_VARIABLE])
    return next((p for p in (here / "tocsin.toml", Path("/etc/tocsin/tocsin.toml")) if p.is_file()), None)


def load_settings(
    named: Path | None = None, environ: Mapping[str, str] | None = None, here: Path | None = None
) -> Loaded:
    """Read everything. Raises :class:`SettingsFault` with one line where anything is wrong."""
    environ = os.environ if environ is None else environ
    path = find_file(named, environ, here or Path.cwd())
    text = _read(path) if path else ""
    tree = _parse(text, path)
    origins: dict[str, str] = {".".join(map(str, place)): f"{path}:{line_of(text, place)}" for place in _leaves(tree)}
    warnings: list[str] = []
    for place, value, variable in _from_environment(environ, warnings):
        _insert(tree, place, value, variable)
        origins[".".join(place)] = variable
    try:
        settings = Settings.model_validate(tree)
    except ValidationError as error:
        raise SettingsFault(_one_line(error, text, path, origins)) from None
    if path and _holds_secret(tree) and _world_readable(path):
        warnings.append(f"{path}: holds a secret and is readable by everybody (chmod 600 it, or use a *_FILE variable)")
    return Loaded(settings, path, origins, tuple(warnings))


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise SettingsFault(f"{path}: {(error.strerror or 'cannot be read').lower()}") from None
    if len(raw) > MAX_BYTES:
        raise SettingsFault(f"{path}: larger than {MAX_BYTES} bytes, that is no settings file")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise SettingsFault(f"{path}:{line}: is not UTF-8 text") from None


def _parse(text: str, path: Path | None) -> dict[str, Any]:
    if deep := _DEEP_KEY.search(text):
        line = text.count("\n", 0, deep.start()) + 1
        raise SettingsFault(f"{path}:{line}: nested too deep, that is no settings file")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message = str(error)
        line = text.count("\n") + 1
        if "(at line " in message:
            message, _, rest = message.partition(" (at line ")
            line = int(rest.split(",")[0])
        elif "(at end of document)" in message:
            message = message.replace(" (at end of document)", "")
        raise SettingsFault(f"{path}:{line}: {message[:1].lower()}{message[1:]}") from None
    except RecursionError:
        raise SettingsFault(f"{path}: nested too deep, that is no settings file") from None


def _leaves(tree: object, place: Place = ()) -> Iterator[Place]:
    """Places of all values below tables and arrays of tables."""
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield from _leaves(value, (*place, key))
    elif isinstance(tree, list) and tree and all(isinstance(entry, dict) for entry in tree):
        for index, entry in enumerate(tree):
            yield from _leaves(entry, (*place, index))
    elif place:
        yield place


def _from_environment(environ: Mapping[str, str], warnings: list[str]) -> Iterator[tuple[tuple[str, ...], object, str]]:
    """(place, value, variable) of every setting in the environment; unknown names are errors, like unknown keys."""
    for variable in sorted(environ):
        if not variable.startswith(PREFIX) or variable == CONFIG_VARIABLE:
            continue
        place = tuple(variable.removeprefix(PREFIX).lower().split("__"))
        annotation = _annotation(place)
        if annotation is not None:
            if environ[variable] or annotation is str:
                yield place, _value(environ[variable], annotation, variable), variable
            continue
        base = (*place[:-1], place[-1].removesuffix("_file"))
        annotation = _annotation(base) if place[-1].endswith("_file") else None
        if annotation is None:
            known = [PREFIX + "__".join(p).upper() for p in _all_places(Settings)]
            raise SettingsFault(f"{variable}: no such setting{nearest(variable, known)}")
        file = Path(environ[variable])
        secret = _read(file).strip()
        if _world_readable(file):
            warnings.append(f"{file}: holds a secret and is readable by everybody (chmod 600 it)")
        if secret:  # an empty file is how a container says "not set"
            yield base, _value(secret, annotation, variable), variable


def _all_places(model: type[BaseModel], place: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, info in model.model_fields.items():
        if isinstance(info.annotation, type) and issubclass(info.annotation, BaseModel):
            yield from _all_places(info.annotation, (*place, name))
        else:
            yield (*place, name)


def _annotation(place: tuple[str, ...]) -> object | None:
    """The type of the setting at a place, or None where there is no such setting."""
    model: type[BaseModel] = Settings
    for depth, name in enumerate(place):
        info = model.model_fields.get(name)
        if info is None:
            return None
        if depth == len(place) - 1:
            return info.annotation
        if not (isinstance(info.annotation, type) and issubclass(info.annotation, BaseModel)):
            return None
        model = info.annotation
    return None


def _value(raw: str, annotation: object, variable: str) -> object:
    """Text stays text for pydantic to convert, but lists and tables are written as JSON."""
    origin = getattr(annotation, "__origin__", annotation)
    if origin is tuple or (isinstance(origin, type) and issubclass(origin, BaseModel)):
        try:
            return json.loads(raw)
        except json.JSONDecodeError:
            if get_args(annotation) and not raw.lstrip().startswith(("[", "{")):
                return [part.strip() for part in raw.split(",") if part.strip()]
            raise SettingsFault(f"{variable}: is not JSON") from None
        except RecursionError:
            raise SettingsFault(f"{variable}: nested too deep") from None
    return raw


def _insert(tree: dict[str, Any], place: tuple[str, ...], value: object, variable: str) -> None:
    node = tree
    for name in place[:-1]:
        below = node.setdefault(name, {})
        if not isinstance(below, dict):
            raise SettingsFault(f"{variable}: the settings file has no table [{name}] but a plain value there")
        node = below
    node[place[-1]] = value


def _one_line(error: ValidationError, text: str, path: Path | None, origins: Mapping[str, str]) -> str:
    """The first complaint with its place; the value is not repeated, since it may be a secret."""
    first = error.errors(include_url=False, include_context=True, include_input=False)[0]
    place: Place = tuple(first["loc"])
    message = first["msg"].removeprefix("Value error, ")
    cause = first.get("ctx", {}).get("error")
    if isinstance(cause, LocatedError):
        place = cause.place
    if first["type"] == "extra_forbidden":
        message = f"unknown key{nearest(str(place[-1]), _siblings(place))}"
    key = _dotted(place)
    origin = _origin(place, origins) or f"{path}:{line_of(text, place)}"
    lead = origin if origin.startswith(PREFIX) else f"{origin}: {key}"
    return f"{lead}: {message[:1].lower()}{message[1:]}"


def _siblings(place: Place) -> list[str]:
    """Keys that would have been right in the table that holds ``place``."""
    model: type[BaseModel] = Settings
    for part in place[:-1]:
        if isinstance(part, int):
            continue
        info = model.model_fields.get(part)
        below = _model_in(info.annotation) if info else None
        if below is None:
            return []
        model = below
    return list(model.model_fields)


def _model_in(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((m for arg in get_args(annotation) if (m := _model_in(arg)) is not None), None)


def _dotted(place: Place) -> str:
    return "".join(f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in place).lstrip(".")


def _origin(place: Place, origins: Mapping[str, str]) -> str | None:
    for depth in range(len(place), 0, -1):
        found = origins.get(".".join(map(str, place[:depth])))
        if found is not None:
            return found
    return None


def _holds_secret(tree: object) -> bool:
    if isinstance(tree, dict):
        secret = {"token", "webhook_url", "secret", "proxy", "ping_url"} & tree.keys()
        return bool(secret) or any(_holds_secret(value) for value in tree.values())
    return isinstance(tree, list) and any(_holds_secret(entry) for entry in tree)


def _world_readable(path: Path) -> bool:
    try:
        return os.name == "posix" and bool(path.stat().st_mode & 0o004)
    except OSError:
        return False


def explain(loaded: Loaded) -> Iterator[tuple[str, str, str]]:
    """(setting, value, origin) of every setting, secrets masked, for ``tocsin check-config --explain``."""
    yield from _explain(loaded.settings, (), loaded.origins)


def _explain(value: object, place: Place, origins: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    if isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _explain(getattr(value, name), (*place, name), origins)
    elif isinstance(value, tuple) and value and isinstance(value[0], BaseModel):
        for index, entry in enumerate(value):
            yield from _explain(entry, (*place, index), origins)
    else:
        shown = "(secret)" if isinstance(value, SecretStr) else str(value)
        yield _dotted(place), shown, _origin(place, origins) or "default"
