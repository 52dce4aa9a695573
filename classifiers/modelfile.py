"""The model on disk: plain arrays beside a manifest that says what they are.

``<name>.npz`` holds NumPy arrays (never pickled objects), ``<name>.json`` their SHA-256, the versions of format,
features and taxonomy they belong to, and where they come from. Whatever does not fit is refused in one line; whoever
holds a loaded model keeps it.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from classifiers.errors import ModelError
from classifiers.features import FEATURE_VERSION
from classifiers.taxonomy import SIGNAL_IDS, taxonomy_hash

FORMAT_VERSION = 1
Array = npt.NDArray[np.generic]
Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]


class ModelFile(NamedTuple):
    """What a pair of files holds."""

    arrays: Mapping[str, Array]
    manifest: Mapping[str, Json]


def save_model(folder: Path, name: str, arrays: Mapping[str, Array], about: Mapping[str, Json]) -> str:
    """Writes both files and returns the SHA-256 of the arrays: the same arrays always give the same hash.

    ``about`` is kept in the manifest under its own keys (data, metrics, settings).
    """
    folder.mkdir(parents=True, exist_ok=True)
    packed = _pack(arrays)
    digest = hashlib.sha256(packed).hexdigest()
    manifest = {
        "format": FORMAT_VERSION,
        "features": FEATURE_VERSION,
        "taxonomy": taxonomy_hash(),
        "signals": list(SIGNAL_IDS),
        "sha256": digest,
        **about,
    }
    _replace(folder / f"{name}.npz", packed)
    _replace(folder / f"{name}.json", (json.dumps(manifest, indent=1, ensure_ascii=False) + "\n").encode())
    return digest


def load_model(folder: Path, name: str) -> ModelFile:
    """Reads and checks both files.

    Raises :class:`~classifiers.errors.ModelError` naming the file where one is missing or damaged, or was made for
    another format, other features or another taxonomy.
    """
    manifest = _manifest(folder / f"{name}.json")
    path = folder / f"{name}.npz"
    _check_versions(folder / f"{name}.json", manifest)
    packed = _bytes_of(path)
    if hashlib.sha256(packed).hexdigest() != manifest.get("sha256"):
        raise ModelError(f"{path}: its SHA-256 is not the one in {name}.json: the file is damaged or was exchanged")
    try:
        with np.load(io.BytesIO(packed), allow_pickle=False) as stored:
            arrays = {key: stored[key] for key in stored.files}
    except (ValueError, OSError, zipfile.BadZipFile) as error:
        raise ModelError(f"{path}: not a file of plain arrays: {error}") from error
    return ModelFile(arrays, manifest)


def array_of(model: ModelFile, key: str, path: str) -> Array:
    """One array of the model, or a :class:`ModelError` naming what is missing."""
    if key not in model.arrays:
        raise ModelError(f"{path}: lacks the array {key!r}")
    return model.arrays[key]


def _manifest(path: Path) -> dict[str, Json]:
    try:
        manifest = json.loads(_bytes_of(path))
    except ValueError as error:
        raise ModelError(f"{path}: not valid JSON: {error}") from error
    if not isinstance(manifest, dict):
        raise ModelError(f"{path}: must hold one JSON object")
    return manifest


def _check_versions(path: Path, manifest: Mapping[str, Json]) -> None:
    expected: dict[str, Json] = {
        "format": FORMAT_VERSION,
        "features": FEATURE_VERSION,
        "taxonomy": taxonomy_hash(),
    }
    for key, wanted in expected.items():
        if manifest.get(key) != wanted:
            raise ModelError(f"{path}: {key} is {manifest.get(key)!r}, this version needs {wanted!r}: train it anew")


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: cannot be read: {error.strerror or error}") from error


def _pack(arrays: Mapping[str, Array]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as packed:
        for key in sorted(arrays):
            inner = io.BytesIO()
            np.lib.format.write_array(inner, np.ascontiguousarray(arrays[key]), allow_pickle=False)
            packed.writestr(zipfile.ZipInfo(f"{key}.npy"), inner.getvalue())
    return buffer.getvalue()


def _replace(path: Path, content: bytes) -> None:
    """Writes beside the old file and then puts it in its place, so that a reader never sees half a file."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_bytes(content)
    fresh.replace(path)
