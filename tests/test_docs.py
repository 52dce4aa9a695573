"""Documentation cannot rot: every command, setting and file it names exists, and none is left out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from bot.cli import app
from bot.cli.feedback import app as feedback_app
from bot.cli.feeds import app as feeds_app
from bot.cli.rules import app as rules_app
from config.model import Settings

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def commands() -> list[str]:
    return [command.name or "" for command in app.registered_commands]


@pytest.mark.parametrize("command", commands())
def test_every_command_is_documented(command: str) -> None:
    """Each command stands in the README's table and explains itself."""
    assert f"`tocsin {command}" in README
    callback = next(c.callback for c in app.registered_commands if c.name == command)
    assert callback is not None
    assert callback.__doc__


GROUPS = {"feeds": feeds_app, "rules": rules_app, "feedback": feedback_app}


def test_every_group_of_commands_is_known_here() -> None:
    """A group of subcommands that nobody documents is found."""
    assert {group.name for group in app.registered_groups} == set(GROUPS)


@pytest.mark.parametrize("group", GROUPS)
def test_every_subcommand_is_documented(group: str) -> None:
    """The subcommands of a group are the ones that the README names, and each explains itself."""
    named = re.search(rf"`tocsin {group} ([a-z|\\]+)", README)
    assert named is not None
    registered = GROUPS[group].registered_commands
    assert set(named[1].replace("\\", "").split("|")) == {c.name for c in registered}
    assert all(c.callback is not None and c.callback.__doc__ for c in registered)


def test_every_setting_is_documented() -> None:
    """Each setting stands in the README's table, and the table names no other."""
    documented = {
        row[1]: set(re.findall(r"`(\w+)`", row[2]))
        for row in re.finditer(r"^\| `?([^|`]+)`? \| (.+) \|$", README, re.M)
    }
    for name, info in Settings.model_fields.items():
        arguments = (info.annotation, *getattr(info.annotation, "__args__", ()))
        model = next((a for a in arguments if isinstance(a, type) and issubclass(a, BaseModel)), None)
        if model is None:
            assert name in documented["(top)"]
        else:
            table = documented.get(f"[{name}]") or documented.get(f"[[{name}]]")
            assert table == set(model.model_fields), name


def test_every_link_leads_somewhere() -> None:
    """Files that README and ARCHITECTURE link to exist."""
    for document in ("README.md", "ARCHITECTURE.md"):
        text = (ROOT / document).read_text(encoding="utf-8")
        for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", text):
            assert (ROOT / target).exists(), f"{document}: {target}"


def test_changelog_names_this_version() -> None:
    """The version that runs is the newest in the changelog."""
    from bot import __version__

    first = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.M)
    assert first is not None
    assert first[1] == __version__
