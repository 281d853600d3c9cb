"""Built-in detectors: contact data, and amounts and times that rules ask for.

A wide pattern proposes a text, a check that reads it decides. Patterns are written over the alphabet of
detectors_alphabet: 1 is any way to write or say a one, a space is any sign. Checks read the plain view.
"""

import re
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Final, NamedTuple

from monitor.engine import detectors_handles, detectors_numbers
from monitor.engine.detectors_amounts import DISCOUNTS, NUMBERS, PRICES, SHARES, found, value_of
from monitor.engine.detectors_links import emails, urls
from monitor.engine.detectors_periods import PERIODS, courses_and_periods, dates, times
from monitor.engine.detectors_spans import Spans

Check = Callable[[str], Spans]


class Detector(NamedTuple):
    """`check` gives the spans in one text, code points. `masks`: they are contact data, masked in all that is derived.

    Two detectors may find one kind: a company's 400 number is public, a fixed line may be somebody's home.
    """

    name: str
    pattern: str
    check: Check
    masks: bool = False


_BETWEEN: Final = r"[ .,_*~/|:;=()+\-然再下就个是号了微信群鹅]"
_DIGIT: Final = "[0-9oli]"


def _digits(count: int) -> str:
    """At least so many digits of one run, written or said."""
    return rf"{_DIGIT}(?:{_BETWEEN}*{_DIGIT}){{{count - 1}}}"


def _of_digits(kind: str) -> Check:
    return partial(detectors_numbers.of_kind, kind)


def _spoken_numbers(text: str) -> Spans:
    """Those that are no contact data, which is said digit by digit."""
    spans = found(NUMBERS, text)
    if all(_UNIT.search(text, a, b) for a, b in spans):
        return spans
    contact = (*detectors_numbers.numbers(text), *detectors_handles.handles(text))
    return [(a, b) for a, b in spans if not any(a < end and start < b for _, start, end in contact)]


_UNIT: Final = re.compile("[十百千万亿点拾佰仟]")
_LINK: Final = r"[ .,:;=()*~_/|+@\-号码是我加的个1下了然字母小大微信群鹅]*"
_NUMBER: Final = rf"[0-9](?:{_BETWEEN}*[0-9]){{2}}"
_GAP: Final = r"[ .,*~_/|()+\-微信群鹅]*"
_WECHAT: Final = (
    f"(?:(?:微|[vw]|vei|w{_GAP}e{_GAP}i){_GAP}亻?[信x]|w{_GAP}e{_GAP}c{_GAP}h{_GAP}a{_GAP}t|绿{_GAP}泡泡?|小绿"
    "|绿[色的然个聊天]*(?:软件|图标|app)|主页[上下里面的然个]*号|联系方式|私人号|工作号"
    f"|(?:[加码私+]|我的|jia)[我个下]?{_GAP}[vw微]|[v微][ :号])"
)
_COUNT: Final = "[0-9十百千万亿wk]"
_URL: Final = (
    r"https?:|www|3w|三w|[a-z0-9]\.[a-z][a-z0]|(?:点|dot|\[\.\]|[a-z0-9] )[ )]?(?:c[o0]m|cn|net|[康扣]姆|西恩)"
    "|[¥$][a-z0-9]{8}"
)
_PRICE: Final = (
    f"¥ ?[0-9]|{_COUNT} ?[块元圆毛米]|[0-9]分钱|rmb|cny|软妹|人民币|大洋|[0-9][千百万][0-9]"
    r"|[0-9]\.[0-9]{1,2} ?[1-6]"
    f"|{_COUNT}(?:包邮|到手|秒杀|带走|带回|拿)"
    "|(?:价|到手|券然|折然|低至|只[要需卖]|仅[需售]|[才码]卖|卖你|给你)[只要才码是都价到手然: ,了的¥]*" + _COUNT
)
_PERIOD: Final = (
    f"(?:{_COUNT}|半)(?:[天周年]|日[内之以无达见保试]|个?(?:星期|礼拜|小时|钟头|[大小]?疗程)|个半?[月星礼季])"
)
_DATE: Final = (
    r"[0-9十](?:[年月]|[号日][早晚上然下凌当之截开0])|(?:19|20)[0-9]{2}[\-/.]?[0-9]|双[十1旦]|[0-9]\.1|618|38节"
    "|51[假长劳]|十1[黄长假]|1111|1212"
)

DETECTORS: Final = (
    Detector("phone", _digits(7), _of_digits("phone"), masks=True),
    Detector("hotline", _digits(7), _of_digits("landline"), masks=True),
    Detector("hotline", _digits(7), _of_digits("hotline")),
    Detector("id_card", _digits(10), _of_digits("id_card"), masks=True),
    Detector("bank_card", _digits(10), _of_digits("bank_card"), masks=True),
    Detector("email", r"@ ?[a-z0-9扣]|艾特|[(\[]at[)\]]|[a-z0-9] at [a-z0-9]|圈a|老鼠", emails, masks=True),
    Detector("wechat_id", rf"{_WECHAT}{_LINK}[0-9a-z]|wechat\.com/|weixin\.qq\.com/",
             partial(detectors_handles.of_kind, "wechat_id"), masks=True),
    Detector("qq_id", f"(?:q|扣{_GAP}扣|[加+]{_GAP}扣|鹅|球球){_LINK}{_NUMBER}",
             partial(detectors_handles.of_kind, "qq_id"), masks=True),
    Detector("qq_group", rf"(?:群|q{_GAP}u{_GAP}n){_LINK}{_NUMBER}|[qm]\.qq\.com/",
             partial(detectors_handles.of_kind, "qq_group"), masks=True),
    Detector("url", _URL, urls),
    Detector("price", _PRICE, partial(found, PRICES)),
    Detector("discount", "[0-9] ?折|半[价折]|对折|% ?off", partial(found, DISCOUNTS)),
    Detector("percent", "[0-9] ?%|[百千万]分[之百]|[0-9十]成", partial(found, SHARES)),
    Detector("chinese_number", "[0-9][十百千万亿]|十[0-9万亿]|[0-9]点[0-9]|[0-9]{3}", _spoken_numbers),
    Detector("quantity_days", _PERIOD, courses_and_periods),
    Detector("date", _DATE, dates),
    Detector("time", "[0-9]:[0-5][0-9]|[0-9十]点", times),
)

_VALUES: Final = {
    "price": (PRICES, "只要", ""), "discount": (DISCOUNTS, "打", ""), "percent": (SHARES, "", ""),
    "chinese_number": (NUMBERS, "", ""), "quantity_days": (PERIODS, "", "内"),
}
"""kind → its forms, and words before and after a hit that stand for the context by which a form may have known it."""


def value(kind: str, text: str) -> Decimal | None:
    """What a hit says, from its words in the plain view.

    Prices in yuan, whatever the currency's name; discounts as the share that is left to pay (八五折: 0.85), percent as
    a share (99%: 0.99), numbers as they are, periods in days. None for other kinds, and where no number is said
    (一个疗程).
    """
    if kind not in _VALUES:
        return None
    forms, before, after = _VALUES[kind]
    return value_of(forms, text, before, after)
