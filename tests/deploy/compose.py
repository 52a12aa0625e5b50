"""compose.yaml and Dockerfile, read as their tools read them."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
# What an operator has to say; each is missing in turn.
REQUIRED = {
    "SECRET_KEY": "a" * 50,
    "ALLOWED_HOSTS": "tutor.school.example",
    "POSTGRES_PASSWORD": "letters4nd2digits",
}


class Missing(Exception):
    """A variable without which nothing starts, and the message that says so."""


def interpolated(text: str, variables: Mapping[str, str]) -> str:
    """Return a text as Compose does: `${NAME:?message}` is required, `${NAME:-default}` is not."""

    def value(match: re.Match[str]) -> str:
        if match["dollar"]:
            return "$"
        if variables.get(match["name"]):
            return variables[match["name"]]
        if match["how"] == "?":
            raise Missing(f"{match['name']} {match['rest']}")
        assert match["how"] == "-", match[0]
        return match["rest"]

    return re.sub(r"(?P<dollar>\$\$)|\$\{(?P<name>\w+)(?::(?P<how>[?-])(?P<rest>[^}]*))?\}", value, text)


def compose(variables: Mapping[str, str] = REQUIRED) -> dict[str, Any]:
    """Return compose.yaml with its variables filled in."""

    def filled(part: Any) -> Any:
        match part:
            case str():
                return interpolated(part, variables)
            case dict():
                return {key: filled(value) for key, value in part.items()}
            case list():
                return [filled(value) for value in part]
        return part

    return filled(yaml.safe_load((ROOT / "compose.yaml").read_text()))


def environment(service: str, variables: Mapping[str, str] = REQUIRED) -> dict[str, str]:
    """Return what a service finds in its environment; one without a value is passed on."""
    given = compose(variables)["services"][service]["environment"]
    passed = {name: variables.get(name) if value is None else value for name, value in given.items()}
    return {name: value for name, value in passed.items() if value is not None}


def proxy_configuration(variables: Mapping[str, str] = REQUIRED) -> str:
    return compose(variables)["configs"]["proxy"]["content"]


@dataclass(frozen=True)
class Instruction:
    """One of a Dockerfile: `COPY --from=page a b` is ("COPY", {"from": "page"}, "a b")."""

    name: str
    flags: dict[str, str]
    rest: str

    @property
    def words(self) -> list[str]:
        """The exec form, or the words of the shell form."""
        command = self.rest.removeprefix("CMD ")
        return json.loads(command) if command.startswith("[") else command.split()


@cache
def dockerfile() -> list[list[Instruction]]:
    """Return the stages of the Dockerfile."""
    text = re.sub(r"^\s*#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE).replace(
        "\\\n", " "
    )
    stages: list[list[Instruction]] = []
    for line in filter(None, map(str.strip, text.splitlines())):
        name, rest = line.split(maxsplit=1)
        flags: dict[str, str] = {}
        while flag := re.match(r"--([\w-]+)=(\S+)\s+", rest):
            flags[flag[1]], rest = flag[2], rest[flag.end() :]
        if name == "FROM":
            stages.append([])
        stages[-1].append(Instruction(name, flags, rest))
    return stages


def last(name: str) -> Instruction:
    """Return the instruction of this name that holds for the image."""
    return [instruction for instruction in dockerfile()[-1] if instruction.name == name][-1]
