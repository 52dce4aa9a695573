"""What Tocsin is built from and how it is run: the files that say so, read as text."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.parts import ROOT

LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
_PIN = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[\w,-]+\])?==([\w.!+-]+)(?: ; [^\\]+)? \\")
_HASH = re.compile(r"    --hash=sha256:[0-9a-f]{64}( \\)?")


def pins(path: Path) -> Iterator[tuple[str, int]]:
    """(package, number of hashes) of every entry; any other line is a fault."""
    name, hashes = "", 0
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if pin := _PIN.fullmatch(line):
            if name:
                yield name, hashes
            name, hashes = pin[1].lower().replace("_", "-"), 0
        else:
            assert _HASH.fullmatch(line), f"{path.name}:{number}: {line}"
            hashes += 1
    yield name, hashes


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.name)
def test_X26_every_dependency_is_pinned_with_hashes_and_no_file_names_a_place(path: Path) -> None:
    """Each line of each lock is an exact version with its checksums; no address, option or editable slips in."""
    found = dict(pins(path))
    assert found
    assert all(found.values()), [name for name, hashes in found.items() if not hashes]


def test_X26_every_declared_dependency_is_locked_once() -> None:
    """What pyproject.toml asks for stands in the locks, in versions that agree between them."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    names = {re.split(r"[\[<>=!~ ;]", line)[0].lower() for line in project["project"]["dependencies"]}
    assert names <= {name for name, _ in pins(ROOT / "requirements" / "run.txt")}
    versions: dict[str, set[str]] = {}
    for path in LOCKS:
        for name, version in re.findall(r"^([\w.-]+)(?:\[[\w,-]+\])?==([^\s;]+)(?= \\)", path.read_text(), re.M):
            versions.setdefault(name, set()).add(version)
    assert {name: seen for name, seen in versions.items() if len(seen) > 1} == {}


def test_X26_nothing_is_installed_past_the_hashes() -> None:
    """Makefile and Dockerfile install from the locks with --require-hashes, and the project itself without dependencies."""
    for name in ("Makefile", "Dockerfile"):
        text = (ROOT / name).read_text(encoding="utf-8")
        commands = re.findall(r"(?:pip|\$\(PIP\)) install ([^\n&]+)", text)
        assert commands
        for command in commands:
            assert "--require-hashes" in command or "--no-deps" in command, f"{name}: {command}"
            assert not re.search(r"://|--index-url|--extra-index|--trusted-host", command), f"{name}: {command}"


# --- the container ----------------------------------------------------------------------------------------------


def instructions(stage: int) -> list[str]:
    """The Dockerfile's instructions of one stage, continuation lines joined."""
    text = re.sub(r"\\\n", " ", (ROOT / "Dockerfile").read_text(encoding="utf-8"))
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    starts = [index for index, line in enumerate(lines) if line.startswith("FROM ")] + [len(lines)]
    return lines[starts[stage] : starts[stage + 1]] if stage >= 0 else lines[starts[stage - 1] : starts[stage]]


def test_X27_the_image_runs_as_nobody_and_holds_no_tools_or_secrets() -> None:
    """The last stage ends as a numeric user that is not root, and gets only the finished environment."""
    last = instructions(-1)
    users = [line.split()[1] for line in last if line.startswith("USER ")]
    assert users
    assert all(re.fullmatch(r"[1-9]\d*(:[1-9]\d*)?", user) for user in users)
    assert last.index(f"USER {users[-1]}") < next(i for i, line in enumerate(last) if line.startswith("ENTRYPOINT"))
    copied = [line for line in last if line.startswith(("COPY", "ADD"))]
    assert copied
    assert all(line.startswith("COPY --from=build ") for line in copied)
    everything = "\n".join(instructions(0) + last)
    assert not re.search(
        r"(?i)(token|secret|password|webhook)\w*=|^ADD |chmod [0-7]*7[0-7]*7|setcap|sudo", everything, re.M
    )
    assert any(line.startswith("HEALTHCHECK") for line in last)


def services() -> dict[str, str]:
    """The services of compose.yaml by name, as text without comments."""
    text = re.sub(r"(?m)\s*#.*$", "", (ROOT / "compose.yaml").read_text(encoding="utf-8"))
    body = re.search(r"(?ms)^services:\n(.*?)^\S", text)
    assert body is not None
    parts = re.split(r"(?m)^  (\w[\w-]*):\n", body[1])
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@pytest.mark.parametrize("name", services())
def test_X27_the_container_may_do_nothing_it_need_not(name: str) -> None:
    """Read-only root, no capabilities, no new privileges, bounded memory and processes; nothing of the host is shared."""
    service = services()[name]
    for wanted in (
        "read_only: true",
        "cap_drop: [ALL]",
        'security_opt: ["no-new-privileges:true"]',
        "mem_limit:",
        "pids_limit:",
    ):
        assert f"    {wanted}" in service, wanted
    assert not re.search(r"privileged|cap_add|network_mode|pid:|ipc:|devices|docker\.sock|userns_mode", service)
    assert all(port.startswith("127.0.0.1:") for port in re.findall(r'- "?([\d.:]+:\d+)"?$', service, re.M))
    volumes = re.findall(r"^      - ([^:\n]+):/", service, re.M)
    assert not [volume for volume in volumes if volume.startswith(("/", "~"))]


def test_X27_secrets_come_as_files() -> None:
    """No secret stands in compose.yaml or its environment: each comes as a file that only the container sees."""
    for service in services().values():
        environment = re.findall(r"^      (TOCSIN_\w+): (\S+)", service, re.M)
        assert environment
        for variable, value in environment:
            assert variable.endswith("_FILE"), variable
            assert value.startswith("/run/secrets/"), variable


def test_P13_the_container_needs_no_place_to_write_but_its_data() -> None:
    """With a read-only root, temporary files, bytecode and data go where the volume is, or nowhere."""
    environment = " ".join(line for line in instructions(-1) if line.startswith("ENV "))
    for wanted in ("TMPDIR=/data", "PYTHONDONTWRITEBYTECODE=1", "TOCSIN_DATA_DIR=/data"):
        assert wanted in environment
    assert any(re.search(r":/data$", line) for service in services().values() for line in service.splitlines())
