"""Addresses: of pages, also where the dot is spelled (点com, 点康姆), of shared goods (￥…￥), and of mail."""

import re
from typing import Final

from monitor.engine.detectors_spans import Spans, apart

_ENDINGS: Final = (
    "com|c0m|cn|net|org|top|xyz|vip|shop|store|cc|io|me|co|tv|info|club|site|online|link|ltd|icu|fun|live|pro|tech|work"
    "|mobi|app|ink|biz"
)
_PATH: Final = r"[a-z0-9._~:/?#\[\]!$&'()*+,;=%\-]*[a-z0-9/=_\-#&]"
_DOT: Final = r" ?(?:点|。|\(?dot\)?|\[\.\]|、) ?"
_SPELLED: Final = r"com(?![a-z])|c0m|cn(?![a-z])|net(?![a-z])|抠姆|康姆|坎姆|考姆|抗姆|肯姆|扣姆|西恩|西嗯"
_LABEL: Final = r"[a-z0-9](?:[a-z0-9\-]{0,61}[a-z0-9])?"

_URLS: Final = (
    re.compile(rf"(?<![a-z0-9])https?:[/\\]{{1,2}}{_PATH}"),
    re.compile(rf"(?<![a-z0-9@.\-])www\.{_PATH}"),
    re.compile(rf"(?<![a-z0-9@._\-])(?:{_LABEL}\.){{1,4}}(?:{_ENDINGS})(?![a-z0-9@\-])"
               rf"(?:\.cn(?![a-z0-9@\-]))?(?:[:/?#]{_PATH})?"),
    re.compile(rf"(?<![a-z0-9@])(?:(?:www|三w|3w){_DOT})?(?:{_LABEL}{_DOT}){{1,3}}(?:{_SPELLED})"
               rf"(?:(?:{_DOT}|\.)(?:cn|西恩))?(?:/{_PATH})?"),
    re.compile(rf"(?<=[\u4e00-\u9fff])(?<![零一二两三四五六七八九十])点 ?(?:{_SPELLED})"),
)
_SHARED: Final = re.compile(r"([¥$€£₤₳₴])(?=[a-z0-9]*[a-z])(?=[a-z0-9]*[0-9])[a-z0-9]{8,13}\1")
_HAS_LETTER: Final = re.compile(r"[a-z]")
_PLAIN_NUMBER: Final = re.compile(r"[0-9.]+")

_AT: Final = r" ?(?:@|艾特|圈a|小老鼠|\(at\)|\[at\]) ?"
_MAIL_DOT: Final = r"(?:\.| ?[点。] ?| ?\(?dot\)? ?)"
_HOST: Final = r"(?:[a-z0-9\-]{1,63}|扣扣)"
_EMAILS: Final = (
    re.compile(rf"(?<![a-z0-9._%+\-])[a-z0-9._%+\-]{{1,64}}{_AT}{_HOST}"
               rf"(?:(?:{_MAIL_DOT}[a-z0-9\-]{{1,63}}){{1,3}}| ?点 ?(?:康姆|西恩))"),
    re.compile(rf"(?<![a-z0-9._%+\-])[a-z0-9._%+\-]{{1,64}} at {_HOST}{_MAIL_DOT}(?:{_ENDINGS})(?![a-z0-9\-])"),
)


def urls(text: str) -> Spans:
    mails = emails(text)
    links = [match.span() for pattern in (*_URLS, _SHARED) for match in pattern.finditer(text) if _is_address(match[0])]
    return [span for span in apart([*mails, *links], len(text)) if span not in mails]


def _is_address(text: str) -> bool:
    """A name without a letter before its ending is a number that some word follows (3.pro), save for 1688.com."""
    name, _, ending = text.partition("/")[0].rpartition(".")
    if text in ("com.cn", "net.cn", "org.cn"):
        return False
    return not _PLAIN_NUMBER.fullmatch(name) or (len(name) >= 3 and ending in ("com", "cn", "net") and "." not in name)


def emails(text: str) -> Spans:
    return apart((match.span() for pattern in _EMAILS for match in pattern.finditer(text)), len(text))
