"""Words that announce an id of WeChat, of QQ or of a group, however they are written: v❤, 加 ➕ wei.信, 🐧, 君羊."""

import re
from typing import Final

from monitor.engine.spellings import SIGN_BASE, SIGNS

_SIGNS: Final = "".join(word * len(SIGNS[word]) for word in SIGNS)
WEI: Final = "微薇威围卫维徽溦媙㣲" + "".join(chr(SIGN_BASE + i) for i, word in enumerate(_SIGNS) if word == "微")
XIN: Final = "信芯" + "".join(chr(SIGN_BASE + i) for i, word in enumerate(_SIGNS) if word in "信心")
QUN: Final = "群裙峮" + "".join(chr(SIGN_BASE + i) for i, word in enumerate(_SIGNS) if word == "群")
PENGUIN: Final = "鹅" + "".join(chr(SIGN_BASE + i) for i, word in enumerate(_SIGNS) if word == "鹅")

_GAP: Final = r"(?:[^\w\n:=¥$€£%‰°℃@#。!?;]|_){0,4}"
"""What people put between the characters of a cue, that it be overlooked."""
_HAN_WEI: Final = f"(?:[{WEI}]|{_GAP.join('彳散')})"
_WEI: Final = f"(?:{_HAN_WEI}|(?<![a-z0-9])(?:{_GAP.join('wei')}|vei|[vw]))"
_FAR_XIN: Final = f"[{XIN}]|{_GAP.join('xin')}|{_GAP.join('亻言')}|x(?![a-z0-9_])"
_XIN: Final = f"(?:{_GAP}(?:{_FAR_XIN})|x(?![a-z](?![a-z0-9_])))"
_ADD: Final = f"(?:[加嘉伽佳咖夹+]|{_GAP.join('力口')}|jia)"
_WECHAT: Final = (
    f"{_WEI}{_XIN}|(?<![a-z0-9]){_GAP.join('wechat')}|(?<![a-z0-9])v(?=号)"
    f"|{_GAP.join('绿泡')}泡?|小绿(?![瓶管罐袋裙包色伞条膜书])|绿色?的?(?:那个|这个)?(?:聊天)?(?:软件|图标|app)"
    r"|主页(?:上面?的?|里面?的?)?(?:那个|这个|的)?号|联系方式|私人号|工作号"
    rf"|(?:{_ADD}|找|搜|私|我的|(?<![a-z0-9])(?=v ?:)|(?<![a-z0-9])(?=v[^\w\s:.,/\-+]))(?:我|个|下)?{_GAP}"
    rf"(?:{_WEI}{_XIN}|(?:(?<![a-z0-9])|(?<=jia))[vw](?![a-z0-9])|{_HAN_WEI}(?![信辣甜博波笑调胖量型商]))"
    r"|[薇溦](?=[:号])"
)
_KOU: Final = "|".join(_GAP.join(char * 2) for char in "扣抠叩蔻")
_GOOSE: Final = f"(?:{_GAP.join('企鹅')}|[{PENGUIN[1:]}])"
_QQ: Final = (
    rf"(?<![a-z0-9@.]){_GAP.join('qq')}(?!\.com)|(?<![a-z0-9])q(?=[号:])|[加我的+]{_GAP}q(?![a-z])"
    f"|{_KOU}|[加+]{_GAP}扣扣?(?![子除款掉上])|{_GOOSE}|球球|秋秋"
)
_SPELLED_QUN: Final = f"{_GAP.join('qun')}(?![a-z])"
_GROUP: Final = (
    rf"(?:{_GAP.join('qq')}|{_KOU}|{_GOOSE}|扣|q|微信|v|[加+]|进|入|建|拉|粉丝|福利|内部|交流|老客|会员|宠粉)"
    rf"[个我们的]{{0,2}}{_GAP}(?:[{QUN}]|{_GAP.join('君羊')}|{_SPELLED_QUN})"
    rf"|(?<![人一超])群|{_GAP.join('君羊')}|(?<![a-z]){_SPELLED_QUN}|[裙峮](?=号|:)"
)
CUE: Final = re.compile(rf"(?P<group>{_GROUP})|(?P<wechat>{_WECHAT})|(?P<qq>{_QQ})")
"""The id follows; the name of the group says of what."""
