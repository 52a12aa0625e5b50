"""What a model may write fits OpenAI's strict structured output, and what that allows can be played."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from llmock.schema import example_for

from answers.canvas import COMMANDS
from answers.generation.base import Said, StepOpened
from answers.generation.openai.projection import answer_schema, continuation_schema
from answers.generation.openai.reader import AnswerReader

SCHEMAS = [answer_schema(), continuation_schema(True), continuation_schema(False)]
KEYWORDS = {"type", "enum", "anyOf", "items", "$ref", "description"}


def nodes(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield schema
    for child in [*children(schema), *schema.get("$defs", {}).values()]:
        yield from nodes(child)


def children(schema: dict[str, Any]) -> list[dict[str, Any]]:
    items = [schema["items"]] if "items" in schema else []
    return [*schema.get("properties", {}).values(), *schema.get("anyOf", ()), *items]


def depth(schema: dict[str, Any], root: dict[str, Any]) -> int:
    if "$ref" in schema:
        return depth(root["$defs"][schema["$ref"].rpartition("/")[2]], root)
    below = max((depth(child, root) for child in children(schema)), default=0)
    return below + (schema.get("type") == "object")


@pytest.mark.parametrize("schema", SCHEMAS)
def test_every_object_requires_all_it_has_and_nothing_else(schema: dict[str, Any]) -> None:
    for node in nodes(schema):
        if node.get("type") == "object":
            assert node["required"] == list(node["properties"])
            assert node["additionalProperties"] is False
        else:
            assert node.keys() <= KEYWORDS, node


@pytest.mark.parametrize("schema", SCHEMAS)
def test_the_schema_keeps_within_the_published_limits(schema: dict[str, Any]) -> None:
    assert schema["type"] == "object"
    assert depth(schema, schema) <= 5
    assert sum(len(node.get("properties", ())) for node in nodes(schema)) < 5000
    assert sum(len(node.get("enum", ())) for node in nodes(schema)) < 1000
    assert len(json.dumps(schema)) < 120_000


def test_every_command_but_the_editors_own_begins_with_its_op_and_has_no_place() -> None:
    definitions = answer_schema()["$defs"]
    ops = set()
    for definition in definitions.values():
        first, *others = definition["properties"]
        if first == "op":
            ops.update(definition["properties"]["op"]["enum"])
            assert "at" not in others
    assert ops == COMMANDS.keys() - {"image"}


def test_what_may_be_left_out_may_be_null() -> None:
    plot = answer_schema()["$defs"]["Plot"]["properties"]
    assert plot["in"] == {"type": "string"}
    assert plot["label"] == {"anyOf": [{"type": "string"}, {"type": "null"}]}
    assert plot["domain"] == {"anyOf": [{"type": "array", "items": {"type": "number"}}, {"type": "null"}]}


def test_the_plan_is_written_first() -> None:
    assert list(answer_schema()["properties"]) == ["plan", "steps"]
    assert list(continuation_schema(True)["properties"]) == ["rest", "steps"]


def test_the_simplest_answer_that_the_schema_allows_can_be_played() -> None:
    reader = AnswerReader()
    pieces = reader.feed(json.dumps(example_for(answer_schema())))
    reader.close()
    assert [type(piece) for piece in pieces[1:3]] == [StepOpened, Said]
