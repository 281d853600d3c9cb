/** What people call the values of the domain. */
import { texts } from './index'

export const LEVEL_OF = { critical: 5, high: 4, medium: 3, low: 2, info: 1 } as const
export type SeverityName = keyof typeof LEVEL_OF
export const SEVERITIES = Object.keys(LEVEL_OF) as SeverityName[]
export const TIERS = ['redline', 'standard', 'orientation', 'care'] as const

export const severities = texts(
  { critical: '紧急', high: '高', medium: '中', low: '低', info: '提示' },
  { critical: 'Critical', high: 'High', medium: 'Medium', low: 'Low', info: 'Info' },
)

export const tiers = texts(
  { redline: '严禁', standard: '规范', orientation: '坚持', care: '关怀' },
  { redline: 'Red line', standard: 'Standard', orientation: 'Orientation', care: 'Care' },
)

export const categories = texts(
  {
    absolute_claim: '绝对化用语', false_promotion: '虚假或引人误解宣传', price_consumer: '价格促销与消费者权益',
    medical_claim: '疾病治疗与医疗用语', efficacy_claim: '食品保健与化妆品功效', promise_return: '投资收益与培训效果承诺',
    prohibited_trade: '涉赌涉彩与禁限售商品', minors: '未成年人保护', personal_info: '个人信息与隐私',
    offsite_fraud: '站外导流与诈骗', vulgar_sexual: '低俗色情', dangerous_conduct: '危险行为与不良示范',
    abuse_harassment: '侮辱谩骂、骚扰与歧视', counterfeit_quality: '假冒侵权与质量安全', spam_fakedata: '刷屏骚扰与流量造假',
    identity_ai: '主播资质、广告可识别与 AI 标识', reward_inducement: '诱导打赏与非理性消费',
  },
  {
    absolute_claim: 'Absolute claims', false_promotion: 'False or misleading promotion',
    price_consumer: 'Prices and consumer rights', medical_claim: 'Medical claims', efficacy_claim: 'Food and cosmetic efficacy',
    promise_return: 'Promised returns', prohibited_trade: 'Gambling and prohibited goods', minors: 'Protection of minors',
    personal_info: 'Personal data', offsite_fraud: 'Off-site diversion and fraud', vulgar_sexual: 'Vulgar or sexual content',
    dangerous_conduct: 'Dangerous conduct', abuse_harassment: 'Abuse and harassment',
    counterfeit_quality: 'Counterfeit and quality', spam_fakedata: 'Spam and fake figures',
    identity_ai: 'Credentials, ad and AI labels', reward_inducement: 'Induced rewards and spending',
  },
)
export type Category = keyof (typeof categories)['zh']
export const CATEGORIES = Object.keys(categories.zh) as Category[]

export const roles = texts(
  { host: '主播', assistant: '助播', official: '官方', guest: '嘉宾', viewer: '观众', unknown: '未知' },
  { host: 'Host', assistant: 'Assistant', official: 'Official', guest: 'Guest', viewer: 'Viewer', unknown: 'Unknown' },
)

export const kinds = texts(
  { transcript: '口播', comment: '评论', caption: '字幕', product: '商品', script: '台本', signal: '信号' },
  { transcript: 'Speech', comment: 'Comment', caption: 'Caption', product: 'Product', script: 'Script', signal: 'Signal' },
)

export const states = texts(
  {
    open: '待处理', held: '暂缓', claimed: '处理中', escalated: '已转上级', violation: '已认定', rectified: '已纠正',
    closed: '已办结', withdrawn: '已撤回',
  },
  {
    open: 'Open', held: 'Held', claimed: 'Claimed', escalated: 'Escalated', violation: 'Violation', rectified: 'Rectified',
    closed: 'Closed', withdrawn: 'Withdrawn',
  },
)

export const outcomes = texts(
  {
    violation: '违规', no_violation: '不违规', exempt: '豁免', unclear: '存疑', attended: '已关怀', not_needed: '无需关怀',
  },
  {
    violation: 'Violation', no_violation: 'No violation', exempt: 'Exempt', unclear: 'Unclear', attended: 'Attended',
    not_needed: 'Not needed',
  },
)

/** Of the reasons that come with the product; whoever has others names them in their own language. */
export const REASONS_IN_ENGLISH: Readonly<Record<string, string>> = {
  as_found: 'Said as found', misheard: 'Misheard', lawful_context: 'Lawful context: denial, quote, warning, correction',
  viewer_opinion: "A viewer's opinion", corrected_at_once: 'Corrected at once on air', true_and_proven: 'True, with proof',
  legal_exemption: 'Exempt by law', duplicate: 'Duplicate', not_our_room: 'Not our room', technical: 'Technical fault',
  needs_second: 'Unsure, to a second person', helped: 'Looked after', no_danger: 'No danger found',
}

export const remedies = texts(
  {
    said: '已口头提醒', corrected_on_air: '播出中更正', muted: '已禁言', comment_withdrawn: '评论已撤', product_removed: '商品已下架',
    link_removed: '链接已撤', room_paused: '直播已暂停', broadcast_ended: '直播已结束', reported: '已上报',
  },
  {
    said: 'Host was told', corrected_on_air: 'Corrected on air', muted: 'Muted', comment_withdrawn: 'Comment taken back',
    product_removed: 'Product taken down', link_removed: 'Link taken down', room_paused: 'Room paused',
    broadcast_ended: 'Broadcast ended', reported: 'Reported',
  },
)

export const evasions = texts(
  {
    styled: '变体字', symbols: '夹符号', homophone: '谐音', spelled: '拼写', stretched: '叠字', letters: '夹字母',
    lookalike: '形近字母', split: '拆字', signs: '符号代字',
  },
  {
    styled: 'styled', symbols: 'symbols', homophone: 'homophone', spelled: 'spelled out', stretched: 'stretched',
    letters: 'letters between', lookalike: 'lookalike', split: 'split characters', signs: 'signs',
  },
)

/** Others are shown as their records name them. */
export const platforms = texts(
  {
    douyin: '抖音', kuaishou: '快手', taobao: '淘宝', wechat_channels: '视频号', xiaohongshu: '小红书', bilibili: 'B站', jd: '京东',
    pinduoduo: '拼多多', huya: '虎牙', douyu: '斗鱼',
  },
  {
    douyin: 'Douyin', kuaishou: 'Kuaishou', taobao: 'Taobao', wechat_channels: 'WeChat Channels', xiaohongshu: 'Xiaohongshu',
    bilibili: 'Bilibili', jd: 'JD', pinduoduo: 'Pinduoduo', huya: 'Huya', douyu: 'Douyu',
  },
)

export const opinions = texts(
  { agrees: '分类器一致', alone: '仅分类器检出', differs: '分类器不一致' },
  { agrees: 'classifier agrees', alone: 'found by the classifier alone', differs: 'classifier differs' },
)
