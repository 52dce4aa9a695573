"""A validator for the part of JSON Schema that ``alert.schema.json`` uses; unknown keywords are an error."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any

_SILENT = {"$schema", "$id", "title", "description", "$defs"}
_TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
}


@cache
def schema() -> Mapping[str, Any]:
    """The published schema."""
    loaded: dict[str, Any] = json.loads(files("bot.channels").joinpath("alert.schema.json").read_text("utf-8"))
    return loaded


def problems(value: object) -> list[str]:
    """Where a value breaks the published schema."""
    return list(_check(value, schema(), "$"))


def _check(value: object, rule: Mapping[str, Any], at: str) -> Iterator[str]:
    for keyword, wanted in rule.items():
        if keyword not in _SILENT:
            yield from _KEYWORDS[keyword](value, wanted, rule, at)


def _ref(value: object, wanted: str, _rule: Mapping[str, Any], at: str) -> Iterator[str]:
    yield from _check(value, schema()["$defs"][wanted.removeprefix("#/$defs/")], at)


def _type(value: object, wanted: str | list[str], _rule: Mapping[str, Any], at: str) -> Iterator[str]:
    names = [wanted] if isinstance(wanted, str) else wanted
    fits = any(isinstance(value, _TYPES[name]) for name in names) and not (
        isinstance(value, bool) and "boolean" not in names
    )
    if not fits:
        yield f"{at} is not {wanted}: {value!r}"


def _required(value: object, wanted: list[str], _rule: Mapping[str, Any], at: str) -> Iterator[str]:
    if isinstance(value, dict):
        yield from (f"{at} lacks {name}" for name in wanted if name not in value)


def _properties(value: object, wanted: Mapping[str, Any], _rule: Mapping[str, Any], at: str) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            if name in wanted:
                yield from _check(inner, wanted[name], f"{at}.{name}")


def _additional(value: object, wanted: bool, rule: Mapping[str, Any], at: str) -> Iterator[str]:
    if isinstance(value, dict) and not wanted:
        yield from (f"{at} has {name}" for name in value if name not in rule["properties"])


def _items(value: object, wanted: Mapping[str, Any], _rule: Mapping[str, Any], at: str) -> Iterator[str]:
    if isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _check(inner, wanted, f"{at}[{index}]")


def _any_of(value: object, wanted: list[Mapping[str, Any]], _rule: Mapping[str, Any], at: str) -> Iterator[str]:
    if all(list(_check(value, choice, at)) for choice in wanted):
        yield f"{at} fits no alternative"


def _format(value: object, _wanted: str, _rule: Mapping[str, Any], at: str) -> Iterator[str]:
    try:
        datetime.fromisoformat(str(value))
    except ValueError:
        yield f"{at} is no time: {value!r}"


def _simple(fits: Callable[[Any, Any], bool]) -> Callable[[object, Any, Mapping[str, Any], str], Iterator[str]]:
    def check(value: object, wanted: Any, _rule: Mapping[str, Any], at: str) -> Iterator[str]:
        if not fits(value, wanted):
            yield f"{at} is {value!r}, not {wanted!r}"

    return check


_KEYWORDS: dict[str, Callable[[object, Any, Mapping[str, Any], str], Iterator[str]]] = {
    "$ref": _ref,
    "type": _type,
    "required": _required,
    "properties": _properties,
    "additionalProperties": _additional,
    "items": _items,
    "anyOf": _any_of,
    "format": _format,
    "const": _simple(lambda value, wanted: bool(value == wanted)),
    "enum": _simple(lambda value, wanted: value in wanted),
    "pattern": _simple(lambda value, wanted: not isinstance(value, str) or bool(re.search(wanted, value))),
    "minLength": _simple(lambda value, wanted: len(value) >= wanted),
    "minimum": _simple(lambda value, wanted: value >= wanted),
    "maximum": _simple(lambda value, wanted: value <= wanted),
}
