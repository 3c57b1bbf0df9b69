from __future__ import annotations

from dataclasses import replace

from rich.console import Console

from connectors.blobs import MemoryBlobs
from schemas import bugs
from schemas.event import BlobRef, Event
from schemas.fixes import FileEdit, Proposal
from schemas.lifecycle import Status
from schemas.values import ErasedError
from streams.story import ERASED, Fact, Story, as_dict, markdown, panel
from tests.factories import BUG_ID, CHECK, EPOCH, EXAMPLES, LINK, envelope, normalized

PROPOSAL = Proposal(
    proposer="template",
    template="none-guard",
    edits=(FileEdit(path="a.py", before="x\n", after="y\n"),),
    diff="--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-x\n+y\n",
)


def told(*events: Event) -> list[Fact]:
    return [Fact(event, EPOCH) for event in events]


def life(blobs: MemoryBlobs, title: str = "total() fails") -> list[Fact]:
    report = normalized(title=title).report.model_dump_json().encode()
    link = LINK.model_copy(
        update={"report_blob": blobs.put(report, media_type="application/json", subject="s")}
    )
    patch = blobs.put(
        PROPOSAL.model_dump_json().encode(), media_type="application/json", subject=""
    )
    work = {"attempt": 1, "base_commit": "a" * 40, "patch": patch}
    return told(
        bugs.BugOpened(**envelope("o"), report=link),
        bugs.FixProposed(**envelope("p"), **work, proposer="template", files=("a.py",)),
        bugs.FixVerified(**envelope("v"), **work, checks=(CHECK,)),
        next(e for e in EXAMPLES if isinstance(e, bugs.FixReleased)),
        next(e for e in EXAMPLES if isinstance(e, bugs.BugClosed)),
    )


def test_a_fixed_bug_shows_patch_proof_branch_and_author() -> None:
    blobs = MemoryBlobs()
    story = Story.of(life(blobs), blobs)
    assert story is not None

    console = Console(width=120, record=True, file=None, force_terminal=False)
    with console.capture() as capture:
        console.print(panel(story))
    shown = capture.get()

    assert story.status is Status.FIXED
    assert story.verified
    for text in ("+y", "oracle", "passed", "bugstream/bug-2026-7f3k2/a1", "none-guard"):
        assert text in shown
        assert text in markdown(story) or text == "bugstream/bug-2026-7f3k2/a1"
    assert as_dict(story)["diff"] == PROPOSAL.diff


def test_nothing_is_told_before_a_bug_was_opened() -> None:
    assert Story.of(told(EXAMPLES[-1]), MemoryBlobs()) is None


def test_text_whose_key_was_destroyed_is_shown_as_erased() -> None:
    class Erased(MemoryBlobs):
        def get(self, ref: BlobRef) -> bytes:
            raise ErasedError

    story = Story.of(life(MemoryBlobs()), Erased())

    assert story is not None
    assert story.title == ERASED
    assert story.proposal is None
    assert str(BUG_ID) in str(as_dict(story))


def shown(story: Story, *, width: int = 80) -> str:
    console = Console(width=width, file=None, force_terminal=False)
    with console.capture() as capture:
        console.print(panel(story))
    return capture.get()


def test_a_hostile_title_cannot_break_out_of_the_markdown() -> None:
    blobs = MemoryBlobs()
    title = "x\n# y <script>` ![i](https://evil.example/i.png) [a](javascript:1) @all\x1b[2J"
    story = Story.of(life(blobs, title), blobs)

    assert story is not None
    text = markdown(story)
    for active in ("\n# y", " <script>", " ![i]", " [a]", "://evil", "@all", "\x1b"):
        assert active not in text


def test_a_patch_with_a_fence_in_it_stays_inside_its_block() -> None:
    blobs = MemoryBlobs()
    story = Story.of(life(blobs), blobs)
    assert story is not None
    assert story.proposal is not None
    diff = story.proposal.diff + " ```\n+`````\n"
    fenced = replace(story, proposal=story.proposal.model_copy(update={"diff": diff}))

    lines = markdown(fenced).splitlines()

    assert lines.count("``````diff") == lines.count("``````") == 1


def test_a_long_title_leaves_room_for_the_outcome() -> None:
    blobs = MemoryBlobs()
    story = Story.of(life(blobs, "long and hostile \x1b[2J " * 20), blobs)

    assert story is not None
    assert " fixed " in shown(story).splitlines()[0]
    assert "\x1b" not in shown(story)


def test_nothing_in_a_story_reaches_the_terminal_as_an_escape_sequence() -> None:
    evil = "\x1b]0;owned\x07\x1b[2J\x9b31m[red]"
    blobs = MemoryBlobs()
    story = Story.of(life(blobs, title=evil), blobs)
    assert story is not None
    assert story.proposal is not None
    check = CHECK.model_copy(update={"name": f"n{evil}", "summary": f"s{evil}"})
    story = replace(
        story,
        reason=evil,
        checks=(check,),
        proposal=story.proposal.model_copy(update={"diff": f"+{evil}"}),
    )

    text = shown(story, width=200)

    assert not [char for char in text if not char.isprintable() and char != "\n"]
    assert "[red]" in text


def test_where_we_looked_says_whose_it_is_and_how_far_it_reaches() -> None:
    blobs = MemoryBlobs()
    opened = life(blobs)[0].event
    located = next(event for event in EXAMPLES if isinstance(event, bugs.BugLocated))
    story = Story.of(told(opened, located), blobs)
    assert story is not None
    console = Console(width=300)
    with console.capture() as shown:
        console.print(panel(story))

    [place] = as_dict(story)["locations"]
    assert (place["owner"]["hand"], place["impact"]["blast_radius"]) == ("mixed", 0.4118)
    assert "AI in part: acme/m1" in shown.get()
    assert "3 callers, 2 by name only, 1 test, public; reach 0.41" in shown.get()
