"""Who sent a mail, as far as our own mail server could tell (RFC 8601).

Everything in a mail can be forged, except what our own server wrote above it. Without its word, and
whenever something is odd, the sender is unverified: such a mail may report, and trigger nothing.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

from processors.mail import mime
from processors.mail.message import addresses
from processors.mail.mime import Header

Method = Literal["dmarc", "dkim", "spf"]
RESULT_CHARS_MAX = 8 * 1024
RESULTS_MAX = 50

_TOKEN = re.compile(r'"((?:[^"\\]|\\.){0,1000})"|([^\s;="]+)|([;=])')
_BY = re.compile(r"\bby\s+([^\s;()]{1,255})")
_FROM = re.compile(r"\s*from\s+([^\s;()]{1,255})(?:\s*\(([^\s()]{1,255}))?", re.IGNORECASE)
_INSIDE = re.compile(r"[a-z0-9.-]{1,255}", re.IGNORECASE)
_IP = re.compile(r"\[(?:IPv6:)?([0-9a-fA-F.:]{2,45})\]")
_ACCOUNT = re.compile(r"[^\s@]{1,100}@[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,10}")
_MAIL = re.compile(r"[^\s<>()\"',;:]{1,100}@[\w.-]{1,200}")


@dataclass(frozen=True, slots=True)
class Border:
    """Where our own side begins: the name our server signs with, and the hosts that are ours.

    `stamps_below`: the server writes its result below its own `Received`, as Gmail and Exchange do.
    That server must take out forged results (RFC 8601, 5); one that stamps above need not.
    """

    authserv_id: str
    hosts: tuple[str, ...] = ()
    stamps_below: bool = False


@dataclass(frozen=True, slots=True)
class Trust:
    """Whether the account in `From` is proven, by which method, and why or why not."""

    verified: bool
    account: str | None
    method: Method | None
    reason: str


@dataclass(frozen=True, slots=True)
class _Result:
    method: str
    verdict: str
    properties: tuple[tuple[str, str], ...]

    def property(self, name: str) -> str:
        return next((value for key, value in self.properties if key == name), "")


def sender_of(headers: tuple[Header, ...], *, border: Border) -> Trust:
    """Return whether the sender is proven. Never raises; in doubt it is not."""
    account, odd = _account(headers)
    if account is None or odd is not None:
        return _unproven(account, odd or "it has no From address")
    found, why_not = _our_results(headers, border)
    if why_not is not None:
        return _unproven(account, why_not)
    return _judged(account, found)


def _account(headers: tuple[Header, ...]) -> tuple[str | None, str | None]:
    """Return the account in `From`, and what is odd about it."""
    values = [header.value for header in headers if header.name == "from"]
    if len(values) != 1:
        return None, f"it has {len(values)} From headers"
    senders = addresses(values[0])
    if len(senders) != 1:
        return None, f"its From names {len(senders)} addresses"
    name, account = senders[0].name, senders[0].account
    shown = mime.decoded(values[0])
    named = {found.lower() for found in _MAIL.findall(shown)}
    odd = None
    if any(_invisible(sign) for sign in shown):
        odd = "its From holds signs that cannot be seen"
    elif named - {account}:
        # Clients show the name alone: an address in it is there to be taken for the sender's.
        odd = "the name in its From is another address"
    elif not _ACCOUNT.fullmatch(account):
        odd = "the address in its From is malformed"
    elif re.search(r"[<>@]", name):
        odd = "the name in its From looks like an address"
    return account, odd


def _invisible(sign: str) -> bool:
    return unicodedata.category(sign) in {"Cf", "Cc", "Co", "Cn", "Zl", "Zp"}


def _our_results(
    headers: tuple[Header, ...], border: Border
) -> tuple[tuple[_Result, ...], str | None]:
    """Return what our server found, or why its word is not to be had."""
    ours, outside = _zone(headers, border)
    if not outside and not any(header.name == "received" for header in ours):
        return (), "no host of ours says that it received this mail"
    wanted = border.authserv_id.lower()
    results: list[_Result] = []
    stamped = False
    for header in ours:
        if header.name == "authentication-results":
            identity, found = _parsed(header.value)
            if identity == wanted:
                stamped = True
                results += found
    if not stamped:
        forged = any(
            header.name == "authentication-results" and _parsed(header.value)[0] == wanted
            for header in outside
        )
        return (), (
            "the result that bears our server's name stands where anyone can write"
            if forged
            else "our server left no Authentication-Results"
        )
    return tuple(results[:RESULTS_MAX]), None


def _zone(
    headers: tuple[Header, ...], border: Border
) -> tuple[tuple[Header, ...], tuple[Header, ...]]:
    """Return the headers that only our own side can have written, and the others.

    Each hop writes above what it received. The border is the first `Received` by a host of ours
    from one that is not.
    """
    hosts = tuple(host.lower() for host in (border.authserv_id, *border.hosts))
    for number, header in enumerate(headers):
        if header.name != "received":
            continue
        value = " ".join(header.value.split())
        source = _FROM.match(value)
        if source is None:
            # Handed on inside one system: it has no source to trust or not.
            continue
        by = _BY.search(value[source.end() :])
        if by is None or not _is_of(by[1], hosts):
            return (), headers
        if _is_inside(source[2] or "", value, hosts):
            continue
        end = number + 1
        if border.stamps_below:
            end = next(
                (n for n in range(end, len(headers)) if headers[n].name == "received"),
                len(headers),
            )
        return _first_stamp(headers, end, border), headers[end:]
    return (), headers


def _first_stamp(headers: tuple[Header, ...], end: int, border: Border) -> tuple[Header, ...]:
    """Return the headers up to `end`, of the results below the border only the topmost.

    A server writes its own above all that came in: what follows its first result came in.
    """
    if not border.stamps_below:
        return headers[:end]
    wanted = border.authserv_id.lower()
    for number, header in enumerate(headers[:end]):
        if header.name == "authentication-results" and _parsed(header.value)[0] == wanted:
            return headers[: number + 1] + tuple(
                header for header in headers[number + 1 : end] if header.name == "received"
            )
    return headers[:end]


def _is_inside(known: str, value: str, hosts: tuple[str, ...]) -> bool:
    """Tell whether a hop came from a host of ours, by its name and by its address.

    The name in brackets is what our server looked up, not what it was told; who owns an address
    chooses that name as well, so it counts only for an address from inside.
    """
    # All of them: the sender chooses what it greets with, and that may hold an address of ours.
    found = _IP.findall(value)
    if not found or not _INSIDE.fullmatch(known):
        return False
    try:
        private = all(ipaddress.ip_address(one).is_private for one in found)
    except ValueError:
        return False
    return private and (known.lower() == "localhost" or _is_of(known, hosts))


def _is_of(host: str, hosts: tuple[str, ...]) -> bool:
    host = host.lower().rstrip(".")
    return any(host == ours or host.endswith("." + ours) for ours in hosts if ours)


def _parsed(value: str) -> tuple[str, list[_Result]]:
    """Return the authserv-id and the results of one header; comments say nothing."""
    statements: list[list[str]] = [[]]
    for token in _TOKEN.finditer(_without_comments(value[:RESULT_CHARS_MAX])):
        if token[3] == ";":
            statements.append([])
        else:
            statements[-1].append(token[1] if token[1] is not None else token[0])
    identity = statements[0][0].lower() if statements[0] else ""
    results = []
    for words in statements[1 : RESULTS_MAX + 1]:
        pairs = [
            (words[n - 1].lower(), words[n + 1].lower())
            for n in range(1, len(words) - 1)
            if words[n] == "="
        ]
        if pairs:
            method = pairs[0][0].split("/")[0]
            results.append(_Result(method, pairs[0][1], tuple(pairs[1:])))
    return identity, results


def _without_comments(value: str) -> str:
    kept: list[str] = []
    depth = 0
    quoted = escaped = False
    for sign in value:
        if escaped:
            escaped = False
        elif sign == "\\":
            escaped = True
        elif sign == '"' and depth == 0:
            quoted = not quoted
        elif sign == "(" and not quoted:
            depth += 1
        elif sign == ")" and depth and not quoted:
            depth -= 1
            kept.append(" ")
            continue
        if depth == 0:
            kept.append(sign)
    return "".join(kept)


def _judged(account: str, results: tuple[_Result, ...]) -> Trust:
    domain = account.rpartition("@")[2]
    dmarc = [result for result in results if result.method == "dmarc"]
    for result in dmarc:
        if result.verdict not in {"pass", "none", "bestguesspass"}:
            return _unproven(account, f"dmarc={result.verdict[:20]}")
    for result in dmarc:
        if result.verdict == "pass" and (result.property("header.from") or domain) == domain:
            return _proven(account, "dmarc", f"dmarc=pass for {domain}")
    passed = [result for result in results if result.verdict == "pass"]
    methods: tuple[Method, ...] = ("dkim", "spf")
    for method in methods:
        for result in passed:
            about = _about(result)
            if result.method == method and _aligned(domain, about):
                return _proven(account, method, f"{method}=pass for {about}")
    if passed:
        return _unproven(account, f"{passed[0].method[:20]} passed, but not for {domain}")
    return _unproven(account, "our server could not prove the sender")


def _about(result: _Result) -> str:
    """Return the domain that a result of DKIM or SPF speaks of."""
    if result.method == "dkim":
        return result.property("header.d") or result.property("header.i").rpartition("@")[2]
    return result.property("smtp.mailfrom").rpartition("@")[2]


def _proven(account: str, method: Method, reason: str) -> Trust:
    return Trust(verified=True, account=account, method=method, reason=reason)


def _unproven(account: str | None, reason: str) -> Trust:
    return Trust(verified=False, account=account, method=None, reason=reason)


def _aligned(domain: str, proven: str) -> bool:
    """Tell whether who proved `proven` speaks for `domain`: the same, or a parent of it.

    Not a child: who rents `shop.example.com` does not speak for `example.com`. Where that is meant,
    the domain has a DMARC record, and the server says `dmarc=pass`.
    """
    return "." in proven and (domain == proven or domain.endswith("." + proven))
