from __future__ import annotations

from pathlib import Path

from streams.bench_mail import BOUNCES_SHARE_MIN, measure

BOUNCE = b"From: MAILER-DAEMON@x.example\nSubject: Undelivered Mail\n\nUser unknown\n"


def samples(folder: Path, *, expected: str) -> Path:
    for name in ("emails", "trimmed"):
        (folder / "reply_trimmer" / name).mkdir(parents=True)
    (folder / "reply_trimmer" / "emails" / "a.txt").write_text("Yes.\n\n-- \nJane\n")
    (folder / "reply_trimmer" / "trimmed" / "a.txt").write_text(expected)
    (folder / "bounces").mkdir()
    (folder / "bounces" / "a.eml").write_bytes(BOUNCE)
    (folder / "bounces" / "not__b.eml").write_bytes(b"From: a@b.example\n\nhello\n")
    return folder


def test_what_is_right_is_counted(tmp_path: Path) -> None:
    figures = measure(samples(tmp_path, expected="Yes."))

    assert figures.replies is not None
    assert (figures.replies.right, figures.replies.total) == (1, 1)
    assert figures.bounces is not None
    assert figures.bounces.share >= BOUNCES_SHARE_MIN
    assert figures.not_bounces is not None
    assert figures.not_bounces.right == 1
    assert (figures.mails_read, figures.crashes) == (4, ())
    assert figures.passed()


def test_what_is_wrong_is_named(tmp_path: Path) -> None:
    figures = measure(samples(tmp_path, expected="No."))

    assert figures.replies is not None
    assert figures.replies.missed == ("a.txt",)
    assert not figures.passed()


def test_samples_that_are_missing_are_not_run_and_nothing_passes(tmp_path: Path) -> None:
    figures = measure(tmp_path)

    assert figures.not_run == ("replies", "bounces", "mails")
    assert figures.replies is figures.bounces is None
    assert not figures.passed()


def test_no_ordinary_mail_is_flagged(tmp_path: Path) -> None:
    figures = measure(tmp_path)

    assert figures.ordinary.total >= 200
    assert figures.ordinary.missed == ()
