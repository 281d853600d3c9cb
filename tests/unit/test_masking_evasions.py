"""Contact data in disguise, and what only looks like it: the archive, the findings and the context are masked alike.

Between « and » stands what must not be readable, and nothing beside it may be masked. Numbers and ids are invented, as
in test_detectors_contacts.
"""

from functools import cache
from pathlib import Path

import msgspec
import pytest

from monitor.adapters.rulefiles import load
from monitor.domain.events import Kind, Role, Speaker
from monitor.domain.masking import mask_text
from monitor.domain.rules import DIVERSION
from monitor.engine.engineset import EngineSet
from monitor.services.context import Ring
from tests.unit.rulekit import ZONE, rule, tables, terms
from tests.unit.test_detectors import lines, marked
from tests.unit.test_lane import Line, said

PHONES = """
+86«15400001234»
+86-«154-0000-1234»
0086«15400001234»
0086 «154 0000 1234»
打«015400001234»
外地拨«0154 0000 1234»
手机«0-154-0000-1234»
«15400001234»x
«15400001234»Ｘ
«1\u200b5\u200b4\u200b0\u200b0\u200b0\u200b0\u200b1\u200b2\u200b3\u200b4»
«1\u200b\u200c\u200d\ufeff5\u200b\u200c\u200d\ufeff4\u200b00001234»
«154\u00ad0000\u00ad1234»
«154\u20600000\u20601234»
«154\u180e0000\u180e1234»
«1\u20e35\u20e34\u20e30\u20e30\u20e30\u20e30\u20e31\u20e32\u20e33\u20e34»\u20e3
«1️⃣5️⃣4️⃣0️⃣0️⃣0️⃣0️⃣1️⃣2️⃣3️⃣4»️⃣
«1️⃣ 5️⃣ 4️⃣ 0️⃣ 0️⃣ 0️⃣ 0️⃣ 1️⃣ 2️⃣ 3️⃣ 4»️⃣
«1️⃣-5️⃣-4️⃣-0️⃣-0️⃣-0️⃣-0️⃣-1️⃣-2️⃣-3️⃣-4»️⃣
«154\t0000\t1234»
«1\t5\t4\t0\t0\t0\t0\t1\t2\t3\t4»
«154\u30000000\u30001234»
«154\u00a00000\u00a01234»
«154      0000      1234»
«1`5`4`0`0`0`0`1`2`3`4»
«154`0000`1234»
«1。5。4。0。0。0。0。1。2。3。4»
«1、5、4、0、0、0、0、1、2、3、4»
«1，5，4，8，7，6，9，1，2，3，4»
«1—5—4—0—0—0—0—1—2—3—4»
«154——0000——1234»
«154:0000:1234»
«1：5：4：0：0：0：0：1：2：3：4»
«1+5+4+0+0+0+0+1+2+3+4»
«154+0000+1234»
«154＋0000＋1234»
«154#0000#1234»
«154&0000&1234»
«154^0000^1234»
«154!0000!1234»
«154"0000"1234»
«154'0000'1234»
«154;0000;1234»
«154?0000?1234»
«154\\0000\\1234»
(«154)(0000)(1234»)
【«154】【0000】【1234»】
「«1」「5」「4」「0」「0」「0」「0」「1」「2」「3」「4»」
«1(5)4(0)0(0)0(1)2(3)4»
«154🔥0000🔥1234»
«154🛰0000🛰1234»
«1✉5✉4✉0✉0✉0✉0✉1✉2✉3✉4»
«1🐧5🐧4🐧0🐧0🐧0🐧0🐧1🐧2🐧3🐧4»
«１５４００００１２３４»
«⑴⑸⑷００００⑴⑵⑶⑷»
«❶❺❹⓿⓿⓿⓿❶❷❸❹»
«⒈⒌⒋００００⒈⒉⒊⒋»
«㊀㊄㊃〇〇〇〇㊀㊁㊂㊃»
«㈠㈤㈣〇〇〇〇㈠㈡㈢㈣»
«١٥٤٠٠٠٠١٢٣٤»
«壹伍肆零零零零壹贰叁肆»
«壹5肆零00零①2三4»
«一⑤④〇〇００一2③四»
«幺5四洞洞洞洞幺2三四»
座机 «65432100»
座机：«6543 2100»
店里电话是«6543210»
固话号码 «654-3210»
tel:«65432100»
电话«六五四三二一零零»
电话«一 五 四 零 零 零 零 一 二 三 四»
«一.五.四.零.零.零.零.一.二.三.四»
«一五四\u200b零零零零\u200b一二三四»
"""

WECHAT = """
加wei信 «abc12345»
加ＷＥＩ信 «abc12345»
wei信«abc12345»
w e i信«abc12345»
加w.e.i.信 «abc12345»
vei信 «abc12345»
薇❤信«abc12345»
薇💗信：«abc12345»
威✉ «abc12345»
V✉«abc12345»
加➕微 信 «abc12345»
主播加➕微 信 «abc12345» 便宜
➕ 微 信 «abc12345»
➕➕微➕信 «abc12345»
加v❤: «abc_000111»
加V❤️：«abc_000111»
加ｖ💚 «abc000111»
➕🛰️ «baoma0000»
➕ 🛰 «baoma0000»
🛰️❤️«baoma0000»
🛰信 «baoma0000»
加🛰 «baoma0000»
威❤号 «abc12345»
威❤号：«abc12345»
围❤«abc12345»
㣲信«abc12345»
媙信 «abc12345»
微亻言«abc12345»
彳散信 «abc12345»
彳散亻言：«abc12345»
力口微信«abc12345»
力加V x：«abc12345»
v.x «abc12345»
v-x：«abc12345»
v/x «abc12345»
v，信 «abc12345»
v、信«abc12345»
V\u200bX «abc12345»
微\u200b信«abc12345»
微\u00ad信：«abc12345»
微\t信 «abc12345»
微_信 «abc12345»
微 · 信 «abc12345»
微(信)«abc12345»
【微】【信】«abc12345»
微🔥信«abc12345»
微...信 «abc12345»
微——信 «abc12345»
VX❤️«abc12345»
w x «abc12345»
W-X：«abc12345»
we chat «abc12345»
w e c h a t «abc12345»
加w «abc12345»
加 W：«abc12345»
jia微 «abc12345»
jiaV «abc12345»
咖微 «abc12345»
夹v «abc12345»
佳 薇 «abc12345»
加围 «abc12345»
加卫 «abc12345»
绿泡«abc12345»
绿 泡 泡 «abc12345»
绿泡泡：«abc12345»
vx@«abc12345»
vx➕«abc12345»
微信#«abc12345»
微信➕«abc12345»
微信_«abc12345»
微信号 👉«abc12345»
微信👉👉👉«abc12345»
微信 «abc 12345»
微信：«abc 一二三四五»
vx «abc.12345»
vx «abc-12345»
vx «a b c 1 2 3 4 5»
vx «a\u200bb\u200bc\u200b1\u200b2\u200b3\u200b4\u200b5»
vx «ａｂｃ１２３４５»
vx «ⓐⓑⓒ①②③④⑤»
微信号«𝐚𝐛𝐜𝟏𝟐𝟑𝟒𝟓»
微信同号«15400001234»
v：«15400001234»
薇 芯：«abc12345»
微 x i n «abc12345»
徽 信 «abc12345»
威xin«abc12345»
"""

QQ = """
扣扣裙 «123456789»
扣扣裙«123456789»
扣 扣 裙：«123456789»
扣扣君羊«123456789»
扣扣qun «123456789»
Q Q 裙 «123456789»
q.q.裙«123456789»
QQ👥«123456789»
➕👥«123456789»
加👥 «123456789»
qun «123456789»
q u n：«123456789»
君羊«123456789»
君 羊 号 «123456789»
进峮 «123456789»
企鹅君羊«123456789»
🐧裙«123456789»
🐧群：«123456789»
裙号«123 456 789»
进裙«①②③④⑤⑥⑦⑧⑨»
加裙«一二三四五六七八九»
群 号 ：«123456789»
福利裙 «123456789»
粉丝君羊 «123456789»
扣 扣«123456789»
扣.扣 «123456789»
扣\u200b扣«123456789»
抠 抠：«123456789»
叩叩 «123456789»
蔻蔻«123456789»
加扣 «123456789»
➕扣«123456789»
加扣扣«123456789»
🐧«123456789»
🐧号：«123456789»
加🐧 «123456789»
企.鹅«123456789»
企 鹅 号«123456789»
Q.Q «123456789»
Q-Q：«123456789»
q\u200bq «123456789»
加 Q«123456789»
➕q «123456789»
秋秋«123456789»
QQ«１２３４５６７８９»
QQ«1\u200b2\u200b3\u200b4\u200b5\u200b6\u200b7\u200b8\u200b9»
QQ «1-2-3-4-5-6-7-8-9»
"""

MAIL = """
«abc＠example.com»
«abc＠example．com»
«abc ＠ example 。com»
«abc@example。com»
«abc @ example 点 com»
«abc艾特example点康姆»
«abc(at)example(dot)com»
«abc at example dot com»
«123456 at qq dot com»
«123456艾特扣扣点com»
«123456圈a qq点com»
«123456小老鼠qq.com»
«ａｂｃ＠ｅｘａｍｐｌｅ．ｃｏｍ»
邮箱：«ABC_1@EXAMPLE.COM»
"""

BESIDE_A_RULES_HIT = """
加我飞机号 纸飞机联系 «abc12345»
电报联系：«abc_12345»
telegram@«abc12345»
whatsapp: «abc12345»
蝙蝠聊天 «abc1234»
飞鸡联系 «ab123»
纸飞机号：«abcde»
加小泡泡 «abc12345»
卫星联系 «abc12345»
徽信号«ab123»
"""

POSITIVE = [line for block in (PHONES, WECHAT, QQ, MAIL, BESIDE_A_RULES_HIT) for line in lines(block)]

NEGATIVE = """
tui款专员 力口扣扣 共 xiang 屏幕 | 电话 20261111 | 电话20261111开通 | 电话费88888888 | 电话 10086
电话95588 | 电话 12345 | 电话卡6543210张 | 电话:400 000 0001 | 致电96110 | 打电话2000次 | 座机多少钱
座机 65432.10元 | 013是什么区号 | 0154开头的 | 订单015400001234 | ￥015400001234 | 编号：0154-0000-1234
0-15-40-00-01-23-45 | 12+34+56+78+90+12 | 199+299+399+99 | 154+165+175+18 | 1+1=2，2+2=4，3+3=6，4+4=8
100+200+300+400 | 满199#299#399 | 99&199&299&399 | 15400001234元 | 1、3、5、7、9、11、13
1,2,3,4,5,6,7,8,9,10,11 | 1、2、3、4、5、6、7、8、9、10 | 01 05 09 12 22 31 + 07 | 2026-11-11 20:00:00
2026.11.11—2026.11.20 | 11月11日20:00-22:00 | 11/11 20:00 11/12 20:00 | 20261111，20261112 | 1511:30开播
鞋码35、36、37、38、39、40、41 | 35/36/37/38/39/40 | 36码 37码 38码 | 鞋码 38 39 40，脚长 240 245 250
尺码160/84A 165/88A | 155/80 160/84 165/88 | 110斤穿M，120斤穿L，130斤穿XL | 身高155体重90 | 三围84 62 90
XS(80-90斤) S(90-100斤) | 3XL-4XL-5XL | 均码80-125斤 | 买1送1，买2送2，买3送3 | 100ml*2+50ml*3 | 5斤装*2箱
一箱24瓶500ml | 每袋500g，3袋1500g | 1.5L*12瓶 | 打12315 | 拨12345 | 12315、12345、96315都能投诉
有事打110、119、120 | 心理热线12356 | 反诈专线96110 | 消费投诉12315 转 2 | 12320卫生热线 | 12377举报
全国热线 400-000-0001 | 客服400 000 0001 | 咨询800-000-0001 | 联系客服：4000000001 | 电话：400-000-0001
95588 | 10086 | 11185 | 微信里抢红包 | 微信支付12345元 | 微信步数12345 | 微信转12345.00 | 微信扫一扫
微信小程序搜店名 | 微信客服在线 | 微信聊天记录2026年11月11日 | 微信 20:00 提醒 | 微信群12345人
我微信被封了 | 微信读书 vip | 加微信好友1000人 | 微信上买iphone15pro | 微信 ipad版 | 微信豆12345 | 威信扫地
有威信 | 维新 abc12345 | 卫星 abc12345 | 为信而来 | 违心话 | 唯心主义 abc12345 | 微辛微辣 | 微微信任
我们互相信任abc12345 | 加微辣12345 | 加微波炉abc12345 | 加威化饼干12345 | 加围巾abc12345 | 加维生素 c12345
加卫衣abc12345 | 加 we12345 | 加 w 的 | 加v领abc12345 | vivo x100 pro | vivo-x12345 | v x | vx新款
vlog 12345 | vs 123456 | win 11 pro 12345 | wx-2026新款 | wifi 12345678 | we are 123456 | vip 12345678
v5 123456 | dv x123456 | x 123456 | wxl 123456 | weekend 123456 | weibo abc12345 | wei 一下
抖音号 abc12345 | 小红书号：abc12345 | 快手号abc12345 | 直播间号 abc12345 | 店铺名 abc12345
旗舰店 abc12345 | 用户 abc12345 | 昵称：abc12345 | 口令abc12345 | 优惠码 abc12345 | 兑换码：ABC12345
货号 abc-12345 | 型号ABC12345 | 款号abc_12345 | 批次 ABC12345 | sku: abc12345 | 车牌 沪A12345 | iphone15pro
mate60 pro | ipad air 12345 | 加购 abc12345 | 加湿器 abc12345 | 加绒 abc12345 | 加大码 abc12345
加我一个 abc | qq糖 123456 | qq弹弹 123456 | q弹 q弹 123456件 | q1 123456 | q 版 123456 | 扣子 123456 | 扣 1
想要的扣123456 | 扣666666 | 公屏扣888888 | 扣扣子 123456 | 加扣子123456 | 扣扣搜搜的 | 企业 123456
鹅 123456 | 鹅蛋123456枚 | 天鹅绒 123456 | 企鹅🐧10000只 | 🐧🐧🐧 | 🐧好可爱 | 🐧1只 | 君羊奶粉 123456g
羊群 一群羊 | 君子 123456 | 裙子：123456 | 群众 123456 | 群里发100000红包 | 👥 10000人 | 👥在线 123456人
quan 123456 | 优惠quan123456 | qun 裙 | 连衣裙 123456 | 百褶裙：abc12345 | 超群 123456789 | 人群123456789
一群 1000001 | 群里123456人 | 加群 20261111 | 进群 12345人 | 群2026年建的 | ❤ 123456789 | ❤abc12345
爱心❤12345 | 🛰 发射 | 🛰123456 | ✉ abc12345 | 信 abc12345 | 信心 abc12345 | 星 abc12345 | 小心❤abc12345
❤️❤️❤️ 10000 | @abc12345 | @所有人 20:00 | abc@ | a at b | look at me | meet at 8 pm | 圈a 12345
小老鼠 abc | 艾特 abc12345 | at qq | a。b。c | 3。5折 | www。 | example | dot com | 点com | abc艾特客服
圈粉 12345 | 扣扣点赞 | 老鼠 qq | 绿泡 | 绿豆 abc12345 | 泡泡 abc12345 | 绿色 泡泡袖 12345 | 绿茶 12345
小绿瓶abc12345 | 图标 abc12345 | 软件 abc12345 | app abc12345 | 主页 abc12345 | 联系 abc12345 | 联系方式
工作 abc12345 | 电话 手表 abc12345 | 手机 abc12345 | 号 abc12345 | 号码 12345 | 账号 abc12345
飞机票 abc12345 | 坐飞机 ca12345 | 电报大楼 123456 | 蝙蝠衫 abc12345 | 纸飞机玩具 123456 | 飞机模型 abc12345
飞鸡 12345只 | 卫星电视 abc12345 | 一二三四五六七八九 | 一五一十 | 一二三，上链接 | 三二一 三二一 三二一
一五四 | 一百五十四万零一百 | 七七八八九九 | 二零二六年十一月十一日 | 1️⃣号链接 2️⃣号链接 3️⃣号链接
1️⃣ 2️⃣ 3️⃣ 4️⃣ 5️⃣ | ①②③④⑤⑥⑦⑧⑨⑩ | ①号 ②号 ③号 | ⑴ ⑵ ⑶ | 🔟分 | 💯分 100分
"""

ORDINARY = [text.strip() for line in NEGATIVE.strip().splitlines() for text in line.split(" | ")]


@cache
def judging() -> EngineSet:
    """The shipped rules about diversion, and one that any line here can be made to break."""
    shipped = load(Path(__file__).parents[2] / "rules")
    chosen = [each for each in shipped.rules if each.sub == DIVERSION]
    every = rule(terms("claim", "全网最低"))
    return EngineSet(msgspec.structs.replace(shipped, rules=(*chosen, every), correlations=()), tables(), zone=ZONE)


def derived(text: str) -> set[str]:
    """What the archive keeps of a text, what its findings say, and its line in the context of an alert."""
    ring = Ring(0, max_bytes=10**6)
    line = Line(ring=ring, engine=judging())
    outcome = line.feed([said(1, text + "。全网最低", kind=Kind.COMMENT, speaker=Speaker(Role.ASSISTANT, "u"))])
    (kept,) = outcome.judged
    (context,) = ring.lines(("local", "a"), since=0, until=10**9)
    assert outcome.findings
    shown = {mask_text(kept.frame.text, [(m.start, m.end) for m in kept.masks]), context.text,
             *(finding.text for finding in outcome.findings)}
    return {each.removesuffix("。全网最低") for each in shown}


def test_there_are_enough() -> None:
    assert len(set(POSITIVE)) == len(POSITIVE) >= 150
    assert len(set(ORDINARY)) == len(ORDINARY) >= 150


@pytest.mark.parametrize("line", POSITIVE)
def test_what_is_disguised_is_masked_one_code_point_for_one(line: str) -> None:
    text, spans = marked(line)
    assert derived(text) == {mask_text(text, spans)}


@pytest.mark.parametrize("text", ORDINARY)
def test_what_is_no_contact_data_stays_readable(text: str) -> None:
    assert derived(text) == {text}
