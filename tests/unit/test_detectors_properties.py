"""What holds for every number, amount and text, not only for those in the tables."""

from datetime import date
from decimal import Decimal

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from monitor.domain.masking import mask_text
from monitor.engine.detectors import value
from monitor.engine.detectors_numbers import luhn
from monitor.engine.detectors_numerals import number
from monitor.engine.patterns import contacts
from monitor.engine.views import Views
from tests.unit.rulekit import tables
from tests.unit.test_detectors import CONTACT, detect, spans_of

unhurried = settings(deadline=None)

WRITTEN = ["0０⓪𝟎", "1１①𝟏", "2２②𝟐", "3３③𝟑", "4４④𝟒", "5５⑤𝟓", "6６⑥𝟔", "7７⑦𝟕", "8８⑧𝟖", "9９⑨𝟗"]
SAID = ["零〇洞", "一幺壹", "二两贰貳", "三叁", "四肆", "五伍", "六陆陸", "七柒拐", "八捌", "九玖勾"]
LETTERS = {"0": "0oO", "1": "1lI"}
SHAPES = [(11,), (3, 4, 4), (3, 8), (7, 4), (3, 3, 5), (5, 6), (4, 4, 3), (1,) * 11, (3, 3, 3, 2), (4, 3, 4)]
SIGNS = ["-", " ", ".", "_", "~", "·", "—", "🍎", "❤️", " - ", "\ufe0f\u20e3"]
FILLERS = [
    "然后", "，然后", " 再来 ", "嗯", "，", "、", "后面是", "哈 ", "。接着", " ", "接下来", "再", "嗯 然后",
    "中间", "前面是", "还有", "完了", "就是", "啊", "那个", "这个", "来", "横杠", "杠", "空格", "逗号", "对",
    "呃，", "额", "哦", "跟着",
]
BEFORE = ["", "打", "姐妹们", "加我", "老板电话", "要的找我，", "看这里：", "🔥", "+86 ", "微信同号 "]
AFTER = ["", "哦", "。谢谢", "找我", "，记住没", "🔥", " 在线", "的", "!"]

phones = st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True).filter(
    lambda n: len(set(n[1:])) > 2 and not any(part in n for part in ("1314", "520", "521", "888", "999", "666")))


@st.composite
def written(draw: st.DrawFn, digits: str) -> str:
    """In one of the usual groupings, each digit in any style, one kind of sign between the groups."""
    sign, text, at = draw(st.sampled_from(SIGNS)), "", 0
    for size in draw(st.sampled_from(SHAPES)):
        text += (sign if text else "") + "".join(draw(st.sampled_from(WRITTEN[int(d)])) for d in digits[at : at + size])
        at += size
    return text


@st.composite
def said(draw: st.DrawFn, digits: str) -> str:
    """Mostly spoken, with pauses and filling words at any places."""
    spoken = draw(st.sets(st.integers(0, len(digits) - 1), min_size=7))
    text = ""
    for i, digit in enumerate(digits):
        pause = draw(st.sampled_from(["", "", "", *FILLERS])) if text else ""
        text += pause + draw(st.sampled_from((SAID if i in spoken else WRITTEN)[int(digit)]))
    return text


@st.composite
def lettered(draw: st.DrawFn, digits: str) -> str:
    text = "".join(draw(st.sampled_from(LETTERS.get(d, d))) for d in digits)
    assume(sum(char.isdigit() for char in text) >= 5)
    return text


spelled_phones = phones.flatmap(lambda n: st.one_of(written(n), said(n), lettered(n)))
around = st.tuples(st.sampled_from(BEFORE), st.sampled_from(AFTER))


@unhurried
@given(spelled_phones, around)
def test_a_phone_in_any_spelling_is_found_where_it_stands(phone: str, words: tuple[str, str]) -> None:
    before, after = words
    text = before + phone + after
    end = len(before) + len(phone)
    if phone.endswith(("\ufe0f", "\u20e3")):
        end = len(text)
    assert spans_of(text, *CONTACT) == [("phone", len(before), end)]


@unhurried
@given(spelled_phones, around)
def test_a_mask_covers_all_of_it_and_keeps_the_length(phone: str, words: tuple[str, str]) -> None:
    before, after = words
    text = before + phone + after
    masked = mask_text(text, [(c.start, c.end) for c in detect(text) if c.masked])
    assert masked == before + "*" * len(phone) + after
    assert [c for c in detect(masked) if c.masked] == []


dates = st.dates(date(2020, 1, 1), date(2035, 12, 31))
amounts = st.decimals(Decimal("0.1"), 99_999, places=1)


@st.composite
def ordinary(draw: st.DrawFn) -> str:
    """Dates, prices, counts and order numbers, as hosts and viewers write them."""
    day, price, count = draw(dates), draw(amounts), draw(st.integers(1, 10**6))
    order = draw(st.from_regex(r"[1-9][0-9]{9,18}", fullmatch=True))
    return draw(st.sampled_from([
        f"{day:%Y-%m-%d} 20:00开播", f"{day:%Y年%m月%d日}发货", f"{day:%Y%m%d}到{day:%Y%m%d}", f"{day:%Y/%m/%d}晚上8点",
        f"{day.month}月{day.day}号", f"今天{price}元，昨天{price + 10}元", f"￥{price} ￥{price * 2}",
        f"{price}块钱{count}件", f"到手{price}", f"已拍{count}单，库存{count * 7}件", f"点赞{count}，在线{count}人",
        f"订单号{order}", f"订单{order},价格{price}元", f"快递单号：{order}", f"货号{order}", f"尾号{order[:4]}",
        f"订单编号是 {order}麻烦看下", f"{order}元", f"￥{order}", f"{count:,}", f"第{count}名", f"JD{order[:11]}",
        f"{count % 100}码{count % 60}码",
    ]))


@unhurried
@given(ordinary(), ordinary())
def test_dates_prices_counts_and_orders_are_no_contact(one: str, other: str) -> None:
    assert spans_of(one, *CONTACT) == []
    assert spans_of(f"{one}。{other}哦", *CONTACT) == []


WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


@unhurried
@given(st.dates(date(1900, 1, 1), date(2030, 12, 31)), st.integers(0, 999), st.booleans())
def test_an_identity_card_needs_its_check_digit(born: date, nth: int, spaced: bool) -> None:
    body = f"990000{born:%Y%m%d}{nth:03d}"
    check = "10X98765432"[sum(int(d) * w for d, w in zip(body, WEIGHTS, strict=True)) % 11]
    gap = " " if spaced else ""
    card = body[:6] + gap + body[6:14] + gap + body[14:] + check
    assert spans_of(f"证件{card}。", "id_card") == [("id_card", 2, 2 + len(card))]
    wrong = card[:-1] + ("1" if check != "1" else "2")
    assert spans_of(f"证件{wrong}。", "id_card") == []


@unhurried
@given(st.from_regex(r"62[0-9]{13,16}", fullmatch=True), st.sampled_from(["", " ", "-"]))
def test_a_bank_card_needs_its_check_digit(body: str, gap: str) -> None:
    check = next(d for d in "0123456789" if luhn(body + d))
    assume(len(set(body + check)) > 3)

    def grouped(digits: str) -> str:
        return gap.join(digits[i : i + 4] for i in range(0, len(digits), 4)) if gap else digits

    card, wrong = grouped(body + check), grouped(body + str((int(check) + 1) % 10))
    found = spans_of(f"打到{card}哈", "bank_card", "id_card")
    assert found in ([("bank_card", 2, 2 + len(card))], [("id_card", 2, 2 + len(card))])
    assert ("bank_card", 2, 2 + len(wrong)) not in spans_of(f"打到{wrong}哈", "bank_card")


ALPHABET = (
    "0123456789０①一二三四五六七八九十百千万亿零〇幺两洞拐半点元块毛角折成%％￥¥天年月日号周个疗程微信薇扣群裙vxqVQaob加搜是主页绿泡"
    "。，、 .-_@:/\\+~·🍎❤️\u200b\n\t😀\U000e0041的了啊然后价到手只要comhttpwww小时第"
)
texts = st.text(ALPHABET.replace("\n", ""), max_size=40) | st.text(max_size=20).map(lambda t: t.replace("\n", " "))


@unhurried
@given(st.lists(texts, min_size=1, max_size=6))
def test_what_else_is_in_the_batch_changes_nothing(some: list[str]) -> None:
    starts = [sum(len(t) + 1 for t in some[:i]) for i in range(len(some))]
    together = contacts(Views(tables(), "\n".join(some)), starts)
    alone = [c._replace(event=i) for i, text in enumerate(some) for c in detect(text)]
    assert sorted(together) == sorted(alone)


@unhurried
@given(texts)
def test_spans_lie_in_the_text_and_are_found_once(text: str) -> None:
    found = detect(text)
    assert all(0 <= c.start < c.end <= len(text) for c in found)
    assert len(set(found)) == len(found)
    masked = mask_text(text, [(c.start, c.end) for c in found if c.masked])
    assert len(masked) == len(text)
    assert found == detect(text)


UNITS = ("", "十", "百", "千")


def spoken(n: int) -> str:
    """A number below 10^8 as it is read aloud."""
    if n >= 10_000:
        low = n % 10_000
        return spoken(n // 10_000) + "万" + (("零" if low < 1_000 else "") + spoken(low) if low else "")
    text, digits = "", str(n)
    for i, digit in enumerate(digits):
        if digit != "0":
            text += "零一二三四五六七八九"[int(digit)] + UNITS[len(digits) - 1 - i]
        elif text and not text.endswith("零") and int(digits[i:] or 0):
            text += "零"
    return text or "零"


@unhurried
@given(st.integers(0, 10**8 - 1))
def test_a_number_read_aloud_keeps_its_value(n: int) -> None:
    assert number(spoken(n)) == n
    assert number(f"{n:,}") == number(str(n)) == n


@unhurried
@given(st.integers(1, 99_999), st.integers(1, 9), st.booleans())
def test_a_price_keeps_its_value(yuan: int, jiao: int, aloud: bool) -> None:
    whole = spoken(yuan) if aloud else str(yuan)
    tail = "零一二三四五六七八九"[jiao] if aloud else str(jiao)
    price = f"{whole}块{tail}"
    assert spans_of(f"今天{price}包邮", "price") == [("price", 2, 2 + len(price))]
    assert value("price", price) == yuan + Decimal(jiao) / 10
    assert value("price", f"{yuan}.{jiao}元") == yuan + Decimal(jiao) / 10


@unhurried
@given(st.integers(1, 99).filter(lambda n: n % 10))
def test_a_discount_keeps_its_share(n: int) -> None:
    shares = {f"{n / 10:g}折", f"{n}折" if n > 10 else f"0.{n}折"}
    for text in shares:
        assert value("discount", text) == Decimal(n) / 100
        assert spans_of(f"打{text}啊", "discount") == [("discount", 1, 1 + len(text))]
