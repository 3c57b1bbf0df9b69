"""Answer a mail in its thread, known as ours when it comes back, by the mailbox's own server.

The standard library's client does it: one mail, one recipient, in a thread that may wait. SMTP
cannot be asked what it took. So a row is written as soon as the server has said yes, and
`sent_folder` is looked into where there is one; a program that is killed between the server's yes
and that row sends a second mail with the same Message-ID, which most mailboxes show once.
"""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from uuid import UUID

from connectors.imap import ImapSession, tls_context
from connectors.mail_threads import DAY, MailThreads, Thread
from connectors.oauth_token import OAuthToken
from schemas.accounts.mailbox import Mailbox
from schemas.errors import BugstreamError, PoisonError, TransientError, UserError
from schemas.projects import TEAM_ITEM
from schemas.raw import Origin

ANSWER_S_MAX = 60.0
TEXT_CHARS_MAX = 100_000
SUBJECT_CHARS_MAX = 150
TOO_LARGE = 552
_OURS = frozenset({530, 534, 535})
"""They are about our own sign-in, not about the mail."""
HEADER = "X-Bugstream"
MESSAGE_ID_PREFIX = "bugstream."
_LINE_CHARS_MAX = 900
"""SMTP takes lines of 998 bytes; what is longer is encoded."""
_Server = smtplib.SMTP


class MailMessenger:
    """A `Messenger` for reports that came by mail, of all our mailboxes."""

    def __init__(
        self,
        boxes: Mapping[str, tuple[Mailbox, OAuthToken | None]],
        threads: MailThreads,
        *,
        to_plain: Callable[[str], str],
        to_html: Callable[[str], str],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`boxes` by container; `to_plain` and `to_html` turn Markdown into harmless mail."""
        self._boxes = boxes
        self._threads = threads
        self._to_plain = to_plain
        self._to_html = to_html
        self._now = now

    def close(self) -> None:
        """Let the database go."""
        self._threads.close()

    def no_answer(self, origin: Origin) -> str | None:
        """Return why nothing may be posted there; None: it may. Raises `TransientError`."""
        try:
            self._place(origin)
        except PoisonError as error:
            return str(error)
        return None

    def find(self, origin: Origin, key: UUID) -> str | None:
        """Return the Message-ID of the answer that was sent with `key`.

        Raises `TransientError` when the folder of sent mail cannot be looked into.
        """
        box, token = self._box(origin)
        found = self._threads.sent(box.container, key)
        if found is None and box.sent_folder and box.imap_host:
            message_id = _message_id(box, key)
            session = self._session(box, token)
            try:
                if session.find(box.sent_folder, message_id):
                    found = message_id[1:-1]
                    self._note(box, origin, key)
            except UserError as error:
                raise TransientError(str(error)) from error
            finally:
                session.leave()
        return found

    def post(self, origin: Origin, text: str, key: UUID) -> str:
        """Send `text`, Markdown, once, and return its Message-ID.

        Raises `PoisonError` where nobody may or can be answered, `TransientError` when it may work
        later, also where it is not known whether the server took it.
        """
        box, token, thread = self._place(origin)
        found = self._threads.sent(box.container, key)
        if found is not None:
            return found
        self._check_limits(box, origin, thread.reply_to)
        mail = self._mail(box, thread, text, key)
        raw = mail.as_bytes(policy=SMTP)
        with _plainly(box):
            self._send(box, token, thread.reply_to, raw)
        self._note(box, origin, key)
        if box.sent_folder and box.imap_host:
            # It left: a copy that cannot be laid down is no reason to send it again.
            with suppress(BugstreamError):
                session = self._session(box, token)
                try:
                    session.lay_down(box.sent_folder, raw, self._now())
                finally:
                    session.leave()
        return _message_id(box, key)[1:-1]

    def _note(self, box: Mailbox, origin: Origin, key: UUID) -> None:
        message_id = _message_id(box, key)[1:-1]
        self._threads.note_sent(box.container, origin.item, key, message_id, at=self._now())

    def _box(self, origin: Origin) -> tuple[Mailbox, OAuthToken | None]:
        found = None
        if origin.channel == "email" and origin.item == TEAM_ITEM:
            # The place is whom the settings name, not a mailbox of ours: the first one writes.
            found = next(iter(self._boxes.values()), None)
        elif origin.channel == "email":
            found = self._boxes.get(origin.container.lower())
        if found is None:
            raise PoisonError(f"{origin.channel}:{origin.container[:80]} is no mailbox of ours")
        return found

    def _place(self, origin: Origin) -> tuple[Mailbox, OAuthToken | None, Thread]:
        box, token = self._box(origin)
        if not box.answers or not box.smtp_host_used:
            raise PoisonError(f"mailbox {box.address}: the settings say that it does not answer")
        if origin.item == TEAM_ITEM:
            return box, token, Thread(origin.container, "", (), "", verified=True)
        thread = self._threads.thread(box.container, origin.item)
        if thread is None:
            raise PoisonError("the address of this thread is not known here, or was erased")
        if thread.no_answer:
            raise PoisonError(f"this thread is not answered: {thread.no_answer}")
        if not thread.verified and not box.answer_unverified:
            raise PoisonError("this thread is not answered: nobody vouches for its sender")
        return box, token, thread

    def _check_limits(self, box: Mailbox, origin: Origin, reply_to: str) -> None:
        if origin.item == TEAM_ITEM:
            return
        since = self._now() - DAY
        here = self._threads.answered(box.container, origin.item, since=since)
        there = self._threads.answered_to(box.container, reply_to, since=since)
        for found, name in ((here, "thread"), (there, "address")):
            setting = f"answers_per_{name}_per_day_max"
            if found >= getattr(box, setting):
                raise PoisonError(
                    f"this {name} got {found} answers within a day, which is all it may"
                    f" ({setting}): two programs may be talking to each other"
                )

    def _mail(self, box: Mailbox, thread: Thread, text: str, key: UUID) -> EmailMessage:
        shown = text if len(text) <= TEXT_CHARS_MAX else f"{text[:TEXT_CHARS_MAX]}…"
        mail = EmailMessage()
        try:
            mail["From"] = Address(" ".join(box.display_name.split()), addr_spec=box.address)
            mail["To"] = Address(addr_spec=thread.reply_to)
        except (ValueError, IndexError) as error:
            raise PoisonError(
                "the address of this thread is none that can be written to"
            ) from error
        plain = self._to_plain(shown)
        is_answer = bool(thread.message_ids)
        subject = f"Re: {thread.subject or 'your report'}" if is_answer else plain.strip()
        mail["Subject"] = _one_line(subject.partition("\n")[0])
        mail["Date"] = format_datetime(self._now())
        mail["Message-ID"] = _message_id(box, key)
        references = [f"<{one}>" for one in thread.message_ids if _is_id(one)]
        if references:
            mail["In-Reply-To"] = references[-1]
            mail["References"] = " ".join(references)
        mail["Auto-Submitted"] = "auto-replied" if is_answer else "auto-generated"
        mail["X-Auto-Response-Suppress"] = "All"
        mail[HEADER] = str(key)
        wide = not plain.isascii() or max(map(len, plain.split("\n"))) > _LINE_CHARS_MAX
        mail.set_content(plain, cte="quoted-printable" if wide else "7bit")
        mail.add_alternative(self._to_html(shown), subtype="html", cte="quoted-printable")
        return mail

    @staticmethod
    def _send(box: Mailbox, token: OAuthToken | None, to: str, raw: bytes) -> None:
        with _signed_in(box, token) as server:
            size = server.esmtp_features.get("size", "")
            if size.isdecimal() and 0 < int(size) < len(raw):
                raise PoisonError(f"the answer has {len(raw)} bytes, the server takes {size}")
            server.sendmail(box.address, [to], raw)

    @staticmethod
    def _session(box: Mailbox, token: OAuthToken | None) -> ImapSession:
        try:
            return ImapSession(box, token)
        except UserError as error:
            raise TransientError(str(error)) from error


def check(box: Mailbox, token: OAuthToken | None) -> str:
    """Sign in to the server that answers leave by; return what it is.

    Raises `UserError` or `TransientError` in words for people.
    """
    with _plainly(box), _signed_in(box, token) as server:
        server.noop()
    return f"{box.smtp_host_used}:{box.smtp_port_used}"


@contextmanager
def _signed_in(box: Mailbox, token: OAuthToken | None) -> Iterator[_Server]:
    server = _connected(box)
    try:
        server.ehlo_or_helo_if_needed()
        if box.smtp_security_used == "starttls":
            server.starttls(context=tls_context(box))
            server.ehlo()
        _sign_in(box, token, server)
        yield server
    finally:
        # After the server's yes nothing may fail any more.
        with suppress(Exception):
            server.putcmd("quit")
            server.close()


def _connected(box: Mailbox) -> _Server:
    host, port = box.smtp_host_used, box.smtp_port_used
    if box.smtp_security_used == "ssl":
        return smtplib.SMTP_SSL(host, port, timeout=ANSWER_S_MAX, context=tls_context(box))
    return smtplib.SMTP(host, port, timeout=ANSWER_S_MAX)


def _sign_in(box: Mailbox, token: OAuthToken | None, server: _Server) -> None:
    if not server.has_extn("auth"):
        return
    user = box.smtp_user or box.user or box.address
    password = box.smtp_password or (None if token else box.password)
    try:
        if password is not None:
            server.login(user, password.get_secret_value())
        elif token is not None:
            said = f"user={user}\1auth=Bearer {token.get()}\1\1"
            # Where the server refuses, it wants an empty line before it says so.
            server.auth("XOAUTH2", lambda challenge=None: "" if challenge else said)
    except smtplib.SMTPAuthenticationError as error:
        if token is not None:
            token.forget()
        raise TransientError(
            f"mailbox {box.address}: {box.smtp_host_used} refused user {user!r}"
            f" ({error.smtp_code}); correct smtp_user and smtp_password, or oauth"
        ) from error


@contextmanager
def _plainly(box: Mailbox) -> Iterator[None]:
    """Turn what the library and the network raise into our errors."""
    where = f"mailbox {box.address}: {box.smtp_host_used}:{box.smtp_port_used}"
    try:
        yield
    except smtplib.SMTPRecipientsRefused as error:
        code, words = next(iter(error.recipients.values()))
        raise _refused(where, code, words) from None
    except (smtplib.SMTPConnectError, smtplib.SMTPHeloError) as error:
        raise TransientError(f"{where} takes nobody now: {error.smtp_code}") from error
    except smtplib.SMTPSenderRefused as error:
        if error.smtp_code == TOO_LARGE:
            raise _refused(where, error.smtp_code, error.smtp_error) from error
        raise TransientError(
            f"{where} refused our own address: {error.smtp_code}; correct address or smtp_user"
        ) from error
    except smtplib.SMTPResponseException as error:
        raise _refused(where, error.smtp_code, error.smtp_error) from error
    except ssl.SSLCertVerificationError as error:
        raise TransientError(
            f"{where} shows no certificate that is believed here ({error.verify_message});"
            " correct smtp_host or set tls_ca_file"
        ) from error
    except UserError as error:
        raise TransientError(str(error)) from error
    except (smtplib.SMTPException, OSError, ValueError) as error:
        said = " ".join(str(error).split())[:200] or type(error).__name__
        raise TransientError(f"{where}: {said}") from error


def _refused(where: str, code: int, words: bytes | str) -> BugstreamError:
    said = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    sentence = f"{where} refused the answer: {code} {' '.join(said.split())[:200]}"
    is_final = code >= 500 and code not in _OURS
    return PoisonError(sentence) if is_final else TransientError(sentence)


def _message_id(box: Mailbox, key: UUID) -> str:
    return f"<{MESSAGE_ID_PREFIX}{key}@{box.container.rpartition('@')[2]}>"


def _one_line(subject: str) -> str:
    """Return a subject that shows what it says and is nothing else.

    The library reads what it is given: `=?utf-8?q?=0D=0ABcc:...?=` would be a header of its own.
    """
    shown = "".join(char if char.isprintable() else " " for char in subject)
    return " ".join(shown.replace("=?", "= ?").split())[:SUBJECT_CHARS_MAX]


def _is_id(value: str) -> bool:
    is_plain = value.isascii() and value.isprintable() and not set(value) & set("<> ")
    return is_plain and "=?" not in value
