"""`POST /webhooks/...`: signed deliveries of every channel into the inbox, without Kafka."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID, uuid4

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from connectors.channel import Asked, Delivery, Door, Outcome, Post, Reply
from connectors.chat_commands import report_id
from connectors.inbox import ConflictError, Inbox
from processors.ports import Blobs
from schemas.errors import TransientError
from schemas.event import subject_id
from streams import gateway_http
from streams.gateway_http import problem, read_body
from streams.intake import Bug, ResolveBug, only_ids
from streams.receiving import accept, accept_command, inbound_of
from streams.refusals import Refusals

ITEMS_MAX = 500
"""Of one post: each is a row of its own."""
NOT_A_MEMBER = "not a member"

MayCommand = Callable[[str, str], bool]
"""Account and project -> whether this person decides about its bugs.

A chat knows who somebody is, and anybody may join one: being there is no authority.
"""


def nobody(account: str, project: str) -> bool:
    """Return False: where no members are known, nobody decides from a chat."""
    del account, project
    return False


@dataclass(frozen=True, slots=True)
class Keeper:
    """Puts what a genuine post speaks of into the inbox."""

    inbox: Inbox
    blobs: Blobs
    resolve_bug: ResolveBug
    may_command: MayCommand
    refusals: Refusals

    def keep(self, door: Door, post: Post) -> Reply:
        """Keep all of it, and return the answer. Raises `TransientError` when it cannot."""
        found = door.read(post)[:ITEMS_MAX]
        return door.answer(post, [self._one(door, post, one) for one in found])

    def _one(self, door: Door, post: Post, one: Delivery | Asked) -> Outcome:
        return self._wish(door, one) if isinstance(one, Asked) else self._item(door, post, one)

    def _item(self, door: Door, post: Post, delivery: Delivery) -> Outcome:
        inbound = inbound_of(
            delivery,
            route=door.name,
            body=post.body,
            content_type=post.headers.get("content-type", ""),
            headers=post.headers,
        )
        receipt = accept(self.inbox, self.blobs, inbound)
        ids = {
            "report_id": str(delivery.origin.report_id),
            "event_id": str(receipt.event_id),
        }
        return Outcome(receipt.status, "Received.", ids)

    def _wish(self, door: Door, asked: Asked) -> Outcome:
        found = self.resolve_bug(asked.bug)
        if found is None:
            return Outcome("unknown_bug", f"No bug is called {asked.bug[:40]}.")
        if not self.may_command(asked.account, found[1]):
            self.refusals.note(route=door.name, delivery_id=asked.delivery_id, reason=NOT_A_MEMBER)
            return Outcome(
                "not_allowed",
                f"Only members of its project decide about {asked.bug[:40]}. Whoever runs bugstream"
                f" can add `{asked.account[:80]}` to its `members`.",
            )
        meant = self._meant(asked, found)
        return meant if isinstance(meant, Outcome) else self._command(door, asked, *meant)

    def _meant(self, asked: Asked, found: Bug) -> tuple[Bug, UUID | None] | Outcome:
        """Return the bug that is asked and what it is asked about."""
        if not asked.about:
            return found, None
        if asked.verb == "split":
            return found, report_id(asked.about)
        other = self.resolve_bug(asked.about)
        if other is None:
            return Outcome("unknown_bug", f"No bug is called {asked.about[:40]}.")
        if other[1] == found[1] and other[0] != found[0]:
            return (other, found[0]) if asked.verb == "merge" else (found, other[0])
        if asked.verb == "merge":
            return Outcome("not_allowed", "These cannot be one: two bugs of one project can.")
        return Outcome(
            "not_allowed",
            "These need no keeping apart: only two bugs of one project can be taken for one.",
        )

    def _command(self, door: Door, asked: Asked, target: Bug, about: UUID | None) -> Outcome:
        note = (
            self.blobs.put(
                asked.note.encode(), media_type="text/markdown", subject=subject_id(asked.account)
            )
            if asked.note
            else None
        )
        try:
            receipt = accept_command(
                self.inbox,
                command=asked.verb,
                bug_id=target[0],
                project=target[1],
                actor=asked.account,
                note=note,
                idempotency_key=f"{door.name}/{asked.delivery_id}",
                about=about,
            )
        except ConflictError:
            return Outcome("duplicate", "This was asked before.")
        verb = asked.verb.replace("-", " ")
        said = f"Asked to {verb} {asked.bug[:40]}; its timeline says what came of it."
        return Outcome(receipt.status, said, {"command_id": str(receipt.event_id)})


def router(
    *,
    inbox: Inbox,
    blobs: Blobs,
    doors: Sequence[Door],
    secrets: Mapping[str, Sequence[str]],
    resolve_bug: ResolveBug = only_ids,
    may_command: MayCommand = nobody,
) -> APIRouter:
    """Return the `doors`. `secrets` are the live ones by the door's name; without it says 503."""
    routes = APIRouter(route_class=gateway_http.Door, tags=["webhooks"])
    refusals = Refusals(inbox)
    keeper = Keeper(inbox, blobs, resolve_bug, may_command, refusals)
    for door in doors:
        _add(routes, door, tuple(secrets.get(door.name, ())), keeper, refusals)
    return routes


def _add(
    routes: APIRouter, door: Door, secrets: tuple[str, ...], keeper: Keeper, refusals: Refusals
) -> None:
    async def receive(request: Request) -> Response:
        if not secrets:
            raise TransientError(f"no secret is set up here: set {setting_of(door)}")
        headers = {name.lower(): value for name, value in request.headers.items()}
        try:
            post = await _genuine(door, request, headers, secrets)
        except _RefusedError as error:
            await run_in_threadpool(
                refusals.note, route=door.name, delivery_id=_id_of(headers), reason=str(error)
            )
            raise problem(401, "bad_signature", door.hint) from error
        reply = door.reply(post)
        if reply is None:
            reply = await run_in_threadpool(keeper.keep, door, post)
        if reply.status >= 400:
            raise problem(reply.status, str(reply.body["error"]), str(reply.body["message"]))
        if reply.status == 204:
            return Response(status_code=204)
        return JSONResponse(dict(reply.body), status_code=reply.status)

    for path in (door.path, *door.paths_too):
        routes.add_api_route(
            path,
            receive,
            methods=["POST"],
            status_code=202,
            summary=f"A webhook of {door.name}",
            name=f"receive_{door.name}",
        )


def setting_of(door: Door) -> str:
    """Return the name of the setting that holds the secrets of `door`."""
    return "github_webhook_secrets" if door.name == "github" else f"webhook_secrets.{door.name}"


class _RefusedError(Exception):
    """The post is not genuine; the text says why in one word."""


async def _genuine(
    door: Door, request: Request, headers: Mapping[str, str], secrets: Sequence[str]
) -> Post:
    if not door.looks_signed(headers):
        raise _RefusedError("signature")
    post = Post(headers, await read_body(request, door.body_bytes_max))
    reason = await run_in_threadpool(door.refusal, post, secrets, datetime.now(UTC))
    if reason is not None:
        raise _RefusedError(reason)
    return post


def _id_of(headers: Mapping[str, str]) -> str:
    """Return what the sender calls the delivery, if that is harmless to write down."""
    given = headers.get("x-github-delivery", "")
    is_usable = given.isascii() and given.replace("-", "").isalnum()
    return given[:100] if is_usable else str(uuid4())
