"""The marks that mail programs leave around quotes and signatures, in the languages they speak.

All of it looks at single lines of limited length, so that time grows with the mail and no faster.
"""

from __future__ import annotations

import re

LINE_CHARS_MAX = 500
"""No mark is longer; what is, is prose."""
MOBILE_WORDS_MAX = 10

_WROTE = (
    r"wrote|writes|said|schrieb|schreef|a\s+écrit|escribió|escribio|escreveu|ha\s+scritto|"
    r"skrev|napisał(?:\(a\)|a)?|napisal\(a\)|написал(?:\(а\)|а)?|пишет|писал(?:\(а\)|а)?|написав|пише|"
    r"kirjoitti|napsal(?:\(a\)|a)?|napísal(?:\(a\)|a)?|írta|yazdı|şunu\s+yazdı|έγραψε|a\s+scris|"
    r"va\s+escriure|đã\s+viết|menulis|kirjutas|je\s+napisao(?:/la)?|כתב(?:/ה)?|كتب"
)
WROTE = re.compile(
    rf"(?<![^\W_])(?:{_WROTE})(?![^\W_])|>wrote\b|写道|寫道|写了|寫了|撰写|のメール|書きました|さんが書|님이\s*작성",
    re.IGNORECASE,
)
_ENDS_WROTE = re.compile(
    rf"(?:(?:{_WROTE})(?:\s+(?:das|folgendes|le|op))?|写道|寫道|写了|寫了|撰写|のメール|書きました|님이\s*작성)\s*[:：]?\s*\Z",
    re.IGNORECASE,
)
_OPENER = re.compile(
    r"(?:on|at|in|am|le|el|em|il|op|den|dnia|w\s+dniu|in\s+data|a|no\s+dia|del|på|dne|w|on\s+date|"
    r"на|в|από|στις|tarihinde|pada|vào|la|ve|kell|ti|於|于|在)[\s\d]",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"[^\s<>\"()@]{1,100}@[\w.-]{1,200}")
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)|(?<!\d)\d{1,2}[./-]\d{1,2}[./-]\d\d(?!\d)|\d年")
_TIME = re.compile(
    r"(?<!\d)\d{1,2}\s?[:.h時时点]\s?\d\d(?!\d)|\b\d{1,2}\s?[ap]\.?m\b", re.IGNORECASE
)
_DATED_START = re.compile(
    r"(?:\d{4}[-/.年]\s?\d{1,2}[-/.月]|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}|\d{1,2}:\d\d|"
    r"\d{1,2}\.?\s[^\W\d_]{3,12}\.?,?\s(?:19|20)\d\d|"
    r"[^\W\d_]{2,12}[.,]{1,2}\s{1,3}\d{1,2}|[^\W\d_]{3,9}\s\d{1,2},\s(?:19|20)\d\d)",
)
_NARRATED = re.compile(
    r"\b(?:the|it|this|that|which|who|he|she|i|we|they|server|service|log|logs|application|program)"
    r"\s(?:\w+\s)?wrote\b",
    re.IGNORECASE,
)
"""`On 3 May 2024 at 10:15 the service wrote:` leads to a log, not to a quote."""

_ORIGINAL = re.compile(
    r"original\s(?:message|e-?mail|appointment)|(?:ursprüngliche|original)\s?-?nachricht|"
    r"message\sd['’]origine|message\soriginal|courriel\soriginal|mensaje\soriginal|"
    r"mensagem\soriginal|messaggio\soriginale|oorspronkelijk\sbericht|"
    r"oprindelig\s(?:besked|meddelelse|e-?mail)|opprinnelig\s(?:melding|e-post)|"
    r"ursprungligt\smeddelande|originalmeddelande|oryginalna\swiadomość|wiadomość\soryginalna|"
    r"(?:исходное|оригинальное|пересылаемое|пересланное)\sсообщение|"
    r"alkuperäinen\sviesti|původní\szpráva|eredeti\süzenet|orijinal\s(?:mesaj|ileti)|"
    r"原始邮件|原始郵件|邮件原件|原邮件|郵件原件|回复的原邮件|元のメッセージ|원본\s메시지|"
    r"forwarded\s(?:message|by)|forwarded\smail|weitergeleitete\snachricht|"
    r"message\s(?:transféré|réexpédié)|mensaje\sreenviado|mensagem\sencaminhada|"
    r"messaggio\sinoltrato|doorgestuurd\sbericht|videresendt\s(?:meddelelse|melding|besked)|"
    r"vidarebefordrat\smeddelande|wiadomość\sprzekazana|przekazana\swiadomość|"
    r"转发(?:的)?邮件|轉寄(?:的)?郵件|轉寄的訊息|转发的消息|転送されたメッセージ|転送メッセージ",
    re.IGNORECASE,
)
_BEGIN_FORWARD = re.compile(
    r"(?:begin\sforwarded\smessage|anfang\sder\sweitergeleiteten\s(?:nachricht|e-?mail)|"
    r"début\sdu\smessage\s(?:réexpédié|transféré)|inicio\sdel\smensaje\sreenviado|"
    r"início\sda\smensagem\s(?:reencaminhada|encaminhada)|inizio\smessaggio\sinoltrato|"
    r"begin\sdoorgestuurd\sbericht|start\spå\svideresendt\sbesked|"
    r"videresendt\smelding|vidarebefordrat\sbrev|początek\sprzekazywanej\swiadomości|"
    r"начало\sпереадресованного\sсообщения|开始转发的邮件|下面是被转发的邮件|転送されたメッセージ)\s?[:：]\s?",
    re.IGNORECASE,
)
_ABOVE = re.compile(
    r"\W{0,20}(?:please\s)?(?:type\syour\s)?reply\sabove\s(?:this|the)\sline\W{0,20}|"
    r"\W{0,20}(?:bitte\s)?antworten\ssie\soberhalb\sdieser\szeile\W{0,20}|"
    r"\W{0,20}répondre\sau-dessus\sde\scette\sligne\W{0,20}|"
    r"\W{0,20}responda?\spor\sencima\sde\sesta\slínea\W{0,20}",
    re.IGNORECASE,
)

_FROM = (
    "from von de da van från fra od от lähettäjä odesílatel feladó kimden gönderen "
    "发件人 寄件者 寄件人 發件人 差出人 送信者 보낸사람"
)
_DATE = (
    "sent date gesendet datum envoyé date enviado enviada fecha data "
    "inviato verzonden sendt dato skickat wysłano дата отправлено lähetetty päivämäärä odesláno "
    "elküldve gönderildi tarih 发送时间 日期 时间 寄件日期 傳送時間 發送時間 "
    "送信日時 日時 日付 "
    "보낸날짜 datum/zeit"
)
_TO = (
    "to an à a para aan til till do кому vastaanottaja komu címzett kime alıcı kohteelle "
    "收件人 收件者 宛先 받는사람 cc kopie copie cópia kopi kopia копия 抄送 副本 bcc reply-to "
    "risposta resent-from resent-to importance priority attachments"
)
_SUBJECT = (
    "subject betreff objet sujet asunto assunto oggetto onderwerp emne ämne temat тема aihe "
    "předmět tárgy konu 主题 主旨 主題 件名 제목"
)
_PHRASES = {
    "from": ("от кого",),
    "date": ("envoyé le", "enviado el", "enviada em", "message du", "sent on"),
    "to": ("copie à", "antwort an", "reply to"),
    "subject": (),
}
_KINDS = {
    name: kind
    for kind, names in (("from", _FROM), ("date", _DATE), ("to", _TO), ("subject", _SUBJECT))
    for name in (*names.split(), *_PHRASES[kind])
}
_HEADER = re.compile(r"\s{0,4}[*_]{0,2}([^\W\d][\w /-]{0,20}?)\s{0,2}[*_]{0,2}[:：]")

_SENT = (
    r"sent|envoyé|gesendet|enviado|enviada|inviato|verzonden|verstuurd|sendt|skickat|wysłano|"
    r"wysłane|отправлено|lähetetty|odesláno|odoslané|gönderildi|trimis|poslano|dikirim|geschickt"
)
_MOBILE = re.compile(
    rf"(?:this\s(?:message|e-?mail)\swas\s(?=sent\sfrom\smy\s))?(?:{_SENT})\s"
    r"(?:from|via|depuis|de|à\spartir\sde|von|aus|desde|do|da|dal|vanaf|vanuit|fra|från|z|ze|с|из)"
    r"\s(.{1,120})",
    re.IGNORECASE,
)
_MADE_WITH = re.compile(
    rf"(?:{_SENT})\s(?:with|using|by|via|mit|avec|con|com|met|med|through)\s.{{1,120}}|"
    r"(?:from|someone\sfrom)\s(?:my\s)?\S{1,20}(?:\s\S{1,20}){0,3}|"
    r"(?:get|download|hol(?:en)?\ssie\ssich|télécharge[rz]?|obtene[rz]|obtenga|obtén|obter|"
    r"obtenha|ottieni|scarica|hent|hämta|pobierz|скачать|获取|取得)\W{1,3}.{1,150}|"
    r"(?:von\smeine[mr]|diese\snachricht\swurde\svon)\s.{1,80}ge(?:sende|schick)t\.?|"
    r"это\sсообщение\sотправлено\s.{1,80}|lähetetty\s\S{1,30}|yahoo\smail\s?:.{1,60}|"
    r"(?:从|從|發自|发自|來自|来自|由).{1,40}|.{1,30}から送信(?:されました)?|.{1,30}에서\s보냄",
    re.IGNORECASE,
)
_DEVICE = re.compile(
    r"iphone|ipad|ipod|android|samsung|galaxy|huawei|xiaomi|pixel|smartphone|blackberry|mobil|"
    r"phone|handy|tablet|outlook|\w*mail\b|mail\w*|windows|proton|thunderbird|airmail|inbox|"
    r"手机|手機|邮箱|郵箱|信箱|华为|小米|网易|腾讯",
    re.IGNORECASE,
)
_EXCUSE = re.compile(
    r"excuse|forgive|pardon|sorry|apolog|typo|brevity|entschuldig|disculp|désolé|scus",
    re.IGNORECASE,
)
_DASHES = re.compile(r"\s{0,4}(?:--|—|–|__|—-)\s{0,3}\Z")
_RULE = re.compile(r"\s{0,4}\W{0,2}(?:[-_=*—–~#]\s?){4,}\W{0,2}\Z")
_HEAVY_RULE = re.compile(r"\s{0,4}(?:_{5,}|—{3,}|–{4,})\s{0,4}\Z")


def is_attribution(line: str) -> bool:
    """Tell whether `line`, perhaps joined of several, says who wrote what follows, and when."""
    if len(line) > LINE_CHARS_MAX:
        return False
    line = line.strip().strip("*_ ").strip()
    addressed = bool(_ADDRESS.search(line))
    dated, timed = bool(_YEAR.search(line)), bool(_TIME.search(line))
    if WROTE.search(line):
        if _NARRATED.search(line):
            return False
        if _ENDS_WROTE.search(line):
            opened = bool(_OPENER.match(line) or _DATED_START.match(line))
            return addressed or (dated and timed) or (opened and (dated or timed))
        # Norse, German and Dutch name the person after the verb: `schrieb am 3. Mai:`.
        return line.endswith((":", "：")) and (addressed or dated) and (timed or dated)
    # No verb: a date first, an address last.
    return (
        addressed
        and (dated or timed)
        and line.endswith((">", ">:", "):", ":", "："))
        and bool(_DATED_START.match(line))
        and len(line) <= LINE_CHARS_MAX // 2
    )


def is_weak_attribution(line: str) -> bool:
    """Tell whether `line` is an attribution if a quote follows it: `Jane Doe wrote:`."""
    line = line.strip()
    return (
        len(line) <= LINE_CHARS_MAX // 4
        and bool(_ENDS_WROTE.search(line))
        and not _NARRATED.search(line)
        and len(line.split()) <= 12
    )


def may_start(line: str) -> bool:
    """Tell whether an attribution over several lines may start here."""
    line = line.strip().lstrip("*_ ")
    return (
        "@" in line
        or line.endswith("<")
        or bool(_OPENER.match(line) or _DATED_START.match(line) or WROTE.search(line))
    )


def may_end(line: str) -> bool:
    """Tell whether an attribution may end here."""
    line = line.rstrip().rstrip("*_ ")
    return line.endswith((":", "：", ">")) or bool(WROTE.search(line))


def is_separator(line: str) -> bool:
    """Tell whether `line` says that an older mail follows: `---- Original Message ----`."""
    line = line.strip()
    if len(line) > LINE_CHARS_MAX // 4:
        return False
    if _BEGIN_FORWARD.fullmatch(line) or _ABOVE.fullmatch(line):
        return True
    found = _ORIGINAL.search(line)
    if found is None:
        return False
    before, after = line[: found.start()].strip(" *_>|\t"), line[found.end() :].strip(" *_>|\t")
    dashes = "-—–=_"
    # `----- Forwarded by Jane on 3 May -----` goes on after the words.
    alone = not before.strip(dashes) and (not after.strip(dashes + ":") or before[:2] == "--")
    return alone and any(len(side) >= 2 and side[0] in dashes for side in (before, after))


def header_kind(line: str) -> str | None:
    """Return which header of an older mail `line` shows: from, date, to or subject; or None."""
    found = _HEADER.match(line[:LINE_CHARS_MAX])
    return _KINDS.get(" ".join(found[1].lower().split())) if found else None


def is_mobile(line: str) -> bool:
    """Tell whether `line` is what phones and mail programs add: `Sent from my iPhone`."""
    line = line.strip(" \t<>()[]*_-—–|/")
    if not line or len(line) > LINE_CHARS_MAX // 2:
        return False
    # A device after the first comma is part of a sentence.
    device = _DEVICE.search(line.split(",")[0]) is not None
    if _MADE_WITH.fullmatch(line):
        return device and len(line.split()) <= MOBILE_WORDS_MAX
    found = _MOBILE.fullmatch(line)
    if found is None:
        return False
    words = found[1].split(". ")[0]
    sentence = bool(re.search(r",\s|[.!?]\Z", words))
    short = len(words.split()) <= MOBILE_WORDS_MAX
    return bool(_EXCUSE.search(line)) or (short and (device or not sentence))


def is_dashes(line: str) -> bool:
    """Tell whether `line` is the mark before a signature: `-- `."""
    return bool(_DASHES.match(line[:20])) and len(line.strip()) <= 4


def is_rule(line: str) -> bool:
    """Tell whether `line` is drawn across the page."""
    return len(line) <= LINE_CHARS_MAX and bool(_RULE.match(line))


def is_heavy_rule(line: str) -> bool:
    """Tell whether `line` is a rule that programs draw, and people seldom."""
    return bool(_HEAVY_RULE.match(line[:LINE_CHARS_MAX]))
