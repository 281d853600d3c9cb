"""What people call the values of the domain: Chinese, as reports and ledgers print them."""

from collections.abc import Mapping
from typing import Final

from monitor.domain.alerts import AlertState
from monitor.domain.events import Kind, Role, Stage
from monitor.domain.findings import Evasion, Opinion, Severity, Tier
from monitor.domain.moves import Outcome, Remedy

CATEGORIES: Final[Mapping[str, str]] = {
    "absolute_claim": "绝对化用语",
    "false_promotion": "虚假或引人误解宣传",
    "price_consumer": "价格促销与消费者权益",
    "medical_claim": "疾病治疗与医疗用语",
    "efficacy_claim": "食品保健与化妆品功效",
    "promise_return": "投资收益与培训效果承诺",
    "prohibited_trade": "涉赌涉彩与禁限售商品",
    "minors": "未成年人保护",
    "personal_info": "个人信息与隐私",
    "offsite_fraud": "站外导流与诈骗",
    "vulgar_sexual": "低俗色情",
    "dangerous_conduct": "危险行为与不良示范",
    "abuse_harassment": "侮辱谩骂、骚扰与歧视",
    "counterfeit_quality": "假冒侵权与质量安全",
    "spam_fakedata": "刷屏骚扰与流量造假",
    "identity_ai": "主播资质、广告可识别与 AI 标识",
    "reward_inducement": "诱导打赏与非理性消费",
}
SEVERITIES: Final[Mapping[Severity, str]] = {
    Severity.CRITICAL: "紧急", Severity.HIGH: "高", Severity.MEDIUM: "中", Severity.LOW: "低", Severity.INFO: "提示",
}  # fmt: skip
"""The severest first."""
TIERS: Final[Mapping[Tier, str]] = {
    Tier.REDLINE: "严禁", Tier.STANDARD: "规范", Tier.ORIENTATION: "坚持", Tier.CARE: "关怀",
}  # fmt: skip
EVASIONS: Final[Mapping[Evasion, str]] = {
    Evasion.STYLED: "变体字", Evasion.SYMBOLS: "夹符号", Evasion.HOMOPHONE: "谐音", Evasion.SPELLED: "拼写",
    Evasion.STRETCHED: "叠字", Evasion.LETTERS: "夹字母", Evasion.LOOKALIKE: "形近字母", Evasion.SPLIT: "拆字",
    Evasion.SIGNS: "符号代字",
}  # fmt: skip
ROLES: Final[Mapping[Role, str]] = {
    Role.HOST: "主播", Role.ASSISTANT: "助播", Role.OFFICIAL: "官方", Role.GUEST: "嘉宾", Role.VIEWER: "观众",
    Role.UNKNOWN: "未知",
}  # fmt: skip
KINDS: Final[Mapping[Kind, str]] = {
    Kind.TRANSCRIPT: "口播", Kind.COMMENT: "评论", Kind.CAPTION: "字幕", Kind.PRODUCT: "商品", Kind.SCRIPT: "台本",
    Kind.SIGNAL: "信号",
}  # fmt: skip
STAGES: Final[Mapping[Stage, str]] = {
    Stage.ONBOARDING: "资质", Stage.PREAIR: "台本预审", Stage.LIVE: "直播", Stage.CLIP: "切片",
}  # fmt: skip
OPINIONS: Final[Mapping[Opinion, str]] = {
    Opinion.NONE: "", Opinion.AGREES: "一致", Opinion.DIFFERS: "不一致", Opinion.ALONE: "仅分类器检出",
}  # fmt: skip
STATES: Final[Mapping[AlertState, str]] = {
    AlertState.OPEN: "待处理", AlertState.HELD: "暂缓", AlertState.CLAIMED: "处理中", AlertState.ESCALATED: "已上报",
    AlertState.VIOLATION: "已认定", AlertState.RECTIFIED: "已纠正", AlertState.CLOSED: "已办结",
    AlertState.WITHDRAWN: "已撤回",
}  # fmt: skip
OUTCOMES: Final[Mapping[Outcome, str]] = {
    Outcome.VIOLATION: "成立", Outcome.NO_VIOLATION: "不成立", Outcome.EXEMPT: "豁免", Outcome.UNCLEAR: "存疑",
    Outcome.ATTENDED: "已关怀", Outcome.NOT_NEEDED: "无需关怀",
}  # fmt: skip
REMEDIES: Final[Mapping[Remedy, str]] = {
    Remedy.SAID: "已提示", Remedy.CORRECTED_ON_AIR: "当场纠正", Remedy.MUTED: "禁言",
    Remedy.COMMENT_WITHDRAWN: "撤回评论",
    Remedy.PRODUCT_REMOVED: "下架商品", Remedy.LINK_REMOVED: "下架链接", Remedy.ROOM_PAUSED: "暂停直播",
    Remedy.BROADCAST_ENDED: "下播", Remedy.REPORTED: "上报",
}  # fmt: skip
