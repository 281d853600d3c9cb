"""Contact data: what is masked and what is not."""

import pytest

from monitor.engine.batch import EventBatch
from monitor.engine.pipeline import judge
from tests.unit.rulekit import engine, event, rule, terms


def contacts(text: str) -> set[tuple[str, str]]:
    batch = EventBatch([event("13900000000前一条", id="0"), event(text, id="1")])
    found = judge(engine(rule(terms("x", "不会出现的词"))), batch).contacts
    assert any(c.event == 0 for c in found)
    return {(text[c.start : c.end], c.kind) for c in found if c.event == 1}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("打13800138000", {("13800138000", "phone")}),
        ("138-0013-8000哦", {("138-0013-8000", "phone")}),
        ("1 3 8 0 0 1 3 8 0 0 0", {("1 3 8 0 0 1 3 8 0 0 0", "phone")}),
        ("１３８００１３８０００", {("１３８００１３８０００", "phone")}),
        ("①③⑧00138000", {("①③⑧00138000", "phone")}),
        ("13800138000,15000000000", {("13800138000", "phone"), ("15000000000", "phone")}),
        ("证号11010519491231002X", {("11010519491231002X", "id_card")}),
        ("卡6222 0212 3456 7890 128", {("6222 0212 3456 7890 128", "bank_card")}),
        ("写信a.b-c@example.com.cn呀", {("a.b-c@example.com.cn", "email")}),
        ("微信号abc_12345的", {("abc_12345", "wechat_id")}),
        ("加VX：zhang123456", {("zhang123456", "wechat_id")}),
        ("qq 12345678", {("12345678", "wechat_id")}),
        ("群号：123456789", {("123456789", "wechat_id")}),
        ("订单20261111,价格12345678元", set()),
        ("单号SF1234567890123", set()),
        ("尺码15,18,20,30,50,100", set()),
        ("138001380001", set()),
        ("11010519491231002a", set()),  # wrong check digit, a letter
        ("110105194912310021", set()),  # wrong check digit
        ("6222021234567890127", set()),  # fails Luhn
        ("4111111111111112", set()),
        ("微信 weixin", set()),
        ("微信支付都行", set()),
        ("69.9元，129.9元，1999元", set()),
        ("2026-11-23 20:00", set()),
    ],
)
def test_contacts(text: str, found: set[tuple[str, str]]) -> None:
    assert contacts(text) == found
