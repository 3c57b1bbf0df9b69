"""The query API: what is known of every bug, over HTTP. The same answers as the CLI's `--json`."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer
from pydantic import AwareDatetime

from processors.ports import Blobs
from projections.views import LIMIT_MAX, AmbiguousBugError, Filter, UnknownBugError, Views
from schemas.errors import TransientError, UserError
from schemas.lifecycle import Status
from schemas.reports import Severity
from streams.answers import (
    LIMIT,
    Answers,
    AuditAnswer,
    BudgetAnswer,
    BugAnswer,
    BugsAnswer,
    EffectsAnswer,
    ProjectionsAnswer,
    TimelineAnswer,
)
from streams.gateway_http import described, problem, require_token
from streams.intake import ResolveBug
from streams.log import Log

RETRY_AFTER_S = 5
PROBLEMS_SHOWN_MAX = 20
NAME_CHARS_SHOWN_MAX = 80
POSITION_MAX = 2**63 - 1
"""What the databases can compare with."""

_Limit = Annotated[int, Query(ge=1, le=LIMIT_MAX, description="Rows of one page.")]
_After = Annotated[
    int, Query(ge=-1, le=POSITION_MAX, description="`next_after` of the page before.")
]
_ERRORS = described(
    s401="The bearer token is missing or wrong.",
    s422="A parameter is wrong; `problems` names each.",
    s503="The views are not built yet, or Kafka cannot be reached.",
)
_BUG_ERRORS = described(
    s404="There is no such bug.",
    s409="The start of an id fits several bugs; `candidates` names them.",
)


class QueryRoute(APIRoute):
    """A route whose every error is JSON that names the field and the way out."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler, wrapped."""
        handle = super().get_route_handler()

        async def answered(request: Request) -> Response:
            self._refuse_unknown(request)
            try:
                return await handle(request)
            except RequestValidationError as error:
                raise _invalid(error) from error
            except AmbiguousBugError as error:
                candidates = list(error.candidates)
                raise problem(409, "ambiguous", str(error), candidates=candidates) from error
            except UnknownBugError as error:
                way_out = str(error).replace("`bugstream bugs`", "GET /api/v1/bugs")
                raise problem(404, "no_such_bug", f"bug_id: {way_out}") from error
            except UserError as error:
                raise problem(422, "invalid", str(error)) from error
            except TransientError as error:
                return JSONResponse(
                    {"detail": {"error": "unavailable", "message": str(error)}},
                    status_code=503,
                    headers={"Retry-After": str(RETRY_AFTER_S)},
                )

        return answered

    def _refuse_unknown(self, request: Request) -> None:
        """Raise 422 for a parameter we do not know: misspelt, it would silently filter nothing."""
        known = [parameter.alias for parameter in self.dependant.query_params]
        unknown = next((name for name in request.query_params if name not in known), None)
        if unknown is not None:
            takes = ", ".join(known) or "none"
            name = unknown[:NAME_CHARS_SHOWN_MAX]
            what = f"there is no such parameter; there are: {takes}"
            raise problem(
                422, "invalid", f"{name}: {what}", problems=[{"field": name, "problem": what}]
            )


def router(
    views: Views, blobs: Blobs, log: Log | None = None, *, api_tokens: Sequence[str] = ()
) -> APIRouter:
    """Return the routes. With `api_tokens`, every request must carry one of them.

    Without a `log`, audits answer 503.
    """
    answers = Answers(views, blobs)
    routes = APIRouter(
        prefix="/api/v1",
        route_class=QueryRoute,
        tags=["query"],
        dependencies=_guards(api_tokens),
        responses=_ERRORS,
    )
    _add_bugs(routes, answers)
    _add_history(routes, answers)
    _add_audit(routes, answers, log)
    return routes


def _guards(tokens: Sequence[str]) -> list[Any]:
    if not tokens:
        return []

    def guard(request: Request) -> None:
        require_token(request, tokens)

    declared = HTTPBearer(scheme_name="bearer", auto_error=False)
    return [Depends(declared), Depends(guard)]


def _add_bugs(routes: APIRouter, answers: Answers) -> None:
    @routes.get("/bugs", summary="Bugs, newest first")
    def bugs(
        project: str | None = None,
        status: Annotated[tuple[Status, ...], Query(description="May be given repeatedly.")] = (),
        severity: Annotated[
            tuple[Severity, ...], Query(description="May be given repeatedly.")
        ] = (),
        limit: _Limit = LIMIT,
        cursor: Annotated[
            str | None, Query(max_length=200, description="`next_cursor` of the page before.")
        ] = None,
    ) -> BugsAnswer:
        return answers.bugs(Filter(project, status, severity), limit=limit, cursor=cursor)

    @routes.get(
        "/bugs/{bug_id}",
        summary="One bug, by id, BUG-2026-XXXXX or the start of either",
        responses=_BUG_ERRORS,
    )
    def bug(
        bug_id: str,
        *,
        follow: Annotated[
            bool, Query(description="Whether a merged bug leads to the one it is part of now.")
        ] = True,
    ) -> BugAnswer:
        return answers.bug(bug_id, follow=follow)

    @routes.get("/projections", summary="How the views stand")
    def projections() -> ProjectionsAnswer:
        return answers.projections()


def _add_history(routes: APIRouter, answers: Answers) -> None:
    @routes.get(
        "/bugs/{bug_id}/timeline", summary="What happened, oldest first", responses=_BUG_ERRORS
    )
    def timeline(bug_id: str, limit: _Limit = LIMIT, after: _After = -1) -> TimelineAnswer:
        return answers.timeline(bug_id, limit=limit, after=after)

    @routes.get(
        "/bugs/{bug_id}/effects",
        summary="What was done to the world, oldest first",
        responses=_BUG_ERRORS,
    )
    def effects(bug_id: str, limit: _Limit = LIMIT, after: _After = -1) -> EffectsAnswer:
        return answers.effects(bug_id, limit=limit, after=after)

    @routes.get(
        "/bugs/{bug_id}/budget", summary="What it may cost and has cost", responses=_BUG_ERRORS
    )
    def budget(bug_id: str) -> BudgetAnswer:
        return answers.budget(bug_id)


def _add_audit(routes: APIRouter, answers: Answers, log: Log | None) -> None:
    @routes.get(
        "/bugs/{bug_id}/audit", summary="Its stored events, folded once more", responses=_BUG_ERRORS
    )
    def audit(
        bug_id: str,
        at: Annotated[
            AwareDatetime | None,
            Query(description="As of then, by the broker's time, such as 2026-11-22T10:00:00Z."),
        ] = None,
    ) -> AuditAnswer:
        if log is None:
            raise TransientError("this gateway has no connection to Kafka; ask one that has")
        return answers.audit(log, bug_id, at=at)


def _invalid(error: RequestValidationError) -> Exception:
    problems = [
        {"field": str(found["loc"][1]), "problem": str(found["msg"])}
        for found in error.errors()[:PROBLEMS_SHOWN_MAX]
    ]
    first = problems[0]
    return problem(
        422,
        "invalid",
        f"{first['field']}: {first['problem']}. /openapi.json says what is taken.",
        problems=problems,
    )


def resolver(views: Views) -> ResolveBug:
    """Return how the gateway's commands find the bug a person names: as every question does."""

    def resolve(text: str) -> tuple[UUID, str] | None:
        try:
            bug = views.find(text)
        except AmbiguousBugError as error:
            raise problem(
                409, "ambiguous", f"bug_id: {error}", candidates=list(error.candidates)
            ) from error
        except UnknownBugError:
            return None
        return UUID(bug.bug_id), bug.project

    return resolve
