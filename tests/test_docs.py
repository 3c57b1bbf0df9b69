"""What the README says is run here: a page that nothing runs goes stale."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from git import Repo

from streams import demo_shop
from streams.cli import app
from streams.graph import mermaid

ROOT = Path(__file__).parent.parent
PAGES = (ROOT / "README.md", ROOT / "README.zh-CN.md")
START_S_MAX = 120
CHANGING = r"\d\d:\d\d:\d\d|127\.0\.0\.1|commit|candidates|Trace|^\d+ s|Ready in"


def blocks(page: Path, language: str) -> list[str]:
    text = page.read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def commands(page: Path) -> list[str]:
    return [line for block in blocks(page, "sh") for line in block.splitlines() if line]


TRIED_ALONE = ("bugstream locate ", "bugstream dedupe ")
ASKING = (
    "bugstream report bug.md",
    "bugstream bugs",
    "bugstream dead-letters list",
    "bugstream projections list",
    "bugstream broker status",
)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a clone of the demo's shop, a report, and an interpreter."""
    folder = tmp_path_factory.mktemp("docs")
    Repo.clone_from(str(demo_shop.make_remote(folder)), folder / "shop").close()
    issue = demo_shop.ISSUES[0]
    (folder / "bug.md").write_text(f"{issue.title}\n\n{issue.body}", encoding="utf-8")
    (folder / ".venv" / "bin").mkdir(parents=True)
    (folder / ".venv" / "bin" / "python").symlink_to(sys.executable)
    return folder


def environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if "BUGSTREAM" not in name}
    return kept | {"BUGSTREAM_PORT": "0", "PATH": f"{Path(sys.executable).parent}:{kept['PATH']}"}


def run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        shlex.split(command),
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=170,
        check=False,
    )


def test_both_languages_show_the_same_commands_and_settings() -> None:
    for language in ("sh", "toml", "text", "mermaid"):
        assert blocks(PAGES[0], language) == blocks(PAGES[1], language), language


def test_every_command_is_run_here_or_named_with_the_reason() -> None:
    run_here = {"make demo", "bugstream doctor", "bugstream up", *ASKING}
    run_here |= {c for c in commands(PAGES[0]) if c.startswith(("bugstream fix ", *TRIED_ALONE))}
    parsed_here = {
        c for c in commands(PAGES[0]) if c.startswith(("bugstream prove", "bugstream be"))
    }
    this_very_run = {"make test"}

    assert set(commands(PAGES[0])) == run_here | parsed_here | this_very_run


def test_the_graph_is_the_one_the_program_draws() -> None:
    assert blocks(PAGES[0], "mermaid") == [mermaid()]


@pytest.mark.parametrize(
    "command",
    [c for c in commands(PAGES[0]) if c.startswith(("bugstream prove", "bugstream be"))],
)
def test_proofs_and_benchmarks_take_the_options_shown(command: str) -> None:
    """Their full size takes minutes; tests/streams/test_prove_*, test_bench_* run them small."""
    group = typer.main.get_command(app)
    assert isinstance(group, typer.core.TyperGroup)
    words = shlex.split(command)[1:]
    found = group.commands[words.pop(0)]
    if isinstance(found, typer.core.TyperGroup):
        found = found.commands[words.pop(0)]

    assert found.make_context(command, words).params


@pytest.mark.kafka
@pytest.mark.sandbox
@pytest.mark.timeout(600)
def test_the_demo_ends_as_the_page_shows() -> None:
    done = subprocess.run(
        ["make", "demo"], cwd=ROOT, capture_output=True, text=True, timeout=590, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr
    [sample] = blocks(PAGES[0], "text")
    assert "3 fixed, 1 not verified." in done.stdout
    shown = {line.rstrip() for line in done.stdout.splitlines()}
    for line in sample.splitlines():
        # Times, ports, commits and spent seconds differ from run to run; everything else is so.
        changes = re.search(CHANGING, line)
        assert changes or line == "..." or line in shown, line


@pytest.mark.sandbox
def test_one_bug_is_fixed_in_one_command(shop: Path) -> None:
    [command] = [c for c in commands(PAGES[0]) if c.startswith("bugstream fix ")]

    done = run(command, shop)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "+++ b/shop/orders.py" in (shop / "bugstream.patch").read_text()
    assert "## Verification" in (shop / "bugstream-report.md").read_text()


def test_two_steps_can_be_tried_alone(shop: Path) -> None:
    issue = demo_shop.ISSUES[0]
    known = {"id": "shop-1", "title": issue.title, "body": issue.body}
    (shop / "reports.jsonl").write_text(json.dumps(known) + "\n", encoding="utf-8")
    locate, dedupe = (
        run(command, shop) for command in commands(PAGES[0]) if command.startswith(TRIED_ALONE)
    )

    assert (locate.returncode, dedupe.returncode) == (0, 0), locate.stderr + dedupe.stderr
    assert "shop/orders.py" in locate.stdout
    assert "shop-1" in dedupe.stdout


@pytest.mark.sandbox
def test_the_doctor_finds_what_is_needed(shop: Path) -> None:
    done = run("bugstream doctor", shop)

    assert "Traceback" not in done.stderr
    assert "sandbox" in done.stdout.lower()


@pytest.fixture(scope="module")
def up(shop: Path) -> Iterator[Path]:
    """Yield a folder in which `bugstream up` runs."""
    with (shop / "up.log").open("wb") as log:
        process = subprocess.Popen(
            ["bugstream", "up"], cwd=shop, env=environment(), stdout=log, stderr=log
        )
        try:
            deadline = time.monotonic() + START_S_MAX
            address = shop / ".bugstream" / "gateway.json"
            while not address.exists() or run("bugstream bugs", shop).returncode != 0:
                assert process.poll() is None, (shop / "up.log").read_text()
                assert time.monotonic() < deadline, (shop / "up.log").read_text()
                time.sleep(0.5)
            yield shop
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0


@pytest.mark.kafka
@pytest.mark.sandbox
@pytest.mark.parametrize("command", ASKING)
def test_commands_answer_while_everything_runs(up: Path, command: str) -> None:
    done = run(command, up)

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.strip()
