"""One suite for both stores, and what only the folder promises: durability, permissions, races."""

from __future__ import annotations

import multiprocessing
import os
import stat
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.blobs import BLOB_BYTES_MAX, FolderBlobs, MemoryBlobs
from schemas.errors import PoisonError, TransientError
from schemas.event import BlobRef
from schemas.values import ErasedError

Store = FolderBlobs | MemoryBlobs


@pytest.fixture(params=["folder", "memory"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return FolderBlobs(tmp_path / "blobs") if request.param == "folder" else MemoryBlobs()


def put(blobs: Store, content: bytes, subject: str = "ann") -> BlobRef:
    return blobs.put(content, media_type="text/plain", subject=subject)


@pytest.mark.parametrize("content", [b"", b"hello", bytes(range(256)) * 300])
def test_content_comes_back_as_it_was_put(blobs: Store, content: bytes) -> None:
    ref = put(blobs, content)

    assert blobs.get(ref) == content
    assert (ref.size_bytes, ref.media_type, ref.subject) == (len(content), "text/plain", "ann")


def test_same_content_of_same_subject_is_the_same_blob(blobs: Store) -> None:
    assert put(blobs, b"x") == put(blobs, b"x")


def test_same_content_of_two_subjects_cannot_be_told_to_be_the_same(blobs: Store) -> None:
    assert put(blobs, b"x", "ann").sha256 != put(blobs, b"x", "bob").sha256


def test_erased_content_is_gone_but_its_hash_still_holds(blobs: Store) -> None:
    ref, other = put(blobs, b"secret"), put(blobs, b"kept", "bob")

    blobs.erase("ann")

    with pytest.raises(ErasedError):
        blobs.get(ref)
    assert blobs.verify(ref)
    assert blobs.get(other) == b"kept"


def test_storing_again_after_erasure_brings_nothing_back(blobs: Store) -> None:
    old = put(blobs, b"secret")
    blobs.erase("ann")

    new = put(blobs, b"secret")

    assert blobs.get(new) == b"secret"
    assert new.sha256 != old.sha256
    with pytest.raises(ErasedError):
        blobs.get(old)


def test_erasing_twice_and_erasing_the_unknown_are_harmless(blobs: Store) -> None:
    ref = put(blobs, b"x")

    for subject in ("ann", "ann", "nobody"):
        blobs.erase(subject)

    with pytest.raises(ErasedError):
        blobs.get(ref)


def test_what_was_never_stored_is_poison_and_does_not_verify(blobs: Store) -> None:
    ref = put(blobs, b"x").model_copy(update={"sha256": "0" * 64})

    assert not blobs.verify(ref)
    with pytest.raises(PoisonError, match="missing"):
        blobs.get(ref)


def test_a_ref_that_names_another_subject_does_not_open(blobs: Store) -> None:
    put(blobs, b"mine", "bob")
    ref = put(blobs, b"secret").model_copy(update={"subject": "bob"})

    with pytest.raises(PoisonError):
        blobs.get(ref)


def test_content_above_the_limit_is_refused(blobs: Store) -> None:
    with pytest.raises(PoisonError, match="limit"):
        put(blobs, bytes(BLOB_BYTES_MAX + 1))


@settings(max_examples=50, deadline=None)
@given(steps=st.lists(st.tuples(st.sampled_from("ab"), st.one_of(st.none(), st.binary()))))
def test_folder_and_memory_never_differ(
    steps: list[tuple[str, bytes | None]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """`None` erases the subject; after every step all refs answer alike in both stores."""
    stores: tuple[Store, ...] = (FolderBlobs(tmp_path_factory.mktemp("b")), MemoryBlobs())
    refs: tuple[list[BlobRef], list[BlobRef]] = ([], [])
    for subject, content in steps:
        for store, mine in zip(stores, refs, strict=True):
            if content is None:
                store.erase(subject)
            else:
                mine.append(put(store, content, subject))

    folder, memory = ([_answer(s, r) for r in mine] for s, mine in zip(stores, refs, strict=True))

    assert folder == memory


def _answer(store: Store, ref: BlobRef) -> bytes | type[Exception]:
    try:
        return store.get(ref)
    except (ErasedError, PoisonError) as error:
        return type(error)


# --- only the folder ---


def stored_file(root: Path, ref: BlobRef) -> Path:
    return next((root / "content").rglob(ref.sha256))


def test_a_flipped_bit_is_poison_and_storing_again_heals_it(tmp_path: Path) -> None:
    blobs = FolderBlobs(tmp_path)
    ref = put(blobs, b"hello")
    file = stored_file(tmp_path, ref)
    file.write_bytes(bytes([file.read_bytes()[0] ^ 1]) + file.read_bytes()[1:])

    assert not blobs.verify(ref)
    with pytest.raises(PoisonError, match="hash"):
        blobs.get(ref)
    assert put(blobs, b"hello") == ref
    assert blobs.get(ref) == b"hello"


def test_plain_content_and_subjects_stand_nowhere_on_the_disk(tmp_path: Path) -> None:
    put(FolderBlobs(tmp_path), b"the secret words", subject="../ann@example.org")

    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) == 2
    assert all(b"secret" not in path.read_bytes() and "ann" not in path.name for path in files)


def test_keys_are_readable_by_their_owner_only(tmp_path: Path) -> None:
    put(FolderBlobs(tmp_path), b"x")

    (key,) = (tmp_path / "keys").rglob("*.key")
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700


def test_a_key_that_was_lost_is_not_called_erased(tmp_path: Path) -> None:
    blobs = FolderBlobs(tmp_path)
    ref = put(blobs, b"x")
    next((tmp_path / "keys").rglob("*.key")).unlink()

    with pytest.raises(PoisonError, match="restore"):
        blobs.get(ref)


def test_erasure_by_another_process_is_seen_at_once(tmp_path: Path) -> None:
    ours, theirs = FolderBlobs(tmp_path), FolderBlobs(tmp_path)
    before = put(ours, b"x")
    theirs.erase("ann")

    with pytest.raises(ErasedError):
        ours.get(before)
    assert put(ours, b"x").sha256 != before.sha256


def test_a_disk_that_fails_is_tried_again_and_nothing_half_written_is_seen(tmp_path: Path) -> None:
    blobs = FolderBlobs(tmp_path)
    ref = put(blobs, b"x")
    key = next((tmp_path / "keys").rglob("*.key"))
    secret = key.read_bytes()
    key.unlink()
    key.mkdir()  # Reading it fails, as on a broken disk; root may read what nobody else may.

    with pytest.raises(TransientError, match="disk"):
        blobs.get(ref)
    with pytest.raises(TransientError, match="disk"):
        put(blobs, b"y")
    key.rmdir()
    key.write_bytes(secret)
    assert blobs.get(ref) == b"x"


def test_leftovers_of_killed_writers_are_removed_when_they_are_old(tmp_path: Path) -> None:
    FolderBlobs(tmp_path)
    old, young = tmp_path / "incoming/old", tmp_path / "incoming/young"
    for path in (old, young):
        path.write_bytes(b"")
    past = time.time() - 7200
    os.utime(old, (past, past))

    FolderBlobs(tmp_path)

    assert not old.exists()
    assert young.exists()


def _put_many(root: Path, subjects: list[str], sink: Callable[[list[str]], None]) -> None:
    blobs = FolderBlobs(root)
    sink([put(blobs, b"same", subject).sha256 for subject in subjects])


def test_processes_that_meet_at_a_new_subject_agree_on_its_key(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    subjects = [f"s{number}" for number in range(40)]
    writers = [
        context.Process(target=_put_many, args=(tmp_path, subjects, queue.put)) for _ in range(3)
    ]
    for writer in writers:
        writer.start()
    results = [queue.get(timeout=60) for _ in writers]
    for writer in writers:
        writer.join(timeout=60)
    queue.close()
    queue.join_thread()

    assert results[0] == results[1] == results[2]
    assert len(list((tmp_path / "content").rglob("*"))) >= len(subjects)


def test_storing_two_kilobytes_takes_a_few_syncs_and_no_more(tmp_path: Path) -> None:
    """The inbox writes a blob before it answers: a slow put would cost deliveries."""
    blobs = FolderBlobs(tmp_path)
    put(blobs, b"first, makes the key")
    seconds = []
    for number in range(200):
        start = time.perf_counter()
        put(blobs, number.to_bytes(4, "big") * 512)
        seconds.append(time.perf_counter() - start)

    assert median(seconds) < 0.05  # 1 ms on a quiet machine; CI disks are shared
