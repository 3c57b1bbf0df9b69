"""Blobs in a folder, or in memory: content-addressed, encrypted with a key per subject.

The address is the hash of the *stored* bytes, so it still verifies after the key is destroyed, and
says nothing about what the bytes meant. Encryption is deterministic (AES-SIV): the same content of
the same subject is the same blob.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from schemas.errors import PoisonError, TransientError
from schemas.event import BlobRef
from schemas.values import ErasedError

BLOB_BYTES_MAX = 64 * 1024 * 1024
KEY_BYTES = 64
LEFTOVER_AGE_S_MAX = 3600
"""Temporary files older than this belong to writers that were killed."""
KEY_TRIES_MAX = 20
"""How often a key may be erased by somebody else while we make it."""

_FORMAT = b"\x01"
"""First byte of every plaintext. Another format would start with another byte."""


class FolderBlobs:
    """Blobs below one folder, shared by any number of processes.

    What `put` returned survives a crash. Keys lie apart from content, so that the two can be
    backed up apart: a backup of the keys would bring back what was erased.
    """

    def __init__(self, root: Path) -> None:
        """Use `root`, making it if it is missing; what killed writers left behind is removed."""
        self._content = root / "content"
        self._keys = root / "keys"
        self._incoming = root / "incoming"
        for folder in (self._content, self._keys, self._incoming):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _sync_folder(root)
        self._remove_leftovers()

    def put(self, content: bytes, *, media_type: str, subject: str) -> BlobRef:
        """Store `content` durably for `subject`; the same two always give the same ref.

        Raises `PoisonError` above `BLOB_BYTES_MAX`, `TransientError` where the disk fails us.
        """
        with _disk():
            sealed = _seal(self._key_for(subject), content)
            ref = _ref(sealed, content, media_type, subject)
            self._write(self._path(ref.sha256), sealed)
        return ref

    def get(self, ref: BlobRef) -> bytes:
        """Return the content.

        Raises `ErasedError` once its key is destroyed, `PoisonError` if the bytes are missing or
        do not match their hash, or if their key is gone though nobody erased it.
        """
        with _disk():
            sealed = _checked(_read(self._path(ref.sha256)), ref)
            erased = self._tombstone(ref.subject).exists()
            return _open(_read(self._key_path(ref.subject)), sealed, erased=erased)

    def verify(self, ref: BlobRef) -> bool:
        """Return whether the stored bytes are there and match their hash, readable or erased."""
        sealed = _read(self._path(ref.sha256))
        return sealed is not None and hashlib.sha256(sealed).hexdigest() == ref.sha256

    def erase(self, subject: str) -> None:
        """Destroy the key of `subject`: all its content so far is gone for good.

        What is stored for it afterwards gets a new key. Doing it again destroys that one too.
        """
        tombstone = self._tombstone(subject)
        tombstone.parent.mkdir(mode=0o700, exist_ok=True)
        # First, so that a crash in between leaves a readable blob and never a lost one.
        tombstone.touch(mode=0o600)
        self._key_path(subject).unlink(missing_ok=True)
        _sync_folder(tombstone.parent)

    def _key_for(self, subject: str) -> bytes:
        # Read every time: a key kept in memory would outlive its erasure by another process.
        path = self._key_path(subject)
        for _ in range(KEY_TRIES_MAX):
            if (key := _read(path)) is not None:
                return _whole(key)
            if not path.parent.is_dir():
                path.parent.mkdir(mode=0o700, exist_ok=True)
                _sync_folder(self._keys)
            temporary = self._write_incoming(secrets.token_bytes(KEY_BYTES))
            # A link fails where a rename would replace the key another process has just made.
            with suppress(FileExistsError):
                path.hardlink_to(temporary)
                _sync_folder(path.parent)
            temporary.unlink()
        raise PoisonError("the key of a subject was erased again and again while it was made")

    def _write(self, path: Path, sealed: bytes) -> None:
        if _read(path) == sealed:
            # Another writer may have renamed it and not yet synced the folder.
            _sync_folder(path.parent)
            return
        self._make_fan_out(path.parent)
        temporary = self._write_incoming(sealed)
        temporary.replace(path)
        _sync_folder(path.parent)

    def _write_incoming(self, data: bytes) -> Path:
        descriptor, name = tempfile.mkstemp(dir=self._incoming)  # mode 0600
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(descriptor)
        return Path(name)

    def _make_fan_out(self, folder: Path) -> None:
        # Two levels of sixteen: few enough that after a while no put pays for a new folder.
        if not folder.is_dir():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _sync_folder(folder.parent)
            _sync_folder(self._content)

    def _path(self, sha256: str) -> Path:
        return self._content / sha256[0] / sha256[1] / sha256

    def _key_path(self, subject: str) -> Path:
        # Hashed: a subject is text from outside and must never become a path.
        name = hashlib.sha256(subject.encode()).hexdigest()
        return self._keys / name[:2] / f"{name}.key"

    def _tombstone(self, subject: str) -> Path:
        return self._key_path(subject).with_suffix(".erased")

    def _remove_leftovers(self) -> None:
        oldest = time.time() - LEFTOVER_AGE_S_MAX
        for path in self._incoming.iterdir():
            with suppress(FileNotFoundError):
                if path.stat().st_mtime < oldest:
                    path.unlink()


class MemoryBlobs:
    """The same promises without a disk, for one process: `bugstream fix` and tests."""

    def __init__(self) -> None:
        """Start empty."""
        self._lock = threading.Lock()
        self._content: dict[str, bytes] = {}
        self._keys: dict[str, bytes] = {}
        self._erased: set[str] = set()

    def put(self, content: bytes, *, media_type: str, subject: str) -> BlobRef:
        """Store `content` for `subject`; the same two always give the same ref."""
        with self._lock:
            key = self._keys.setdefault(subject, secrets.token_bytes(KEY_BYTES))
            sealed = _seal(key, content)
            ref = _ref(sealed, content, media_type, subject)
            self._content[ref.sha256] = sealed
        return ref

    def get(self, ref: BlobRef) -> bytes:
        """Return the content. Raises `ErasedError` or `PoisonError`."""
        with self._lock:
            sealed = _checked(self._content.get(ref.sha256), ref)
            return _open(self._keys.get(ref.subject), sealed, erased=ref.subject in self._erased)

    def verify(self, ref: BlobRef) -> bool:
        """Return whether the stored bytes are there and match their hash."""
        with self._lock:
            sealed = self._content.get(ref.sha256)
        return sealed is not None and hashlib.sha256(sealed).hexdigest() == ref.sha256

    def erase(self, subject: str) -> None:
        """Destroy the key of `subject`."""
        with self._lock:
            self._erased.add(subject)
            self._keys.pop(subject, None)


def _seal(key: bytes, content: bytes) -> bytes:
    if len(content) > BLOB_BYTES_MAX:
        raise PoisonError(f"a blob of {len(content)} bytes; the limit is {BLOB_BYTES_MAX}")
    return AESSIV(key).encrypt(_FORMAT + content, None)


def _open(key: bytes | None, sealed: bytes, *, erased: bool) -> bytes:
    if key is not None:
        with suppress(InvalidTag):
            plain = AESSIV(_whole(key)).decrypt(sealed, None)
            if not plain.startswith(_FORMAT):
                raise PoisonError("the blob was written by a newer release")
            return plain[len(_FORMAT) :]
    if erased:
        raise ErasedError("the content was erased on purpose, by destroying its key")
    raise PoisonError("the key of this blob is missing, and nobody erased it: restore the keys")


def _ref(sealed: bytes, content: bytes, media_type: str, subject: str) -> BlobRef:
    return BlobRef(
        sha256=hashlib.sha256(sealed).hexdigest(),
        size_bytes=len(content),
        media_type=media_type,
        subject=subject,
    )


def _checked(sealed: bytes | None, ref: BlobRef) -> bytes:
    if sealed is None:
        raise PoisonError(f"blob {ref.sha256} is missing")
    if hashlib.sha256(sealed).hexdigest() != ref.sha256:
        raise PoisonError(f"blob {ref.sha256} does not match its hash")
    return sealed


def _whole(key: bytes) -> bytes:
    if len(key) != KEY_BYTES:
        raise PoisonError("the key of a subject is damaged: restore the keys")
    return key


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


@contextmanager
def _disk() -> Iterator[None]:
    """Raise `TransientError` for a full or failing disk: it must make no record a dead letter."""
    try:
        yield
    except OSError as error:
        raise TransientError(f"the blob store's disk fails: {error.strerror}") from error


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
