"""The JSON Schema of what a model may write, in the subset that strict structured output takes.

Every property is required, null standing for what is left out; no further properties; no union at the root;
`op` first, so that the kind of a command is known before the rest of it. What the subset cannot say (ranges,
patterns, lengths) is checked when the command has been read.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic.json_schema import models_json_schema

from answers.canvas import COMMANDS
from answers.schema import STEP_TYPES

Schema = dict[str, Any]

NOT_FOR_MODELS = frozenset({"image"})  # its assets are known to editors alone
_STRING: Schema = {"type": "string"}
_NULL: Schema = {"type": "null"}


@cache
def answer_schema() -> Schema:
    """Return the schema of a whole answer."""
    plan = _object(total_duration={"type": "integer"}, titles=_array(_STRING))
    return _with_commands(_object(plan=plan, steps=_array(_step())))


@cache
def continuation_schema(inside_step: bool) -> Schema:
    """Return the schema of what goes on from a recording, inside a step or behind its last one."""
    rest = {"rest": _array(_part())} if inside_step else {}
    return _with_commands(_object(**rest, steps=_array(_step())))


def _step() -> Schema:
    kind = {"type": "string", "enum": list(STEP_TYPES)}
    return _object(title=_STRING, type=kind, parts=_array(_part()))


def _part() -> Schema:
    commands = [{"$ref": f"#/$defs/{COMMANDS[op].__name__}"} for op in COMMANDS if op not in NOT_FOR_MODELS]
    return {"anyOf": [_object(say=_STRING), _object(do={"anyOf": commands})]}


def _with_commands(schema: Schema) -> Schema:
    models = [(COMMANDS[op], "validation") for op in COMMANDS if op not in NOT_FOR_MODELS]
    definitions = models_json_schema(models)[1]["$defs"]  # type: ignore[arg-type]
    return {**schema, "$defs": {name: strict(definition) for name, definition in definitions.items()}}


def strict(schema: Mapping[str, Any]) -> Schema:
    """Return the strict subset of a schema that pydantic has made."""
    if "$ref" in schema:
        return {"$ref": schema["$ref"]}
    if options := schema.get("anyOf") or schema.get("oneOf"):
        return _any_of(*map(strict, options))
    described = {"description": schema["description"]} if "description" in schema else {}
    if schema.get("type") == "object":
        return described | _strict_object(schema)
    if schema.get("type") == "array":
        items = [strict(item) for item in schema.get("prefixItems", ()) or [schema["items"]]]
        return described | _array(_any_of(*items))
    values = [schema["const"]] if "const" in schema else schema.get("enum")
    return described | {"type": schema["type"]} | ({"enum": values} if values else {})


def _strict_object(schema: Mapping[str, Any]) -> Schema:
    required = schema.get("required", ())
    members = {name: strict(member) for name, member in schema["properties"].items() if name != "at"}
    names = sorted(members, key=lambda name: name != "op")
    return _object(
        **{name: members[name] if name in required else _any_of(members[name], _NULL) for name in names}
    )


def _any_of(*options: Schema) -> Schema:
    flat: list[Schema] = []
    for option in options:
        flat += [one for one in option.get("anyOf", [option]) if one not in flat]
    return flat[0] if len(flat) == 1 else {"anyOf": flat}


def _array(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _object(**properties: Schema) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
