"""`/api/v1/bugs`: reports of any tool and commands of people, into the inbox."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Self, TypeVar
from uuid import UUID, uuid4

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import JSONResponse
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)
from starlette.concurrency import run_in_threadpool

from connectors.channel import ABOUT, Verb
from connectors.inbox import ConflictError, Inbox, Receipt
from processors.ports import Blobs
from schemas.event import subject_id
from schemas.received import Name, ReceivedReport
from schemas.reports import UNASSIGNED
from streams.gateway_http import Door, described, problem, read_body, require_token
from streams.receiving import accept_command, accept_report
from streams.refusals import Refusals

REPORT_BYTES_MAX = 8 * 1024 * 1024
COMMAND_BYTES_MAX = 64 * 1024
KEY_CHARS_MAX = 200
PROBLEMS_SHOWN_MAX = 20
_ERRORS = described(
    s400="The Idempotency-Key is unusable, or the body ended early.",
    s401="The bearer token is missing or wrong.",
    s408="The body came too slowly.",
    s413="The body is too large.",
    s422="The body is not as described; `problems` names each field.",
    s503="Nothing was kept; send it again later.",
)

M = TypeVar("M", bound=BaseModel)
Bug = tuple[UUID, str]
"""Its id and its project."""
ResolveBug = Callable[[str], Bug | None]
"""What people call a bug -> the bug; None: there is no such bug."""


_BugName = Annotated[str, StringConstraints(min_length=1, max_length=100)]


class ReceivedCommand(BaseModel):
    """What a person asks of a bug. It may be refused; the timeline of the bug says so."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    command: Verb
    actor: Name
    """Who asks: the name of the account in the calling tool."""
    note: Annotated[str, StringConstraints(strip_whitespace=True, max_length=10_000)] = Field(
        default="", description="Why; kept with the bug, encrypted."
    )
    into: _BugName | None = Field(
        default=None,
        description="For merge: the other bug, as it may stand in the path. The older one stays.",
    )
    report: UUID | None = Field(
        default=None, description="For split: the `report_id` of the report to take out."
    )

    apart_from: _BugName | None = Field(
        default=None,
        alias="from",
        description="For keep-apart: the other bug, as it may stand in the path; the two are two.",
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        given = {"into": self.into, "report": self.report, "from": self.apart_from}
        for verb, name in ABOUT.items():
            if (given[name] is not None) != (self.command == verb):
                raise ValueError(f"{name}: it belongs to {verb!r}, which needs it")
        return self


def router(
    *, inbox: Inbox, blobs: Blobs, tokens: Sequence[str], resolve_bug: ResolveBug
) -> APIRouter:
    """Return the doors for tools. `tokens` are the live ones; with none they answer 503."""
    routes = APIRouter(prefix="/api/v1/bugs", route_class=Door, tags=["intake"])
    let_in = _Tokens(tokens, Refusals(inbox))
    _add_receive(routes, inbox, blobs, let_in)
    _add_commands(routes, inbox, blobs, let_in, resolve_bug)
    return routes


@dataclass(frozen=True, slots=True)
class _Tokens:
    live: Sequence[str]
    refusals: Refusals

    async def check(self, request: Request, route: str) -> None:
        """Raise and note it unless the request carries a live token."""
        try:
            require_token(request, self.live)
        except HTTPException:
            await run_in_threadpool(
                self.refusals.note, route=route, delivery_id=str(uuid4()), reason="token"
            )
            raise


def _add_receive(routes: APIRouter, inbox: Inbox, blobs: Blobs, tokens: _Tokens) -> None:
    @routes.post(
        "/receive",
        status_code=202,
        summary="Report a bug",
        openapi_extra=_body_schema(ReceivedReport),
        responses=_ERRORS,
    )
    async def receive(request: Request) -> Response:
        await tokens.check(request, "http/receive")
        key = _idempotency_key(request)
        body = await read_body(request, REPORT_BYTES_MAX)
        report = await run_in_threadpool(_checked, ReceivedReport, body)

        def keep() -> tuple[Receipt, UUID]:
            return accept_report(
                inbox,
                blobs,
                report,
                body=body,
                route="http/receive",
                sender=f"http:{report.reporter or report.tool}",
                delivery_id=key,
            )

        receipt, report_id = await run_in_threadpool(keep)
        return _answer(receipt, report_id=str(report_id), event_id=str(receipt.event_id))


def _add_commands(
    routes: APIRouter,
    inbox: Inbox,
    blobs: Blobs,
    tokens: _Tokens,
    resolve_bug: ResolveBug,
) -> None:
    @routes.post(
        "/{bug_id}/commands",
        status_code=202,
        summary="Approve, reject, retry, abandon, merge, split or keep apart",
        openapi_extra=_body_schema(ReceivedCommand),
        responses=_ERRORS
        | described(
            s404="There is no such bug.",
            s409="The start of an id fits several bugs, or the key was used for another command.",
        ),
    )
    async def command(bug_id: str, request: Request) -> Response:
        await tokens.check(request, "commands")
        key = _idempotency_key(request)
        if key is None:
            raise problem(
                400,
                "no_idempotency_key",
                "send the header 'Idempotency-Key' with an id of this request, such as a UUID, and"
                " the same one when you send it again",
            )
        body = await read_body(request, COMMAND_BYTES_MAX)
        asked = _checked(ReceivedCommand, body)
        receipt, found = await run_in_threadpool(
            _command, inbox, blobs, resolve_bug, bug_id, asked, key
        )
        return _answer(receipt, bug_id=str(found), command_id=str(receipt.event_id))


def only_ids(text: str) -> Bug | None:
    """Resolve a bug by its full id alone, for a gateway that has no views at hand."""
    try:
        return UUID(text), UNASSIGNED
    except ValueError:
        return None


def _command(
    inbox: Inbox,
    blobs: Blobs,
    resolve_bug: ResolveBug,
    bug_id: str,
    asked: ReceivedCommand,
    key: str,
) -> tuple[Receipt, UUID]:
    found = _resolved(resolve_bug, "bug_id", bug_id)
    target, about = found, asked.report
    if asked.into is not None:
        # Asked of the one that stays, as a rule: what the other one refuses stands in its timeline.
        target, about = _other(resolve_bug, "into", asked.into, found), found[0]
    elif asked.apart_from is not None:
        about = _other(resolve_bug, "from", asked.apart_from, found)[0]
    actor = f"http:{asked.actor}"
    note = (
        blobs.put(asked.note.encode(), media_type="text/markdown", subject=subject_id(actor))
        if asked.note
        else None
    )
    try:
        receipt = accept_command(
            inbox,
            command=asked.command,
            bug_id=target[0],
            project=target[1],
            actor=actor,
            note=note,
            idempotency_key=key,
            about=about,
        )
    except ConflictError as error:
        raise problem(409, "idempotency_key_reused", str(error)) from error
    return receipt, found[0]


def _other(resolve_bug: ResolveBug, field: str, given: str, one: Bug) -> Bug:
    """Return the bug `given`, which has to be another one of the same project."""
    other = _resolved(resolve_bug, field, given)
    if other[0] == one[0]:
        what = "merged with" if field == "into" else "kept apart from"
        raise problem(422, "invalid", f"{field}: a bug cannot be {what} itself")
    if other[1] != one[1]:
        raise problem(422, "invalid", f"{field}: bugs of different projects are never merged")
    return other


def _resolved(resolve_bug: ResolveBug, field: str, given: str) -> Bug:
    found = resolve_bug(given)
    if found is None:
        raise problem(
            404, "no_such_bug", f"{field}: no bug is called {given[:80]!r}; GET /api/v1/bugs lists"
        )
    return found


def _answer(receipt: Receipt, **ids: str) -> JSONResponse:
    return JSONResponse({"status": receipt.status, **ids}, status_code=202)


def _idempotency_key(request: Request) -> str | None:
    key = request.headers.get("idempotency-key", "").strip()
    if len(key) > KEY_CHARS_MAX or not (key.isascii() and key.isprintable()):
        raise problem(
            400,
            "bad_idempotency_key",
            f"Idempotency-Key: use at most {KEY_CHARS_MAX} plain characters, such as a UUID",
        )
    return key or None


def _checked(model: type[M], body: bytes) -> M:
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False, include_context=False)
    problems = [
        {"field": ".".join(str(part) for part in p["loc"]) or "body", "problem": p["msg"]}
        for p in found[:PROBLEMS_SHOWN_MAX]
    ]
    raise problem(
        422,
        "invalid",
        f"{problems[0]['field']}: {problems[0]['problem']}. The schema is at /openapi.json.",
        problems=problems,
    )


def _body_schema(model: type[BaseModel]) -> dict[str, Any]:
    """Return the OpenAPI of a body that is read by hand, so that a token is asked for first."""
    schema = model.model_json_schema()
    definitions = schema.pop("$defs", {})

    def inline(node: Any) -> Any:
        if isinstance(node, list):
            return [inline(item) for item in node]
        if not isinstance(node, dict):
            return node
        if "$ref" in node:
            rest = {name: value for name, value in node.items() if name != "$ref"}
            return inline(definitions[node["$ref"].rpartition("/")[2]] | rest)
        return {name: inline(value) for name, value in node.items()}

    content = {"application/json": {"schema": inline(schema)}}
    return {
        "requestBody": {"required": True, "content": content},
        "security": [{"bearer": []}],
    }
