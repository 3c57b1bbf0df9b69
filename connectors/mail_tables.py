"""The tables of mail: what is remembered of threads, of mails that came, and of answers."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, MetaData, String, Table, Text

METADATA = MetaData()
THREADS = Table(
    "mail_threads",
    METADATA,
    Column("box", String(300), primary_key=True),
    Column("item", String(64), primary_key=True),
    Column("account", String(300), nullable=False),
    Column("reply_to", String(300), nullable=False),
    Column("subject", Text, nullable=False),
    Column("message_ids", Text, nullable=False),
    Column("no_answer", Text, nullable=False),
    Column("verified", Boolean, nullable=False),
    Column("opened_at", String(40), nullable=False),
)
MAILS = Table(
    "mail_mails",
    METADATA,
    Column("box", String(300), primary_key=True),
    # Of what a mail says, so that a second mail with a stolen Message-ID is another mail.
    Column("meaning", String(64), primary_key=True),
    Column("message", String(64), nullable=False),
    Column("item", String(64), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("sender", String(64), nullable=False),
    Column("at", String(40), nullable=False),
)
Index("mail_mails_message", MAILS.c.box, MAILS.c.message)
Index("mail_mails_sender", MAILS.c.box, MAILS.c.sender, MAILS.c.at)
SENT = Table(
    "mail_sent",
    METADATA,
    Column("box", String(300), primary_key=True),
    Column("key", String(36), primary_key=True),
    Column("item", String(64), nullable=False),
    Column("message", String(64), nullable=False),
    Column("message_id", String(300), nullable=False),
    Column("at", String(40), nullable=False),
)
Index("mail_sent_message", SENT.c.box, SENT.c.message)
Index("mail_sent_item", SENT.c.box, SENT.c.item, SENT.c.at)
