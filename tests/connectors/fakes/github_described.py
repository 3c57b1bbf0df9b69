"""GitHub's own description of its API: our calls and the fake's answers are held against it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from openapi_core import OpenAPI
from openapi_core.testing import MockRequest, MockResponse

SPEC = Path(__file__).parent.parent.parent / "specs" / "github.openapi.json"
URL = "https://github.example/api/v3"
_TIME = "2026-01-02T03:04:05Z"


@cache
def description() -> dict[str, Any]:
    value: dict[str, Any] = json.loads(SPEC.read_text(encoding="utf-8"))
    value["servers"] = [{"url": URL}]
    contents = value["paths"]["/repos/{owner}/{repo}/contents/{path}"]["get"]["responses"]["200"]
    # It would look into a list for the field that tells the kinds apart.
    contents["content"]["application/json"]["schema"].pop("discriminator")
    return value


@cache
def described() -> OpenAPI:
    return OpenAPI.from_dict(description())


def check(
    method: str,
    path: str,
    query: str,
    body: bytes,
    status: int,
    content: bytes,
) -> None:
    """Raise where the call, or what was answered with success, is none that GitHub describes."""
    asked = MockRequest(
        URL,
        method.lower(),
        f"{urlsplit(URL).path}{_one_part(path)}",
        args=dict(parse_qsl(query, keep_blank_values=True)),
        data=body or None,
        content_type="application/json",
    )
    if status != 422:  # What is refused so may be what the description forbids.
        described().validate_request(asked)
    if 200 <= status < 300 and status != 204:
        given = MockResponse(content, status, content_type="application/json")
        described().validate_response(asked, given)


def _one_part(path: str) -> str:
    """Return `path` with what the description holds for one part as one: a name, a file."""
    before, contents, file = path.partition("/contents/")
    parts = [*before.split("/"), *(["contents", file] if contents else [])]
    return "/".join(quote(unquote(part), safe="") for part in parts)


def filled(schema: str, /, **values: Any) -> dict[str, Any]:
    """Return an object of `schema`: `values`, and for what else is required nothing.

    Nothing is null where that may be, else an empty text, a zero, a time, an address.
    """
    whole = _resolved({"$ref": f"#/components/schemas/{schema}"})
    made = _nothing({**whole, "nullable": False}, "")
    assert isinstance(made, dict)
    return {**made, **values}


def _nothing(schema: Mapping[str, Any], name: str) -> Any:  # noqa: PLR0911  # one for each kind
    schema = _resolved(schema)
    if schema.get("nullable"):
        return None
    if "enum" in schema:
        return schema["enum"][0]
    for several in ("oneOf", "anyOf"):
        if several in schema and "properties" not in schema:
            return _nothing(schema[several][0], name)
    if "allOf" in schema:
        parts = [_nothing(part, name) for part in schema["allOf"]]
        return {
            key: value for part in parts if isinstance(part, dict) for key, value in part.items()
        }
    if schema.get("type") == "object" or "properties" in schema:
        properties = schema.get("properties", {})
        return {key: _nothing(properties.get(key, {}), key) for key in schema.get("required", ())}
    if schema.get("type") == "string":
        formats = {"date-time": _TIME, "uri": f"{URL}/{name}", "email": "a@b.example"}
        return formats.get(schema.get("format", ""), "x" * schema.get("minLength", 0))
    return {"integer": 0, "number": 0, "boolean": False, "array": []}.get(schema.get("type", ""))


def _resolved(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    while "$ref" in schema:
        found: Any = description()
        for part in schema["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        schema = found
    return schema
