from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.mail.replies import reply, trim
from tests.processors.mail.hostile import LIMIT_S, texts

ATTRIBUTIONS = [
    "On Mon, 2 Nov 2026 at 10:00, Jane Doe <jane@example.com> wrote:",
    "On 2 Nov 2026, at 10:00, Jane Doe <jane@example.com> wrote:",
    "On 11/02/2026 10:00 AM, Jane Doe wrote:",
    "2026-11-02 10:00 GMT+01:00 Jane Doe <jane@example.com>:",
    "Am Mo., 2. Nov. 2026 um 10:00 Uhr schrieb Jane Doe <jane@example.com>:",
    "Am 02.11.26 um 10:00 schrieb Jane Doe:",
    "Jane Doe <jane@example.com> schrieb am Mo., 2. Nov. 2026, 10:00:",
    "Le lun. 2 nov. 2026 à 10:00, Jane Doe <jane@example.com> a écrit :",
    "El lun, 2 nov 2026 a las 10:00, Jane Doe (<jane@example.com>) escribió:",
    "Em seg., 2 de nov. de 2026 às 10:00, Jane Doe <jane@example.com> escreveu:",
    "Il giorno lun 2 nov 2026 alle ore 10:00 Jane Doe <jane@example.com> ha scritto:",
    "Op ma 2 nov 2026 om 10:00 schreef Jane Doe <jane@example.com>:",
    "Den man. 2. nov. 2026 kl. 10.00 skrev Jane Doe <jane@example.com>:",
    "man. 2. nov. 2026 kl. 10:00 skrev Jane Doe <jane@example.com>:",
    "Den mån 2 nov. 2026 kl 10:00 skrev Jane Doe <jane@example.com>:",
    "pon., 2 lis 2026 o 10:00 Jane Doe <jane@example.com> napisał(a):",
    "пн, 2 нояб. 2026 г. в 10:00, Jane Doe <jane@example.com>:",
    "02.11.2026 10:00, Jane Doe пишет:",
    "Понедельник, 2 ноября 2026, 10:00 +03:00 от Jane Doe <jane@example.com>:",
    "在 2026年11月2日，10:00，Jane Doe <jane@example.com> 写道：",
    "Jane Doe <jane@example.com> 于2026年11月2日周一 10:00写道：",
    "Jane Doe <jane@example.com> 於 2026年11月2日 週一 上午10:00寫道：",
    "2026年11月2日(月) 10:00 Jane Doe <jane@example.com>:",
    "2026/11/02 10:00、Jane Doe <jane@example.com>のメール:",
    "Jane Doe <jane@example.com> kirjoitti ma 2.11.2026 klo 10.00:",
    "Jane Doe <jane@example.com>, 2 Kas 2026 Pzt, 10:00 tarihinde şunu yazdı:",
]


@pytest.mark.parametrize("line", ATTRIBUTIONS)
@pytest.mark.parametrize("mark", ["> ", ""])
def test_what_stands_below_an_attribution_is_older(line: str, mark: str) -> None:
    read = reply(f"It still crashes.\n\n{line}\n\n{mark}Does it?\n{mark}Jane\n")

    assert read.text == "It still crashes."
    assert "Does it?" in read.older


@pytest.mark.parametrize(
    "lines",
    [
        "On Mon, 2 Nov 2026 at 10:00, Jane With A Very Long Name\n<jane@example.com> wrote:",
        "On Mon, 2 Nov 2026 at 10:00, Jane <\njane@example.com> wrote:",
        "On Mon, 2 Nov 2026 at 10:00, Jane <jane@example.com>\nwrote:",
        "On Nov 2, 2026,\nat 10:00,\nJane Doe <jane@example.com> wrote:",
        "Le lun. 2 nov. 2026 à 10:00, Jane <jane@example.com>\na écrit :",
        "Am Mo., 2. Nov. 2026 um 10:00 Uhr schrieb Jane <\njane@example.com>:",
        "man. 2. nov. 2026 kl. 10:00 skrev Jane <jane@example.com\n>:",
    ],
)
def test_an_attribution_may_run_over_lines(lines: str) -> None:
    assert trim(f"Yes.\n\n{lines}\n\n> Does it?\n") == "Yes."


@pytest.mark.parametrize(
    "block",
    [
        "From: Jane <j@example.com>\nSent: Monday, 2 November 2026 10:00\nTo: Bugs\nSubject: x",
        "*From:* Jane\n*Sent:* Monday\n*To:* Bugs\n*Subject:* x",
        "________________________________\nFrom: Jane\nSent: Monday\nTo: Bugs\nSubject: x",
        "Von: Jane\nGesendet: Montag, 2. November 2026 10:00\nAn: Bugs\nBetreff: x",
        "De : Jane\nEnvoyé : lundi 2 novembre 2026 10:00\nÀ : Bugs\nObjet : x",
        "De: Jane\nEnviado el: lunes, 2 de noviembre de 2026\nPara: Bugs\nAsunto: x",
        "De: Jane\nEnviada em: segunda-feira\nPara: Bugs\nAssunto: x",
        "Da: Jane\nInviato: lunedì 2 novembre 2026\nA: Bugs\nOggetto: x",
        "Van: Jane\nVerzonden: maandag 2 november 2026\nAan: Bugs\nOnderwerp: x",
        "Fra: Jane\nSendt: 2. november 2026\nTil: Bugs\nEmne: x",
        "Från: Jane\nSkickat: den 2 november 2026\nTill: Bugs\nÄmne: x",
        "Od: Jane\nWysłano: 2 listopada 2026\nDo: Bugs\nTemat: x",
        "От: Jane\nОтправлено: 2 ноября 2026\nКому: Bugs\nТема: x",
        "发件人: Jane\n发送时间: 2026年11月2日\n收件人: Bugs\n主题: x",
        "寄件者：Jane\n傳送時間：2026年11月2日\n收件者：Bugs\n主旨：x",
        "差出人: Jane\n送信日時: 2026年11月2日\n宛先: Bugs\n件名: x",
        "-----Original Message-----\nFrom: Jane\nSent: Monday\nTo: Bugs\nSubject: x",
        "-----Ursprüngliche Nachricht-----\nVon: Jane\nAn: Bugs\nBetreff: x",
        "------------------ 原始邮件 ------------------\n发件人: Jane",
        "-------- Message d'origine --------",
        "---------- Forwarded message ---------\nFrom: Jane\nDate: Mon\nSubject: x\nTo: Bugs",
        "Begin forwarded message:\n\nFrom: Jane\nSubject: x\nDate: Mon\nTo: Bugs",
        "##- Please type your reply above this line -##",
        "From: Jane\nSent: Monday\nTo: Bugs; A Very Long List Of People Who\nGet This\nSubject: x",
    ],
)
def test_what_stands_below_the_headers_of_an_older_mail_is_older(block: str) -> None:
    read = reply(f"It still crashes.\n\n{block}\n\nDoes it?\n")

    assert read.text == "It still crashes."
    assert read.older.endswith("Does it?")


@pytest.mark.parametrize(
    "signature",
    [
        "-- \nJane Doe\nhttps://example.com",
        "--\nJane",
        "—\nJane",
        "_______________________________________________\nusers mailing list\nusers@example.org",
        "Sent from my iPhone",
        "Sent from my Pixel 9. Please excuse my brevity.",
        "Sent from Mail for Windows",
        "Get Outlook for Android<https://aka.ms/x>",
        "Von meinem iPhone gesendet",
        "Gesendet von Outlook für Android",
        "Envoyé de mon iPhone",
        "Enviado desde mi iPhone",
        "Enviado do meu iPhone",
        "Inviato da iPhone",
        "Verstuurd vanaf mijn iPhone",
        "Sendt fra min iPhone",
        "Skickat från min iPhone",
        "Wysłane z iPhone'a",
        "Отправлено с iPhone",
        "发自我的 iPhone",
        "從我的 iPhone 傳送",
        "iPhoneから送信",
    ],
)
def test_signatures_go(signature: str) -> None:
    quoted = "On Mon, 2 Nov 2026 at 10:00, Jane <jane@example.com> wrote:\n> Does it?"

    assert trim(f"It crashes.\n\n{signature}\n") == "It crashes."
    assert trim(f"It crashes.\n\n{signature}\n\n{quoted}\n") == "It crashes."


def test_answers_between_quotes_keep_what_they_answer() -> None:
    first = "On Mon, 2 Nov 2026 at 10:00, Jane <jane@example.com> wrote:"
    asked = "> Which version?\n\n3.2\n\n> Which browser?\n\nFirefox"

    assert trim(f"{first}\n{asked}\n\n> Thanks\n> Jane\n") == asked
    assert trim(f"Hi Jane,\n\n{first}\n{asked}\n") == f"Hi Jane,\n\n{asked}"


def test_an_answer_below_the_whole_quote_stands_alone() -> None:
    quoted = "On Mon, 2 Nov 2026 at 10:00, Jane <jane@example.com> wrote:\n> a\n> b"

    assert trim(f"{quoted}\n\nIt crashes.\n-- \nme") == "It crashes."


def test_what_is_only_forwarded_is_what_its_sender_says() -> None:
    head = "---------- Forwarded message ---------\nFrom: A\nDate: Mon\nSubject: x\nTo: B\n\n"

    assert trim(head + "The export crashes.\n") == "The export crashes."


def test_a_mail_that_is_only_a_quote_or_a_signature_is_kept() -> None:
    assert trim("> It crashes.\n") == "> It crashes."
    assert trim("-- \nJane") == "-- \nJane".replace("-- ", "--")


@pytest.mark.parametrize(
    "text",
    [
        "```\n--\nSent from my iPhone\nOn Mon, 2 Nov 2026 at 10:00, A <a@b.c> wrote:\n```",
        "Try this:\n\n>>> import shop\n>>> shop.total([])\nTraceback (most recent call last):\n  x",
        "On 2 Nov 2026 at 10:00 the server wrote:\n\nKeyError: 'coupon'",
        "Steps\n=====\n\n1. Open the page\n\nExpected\n--------\n\nNo crash",
        "| a | b |\n|---|---|\n| 1 | 2 |",
        "-- first do this\n-- then do that\n\nIt crashes.",
        "Sent from the shop at 10:00, the mail never arrives.\n\nWhy?",
        "I wrote:\n\n    SELECT 1 -- why?\n\nand it failed.",
        "From: 1.2\nTo: 1.3\n\nthe update crashes",
        "Hello\n\n--\n\nTraceback (most recent call last):\n  File 'a.py'",
        "> this was said\n\nand this is new",
        "Regards to all,\n\nit crashes.",
        "    indented = True\n    more = 1",
    ],
)
def test_what_only_looks_like_a_mark_stays(text: str) -> None:
    assert trim(text) == text


def test_a_log_longer_than_the_limit_is_kept_whole() -> None:
    log = "\n".join(f"line {number}" for number in range(30_000))

    assert trim(log) == log
    assert trim(f"{log[:5_000]}{chr(10) * 20_000}the end").endswith("the end")


@given(text=st.text(alphabet="On 1@<>:-_=\n\t>From toSubject写道\r\0", max_size=400))
def test_no_text_raises_and_nothing_is_made_up(text: str) -> None:
    words = text.replace("\0", "").replace("\r", "\n").replace("\u200b", "").split()

    assert set(trim(text).split()) <= set(words)


@pytest.mark.parametrize("name", texts())
def test_a_megabyte_of_trouble_takes_a_second_at_most(name: str) -> None:
    text = texts()[name]
    started = time.process_time()
    trim(text)

    assert time.process_time() - started < LIMIT_S
