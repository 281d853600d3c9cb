import { texts } from '../../i18n'

export const TEXT = texts(
  {
    admin: '管理', sections: '管理的各部分', organisation: '组织', running: '值守', rulesGroup: '规则与提示', peopleGroup: '人员', system: '运行',
    find: '找编号或名称', make: '新建', count: '{n} 条', empty: '还没有。点“新建”添第一条', emptyRead: '还没有', noMatch: '没有找到。清空上面的字可看全部', loading: '正在读', again: '重试',
    id: '编号', pick: '从左边选一条，或新建', save: '保存', saving: '保存中', saved: '已保存：版本 {v}', drop: '放弃改动', remove: '删除', removeSure: '确认删除', sure: '再点一次确认', readOnly: '你只能看，改要“{need}”权限',
    version: '版本 {v}，{who} {t} 改', shipped: '随软件带来，保存后成为本机构自己的', unsaved: '有没保存的改动', leave: '放弃并前往', stay: '留下',
    conflict: '{who} 先改了（版本 {v}）。不同之处：{fields}', takeTheirs: '看对方的', keepMine: '以我的为准，覆盖', gone: '这条已被别人删除。保存会重新建立',
    needed: '必填', noSuch: '没有这个{kind}：{id}', endsFirst: '结束早于开始', leadNot: '负责人不在成员里', unknownKey: '没有“{key}”这一项', wrongType: '填的不合要求：{why}', tooWide: '至少写一个条件，否则什么都会压住', noPlace: '直播间和商品至少写一个',
    add: '添一行', name: '名称', number: '编号', until: '到期', value: '内容', label: '标签', values: '取值（可多个）', claimS: '认领（秒）', decideS: '研判（秒）', lease: '认领有效（秒）', ownClocks: '自定时限', usualClocks: '用通用时限', yes: '是', no: '否', unknown: '未知', lineAt: '第 {n} 行：{why}',
    ofThis: '看这条的操作记录',
  },
  {
    admin: 'Admin', sections: 'Parts of administration', organisation: 'Organisation', running: 'On duty', rulesGroup: 'Rules and cues', peopleGroup: 'People', system: 'Running',
    find: 'Find by id or name', make: 'New', count: '{n}', empty: 'None yet. "New" makes the first one', emptyRead: 'None yet', noMatch: 'None found. Clear the words above to see all', loading: 'Reading', again: 'Try again',
    id: 'Id', pick: 'Pick one on the left, or make a new one', save: 'Save', saving: 'Saving', saved: 'Saved: version {v}', drop: 'Drop changes', remove: 'Remove', removeSure: 'Remove it', sure: 'Click again to confirm', readOnly: 'You can look; to edit takes the permission "{need}"',
    version: 'Version {v}, by {who} at {t}', shipped: 'Shipped; once saved it is your own', unsaved: 'There are unsaved changes', leave: 'Drop them and go', stay: 'Stay',
    conflict: '{who} was first (version {v}). What differs: {fields}', takeTheirs: 'Look at theirs', keepMine: 'Keep mine, replace theirs', gone: 'Somebody has removed it. Saving makes it anew',
    needed: 'needed', noSuch: 'There is no such {kind}: {id}', endsFirst: 'It ends before it begins', leadNot: 'The lead is not among the members', unknownKey: 'There is no key "{key}"', wrongType: 'Not as it should be: {why}', tooWide: 'Name a condition, else it would hold everything', noPlace: 'Name a room or a product',
    add: 'Add a row', name: 'Name', number: 'Number', until: 'Until', value: 'Text', label: 'Label', values: 'Values (several may be given)', claimS: 'claim (s)', decideS: 'decide (s)', lease: 'a claim lasts (s)', ownClocks: 'Own limits', usualClocks: 'Usual limits', yes: 'yes', no: 'no', unknown: 'unknown', lineAt: 'Line {n}: {why}',
    ofThis: 'The trail of this one',
  },
)

export const sections = texts(
  {
    unit: '组织单元', room: '直播间', host: '主播', product: '商品', profile: '直播间类型', slot: '开播计划', post: '岗位', shift: '班次', routes: '路由', reason: '研判理由', silence: '静默', exception: '例外',
    link: '协同关系', channel: '通知渠道', cue_rule: '规则提示', users: '用户', me: '我的账号', trail: '操作记录', held: '暂缓的预警', messages: '消息', models: '分类器',
  },
  {
    unit: 'Units', room: 'Rooms', host: 'Hosts', product: 'Products', profile: 'Room profiles', slot: 'Plan', post: 'Posts', shift: 'Shifts', routes: 'Routes', reason: 'Reasons', silence: 'Silences', exception: 'Exceptions',
    link: 'Links', channel: 'Channels', cue_rule: 'Cue rules', users: 'Users', me: 'My account', trail: 'Trail', held: 'Held alerts', messages: 'Messages', models: 'Classifiers',
  },
)
export type SectionName = keyof (typeof sections)['zh']

export const permissions = texts(
  { plan: '排播', organise: '组织', roster: '排班', lead: '带班', rules: '规则', links: '协同', people: '人员', audit: '查阅记录', see: '查看', operate: '运维', review: '研判', cue: '提示' },
  { plan: 'plan', organise: 'organise', roster: 'roster', lead: 'lead', rules: 'rules', links: 'links', people: 'people', audit: 'audit', see: 'see', operate: 'operate', review: 'review', cue: 'cue' },
)

export const fields = texts(
  {
    title: '名称', above: '上级', default_post: '默认岗位', unit: '所属单元', platform: '平台', account: '账号', vertical: '行业', profile: '类型', tags: '标签', hosts: '主播', product_categories: '商品类目', listed_prices: '标价',
    claim_proofs: '说法与证明', media: '录音或直播地址', notify: '通知渠道', operator: '运营主体', credit_code: '统一社会信用代码', name: '姓名', identity_checked: '身份已核', of_age: '已成年', papers: '证照', required: '上播必须有',
    digital: '数字人', category: '类目', listed_price: '标价', seller: '卖家', link: '链接', certificates: '证书', claims: '说法与证明', room: '直播间', starts: '开始', ends: '结束', host: '主播', products: '商品', note: '备注', duty: '职责',
    members: '成员', lead: '负责人', clocks: '时限', post: '岗位', people: '值班人', zone: '时区', handover: '交班留言', tree: '路由树（YAML）', outcomes: '用于', teaches: '教分类器', match: '压住这样的', unless: '这样的除外', reason: '理由',
    begins: '开始', rule: '规则', wording: '原话', product: '商品', proof: '证明', crosses: '往来的是', url: '地址', secret: '签名密钥', automatic: '自动提示', say: '提示的话',
  },
  {
    title: 'Title', above: 'Above it', default_post: 'Default post', unit: 'Unit', platform: 'Platform', account: 'Account', vertical: 'Trade', profile: 'Profile', tags: 'Tags', hosts: 'Hosts', product_categories: 'Product categories', listed_prices: 'Listed prices',
    claim_proofs: 'Claims and proofs', media: 'Address of recording or live audio', notify: 'Channels', operator: 'Company', credit_code: 'Credit code', name: 'Name', identity_checked: 'Identity checked', of_age: 'Of age', papers: 'Papers', required: 'Needed on air',
    digital: 'Digital human', category: 'Category', listed_price: 'Listed price', seller: 'Seller', link: 'Link', certificates: 'Certificates', claims: 'Claims and proofs', room: 'Room', starts: 'Starts', ends: 'Ends', host: 'Host', products: 'Products', note: 'Note', duty: 'Duty',
    members: 'Members', lead: 'Lead', clocks: 'Limits', post: 'Post', people: 'On duty', zone: 'Time zone', handover: 'Note to the next shift', tree: 'Routing tree (YAML)', outcomes: 'For', teaches: 'Teaches the classifier', match: 'Hold such', unless: 'But not such', reason: 'Reason',
    begins: 'Begins', rule: 'Rule', wording: 'Words as said', product: 'Product', proof: 'Proof', crosses: 'What crosses', url: 'Address', secret: 'Signing secret', automatic: 'Cues by itself', say: 'What it says',
  },
)
export type FieldName = keyof (typeof fields)['zh']

export const hints = texts(
  {
    room_id: '与事件里的直播间编号一致', product_id: '就是 SKU', routes_id: '单元的编号；全机构用 tenant', link_id: '对方机构的编号', cue_rule_id: '规则的编号', reason_id: '', default_post: '这里没有路由答复时归它', media: '可写 {room}、{broadcast}、{offset_s}',
    members: '不写：有权限的人都在', tree: 'match、unless 写标签，post 写岗位；下级写在 routes', tags: '回车添一个', url: '保存后不再显示密钥', zone: '如 Asia/Shanghai', wording: '与预警里的原话一致',
  },
  {
    room_id: 'As events name the room', product_id: 'The SKU', routes_id: 'The id of a unit; tenant for the whole tenant', link_id: 'The id of the other tenant', cue_rule_id: 'The id of the rule', reason_id: '', default_post: 'Of what no route answers here', media: '{room}, {broadcast} and {offset_s} are filled in',
    members: 'None: everybody with the right', tree: 'match and unless take labels, post a post; those below stand in routes', tags: 'Enter adds one', url: 'Its secrets are not shown again', zone: 'Such as Asia/Shanghai', wording: 'As in the alert',
  },
)
export type HintName = keyof (typeof hints)['zh']

export const duties = texts(
  { content_review: '内容审核', network_security: '网络安全', product_quality: '商品质量', own: '自定' },
  { content_review: 'Content review', network_security: 'Network security', product_quality: 'Product quality', own: 'Own' },
)
export const crossings = texts({ escalations: '上报的预警与意见' }, { escalations: 'Escalations and advice' })

export const labels = texts(
  { category: '类别', sub: '细类', severity: '级别', tier: '层级', kind: '来源', stage: '环节', rule: '规则', unit: '单元', platform: '平台', vertical: '行业', profile: '类型', tag: '标签', room: '直播间' },
  { category: 'Category', sub: 'Finer label', severity: 'Severity', tier: 'Tier', kind: 'Kind', stage: 'Stage', rule: 'Rule', unit: 'Unit', platform: 'Platform', vertical: 'Trade', profile: 'Profile', tag: 'Tag', room: 'Room' },
)
export type LabelName = keyof (typeof labels)['zh']
