"""`bugstream report`: a report typed by hand."""

from __future__ import annotations

import hashlib
import json
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic import ValidationError

from schemas.errors import TransientError, UserError
from schemas.received import ReceivedReport
from schemas.reports import UNASSIGNED
from streams.cli_context import open_blobs, open_inbox, settings
from streams.config import Settings
from streams.environment import account

if TYPE_CHECKING:
    from schemas.reports import BugReport

TOOL = "cli"
REPORT_BYTES_MAX = 2_000_000
TITLE_CHARS_MAX = 1_000
POST_S_MAX = 30.0
_ANSWER_BYTES_MAX = 100_000


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("report")(report)


def report(
    ctx: typer.Context,
    file: Annotated[
        str, typer.Argument(metavar="FILE|-", help="Text, Markdown or JSON; - reads the input.")
    ],
    item: Annotated[
        str | None, typer.Option("--id", help="Your own id; the same again is an update.")
    ] = None,
    project: Annotated[str | None, typer.Option(help="Project it belongs to.")] = None,
    url: Annotated[
        str | None, typer.Option(help="Send it to this gateway, such as http://127.0.0.1:8080.")
    ] = None,
    token: Annotated[str | None, typer.Option(help="Token of that gateway.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Report a bug. Of a text, the first line is the title.

    It is kept in the inbox of this machine at once, whether or not anything runs.

    Examples: bugstream report bug.md; git log -1 | bugstream report - --project shop
    """
    conf = settings(ctx)
    given = read_report(file)
    if item is not None:
        given = _report({**given.model_dump(exclude_defaults=True), "id": item}, "--id")
    if url is None:
        answer = _keep(conf, given, project)
    elif project is not None:
        raise UserError("--project: a gateway knows it by the tool's name; leave one of the two")
    else:
        tokens = [known.get_secret_value() for known in conf.api_tokens]
        answer = _post(url, token or next(iter(tokens), ""), given)
    if as_json:
        typer.echo(json.dumps(answer, indent=2))
    elif answer["status"] == "duplicate":
        typer.echo(f"Known already: report {answer['report_id']} says the same.")
    else:
        typer.echo(f"Kept as report {answer['report_id']}. What becomes of it: bugstream bugs")


def read_report(source: Path | str) -> ReceivedReport:
    """Return the report in a file, or in the standard input for `-`.

    A `.json` file and what begins with a brace is JSON as `POST /api/v1/bugs/receive` takes it,
    where `tool` and `id` may be missing. All else is text. Raises `UserError`.
    """
    name = "the input" if str(source) == "-" else str(source)
    text = _text(source, name)
    if Path(source).suffix == ".json" or text.lstrip().startswith("{"):
        try:
            fields = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise UserError(f"{name} is not valid JSON: {error}") from error
        if not isinstance(fields, dict):
            raise UserError(f"{name}: the JSON must be an object with at least a 'title'")
    else:
        fields = _fields(text, name)
    # A file reported twice is one report; edited, it is another, unless --id says otherwise.
    made = hashlib.sha256(text.encode()).hexdigest()[:16]
    return _report({"tool": TOOL, "id": made, "reporter": account(), **fields}, name)


def as_bug(given: ReceivedReport) -> BugReport:
    """Return the report as the stages would see it."""
    from processors.channels.http import read
    from processors.reporting import readable, report_of
    from schemas.raw import Origin

    origin = Origin(channel="http", container=given.tool, item=given.id)
    return report_of(origin, readable(read(given)))


def _text(source: Path | str, name: str) -> str:
    try:
        if str(source) == "-":
            content = sys.stdin.buffer.read(REPORT_BYTES_MAX + 1)
        else:
            with Path(source).open("rb") as file:
                content = file.read(REPORT_BYTES_MAX + 1)
        text = content.decode("utf-8-sig")
    except OSError as error:
        raise UserError(f"{name}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{name} is not UTF-8 text: save it as UTF-8") from error
    if len(content) > REPORT_BYTES_MAX:
        raise UserError(f"{name} is larger than {REPORT_BYTES_MAX} bytes: cut it down")
    return text


def _fields(text: str, name: str) -> dict[str, Any]:
    first, _, rest = text.strip().partition("\n")
    title = first.strip().lstrip("#").strip()
    if not title:
        raise UserError(f"{name} is empty: its first line must be the title")
    is_cut = len(title) > TITLE_CHARS_MAX
    return {"title": title[:TITLE_CHARS_MAX], "description": (text if is_cut else rest).strip()}


def _report(fields: dict[str, Any], name: str) -> ReceivedReport:
    try:
        return ReceivedReport.model_validate_json(json.dumps(fields, default=str))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "report"
        raise UserError(f"{name}: {where}: {first['msg']}") from error


def _keep(conf: Settings, given: ReceivedReport, project: str | None) -> dict[str, str]:
    from streams.receiving import accept_report

    if project is not None and conf.project_of(project) is None:
        known = ", ".join(each.id for each in conf.project) or "none; add one as [[project]]"
        raise UserError(f"--project {project}: there is no such project in the settings ({known})")
    with open_inbox(conf) as inbox:
        receipt, report_id = accept_report(
            inbox,
            open_blobs(conf),
            given,
            body=given.model_dump_json(exclude_defaults=True).encode(),
            route="cli/report",
            sender=f"os:{account()}",
            project=project or UNASSIGNED,
        )
    return {
        "status": receipt.status,
        "report_id": str(report_id),
        "event_id": str(receipt.event_id),
    }


def _post(url: str, token: str, given: ReceivedReport) -> dict[str, str]:
    if not url.startswith(("http://", "https://")):
        raise UserError(f"--url {url}: it must begin with http:// or https://")
    request = urllib.request.Request(  # noqa: S310  # the scheme was just checked
        f"{url.rstrip('/')}/api/v1/bugs/receive",
        data=given.model_dump_json(exclude_defaults=True).encode(),
        headers={"Content-Type": "application/json", "Authorization": f"Bearer {token}"},
    )
    try:
        with urllib.request.urlopen(request, timeout=POST_S_MAX) as answer:  # noqa: S310
            found: dict[str, str] = json.loads(answer.read(_ANSWER_BYTES_MAX))
            return found
    except urllib.error.HTTPError as error:
        with error:
            raise _refused(url, error.code, error.read(_ANSWER_BYTES_MAX)) from error
    except (OSError, ValueError) as error:
        raise TransientError(f"--url {url}: no usable answer: {error}") from error


def _refused(url: str, status: int, body: bytes) -> UserError:
    try:
        message = str(json.loads(body)["detail"]["message"])
    except (ValueError, KeyError, TypeError):
        message = body[:200].decode(errors="replace")
    return UserError(f"{url} answered {status}: {message}")
