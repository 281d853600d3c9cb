"""What the detectors' patterns scan: the plain view with one byte for each code point.

ASCII stands for itself, a spoken digit for its digit, any sign for a space; characters that no pattern names are all
one byte. So patterns are short, their classes are sets of bytes, and a place in the bytes is a place in the text.
"""

from collections.abc import Iterable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitor.engine.detectors_cues import PENGUIN, QUN, WEI, XIN
from monitor.engine.detectors_digits import SAID

_OTHER: Final = 1
_FIRST: Final = 0x80
_ALIKE: Final = "\t\r\v\f!\"#&'`;<>?\\^{}"
"""Signs that no pattern names."""
_FAMILIES: Final = {
    **SAID,
    **{char: family[0] for family in (
        "十拾", "百佰", "千仟", "加嘉伽佳咖夹口", WEI + "散", XIN + "言", QUN + "羊", "扣抠叩蔻", PENGUIN,
        "康坎考抗肯", "¥€£₤₳₴",
        "然后接来面边中间前跟着还有完嗯啊呃额哦哈那这横杠空格逗对呢",  # said between digits
        "码账帐就为叫搜索同步找",  # said before an id
        "母数写再划线",  # said within an id
        "联系方式私工作主页里软件图标聊泡", "企球秋", "艾特圈老鼠", "妹民币洋", "旦节假劳黄",
        "早晚凌当截开", "内以无达见保试",
    ) for char in family},
}


def codes_of(patterns: Iterable[str]) -> dict[str, int]:
    """A byte for each character beyond ASCII that the patterns name, or the ASCII character of its family."""
    named = dict.fromkeys(_FAMILIES.get(char, char) for pattern in patterns for char in pattern)
    own = {char: _FIRST + i for i, char in enumerate(char for char in named if not char.isascii())}
    return own | {char: own.get(head) or ord(head) for char, head in _FAMILIES.items() if head in own or head.isascii()}


def spelled(pattern: str, codes: dict[str, int]) -> bytes:
    """The pattern over these bytes."""
    return "".join(char if char.isascii() else f"\\x{codes[char]:02x}" for char in pattern).encode()


def table_of(codes: dict[str, int], skip: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Unit of the plain view → byte. `skip`: units that the skeleton leaves out."""
    table = np.where(skip, np.uint8(ord(" ")), np.uint8(_OTHER))
    table[:_FIRST] = np.arange(_FIRST)
    table[[ord(char) for char in _ALIKE]] = ord(" ")
    table[[ord(char) for char in codes]] = list(codes.values())
    return table
