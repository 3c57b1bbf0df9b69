from __future__ import annotations

from uuid import UUID

from connectors.webhook_messenger import WebhookMessenger
from streams.answer_box import AnswerBox
from tests.factories import ORIGIN


def test_a_message_posted_twice_is_kept_once_and_can_be_found() -> None:
    key = UUID(int=1)
    with AnswerBox() as box:
        messenger = WebhookMessenger(lambda _: box.url)

        assert messenger.find(ORIGIN, key) is None
        first = messenger.post(ORIGIN, "fixed", key)
        assert messenger.post(ORIGIN, "fixed", key) == first == messenger.find(ORIGIN, key)
        assert [(kept.origin, kept.text) for kept in box.received] == [(ORIGIN.key, "fixed")]
