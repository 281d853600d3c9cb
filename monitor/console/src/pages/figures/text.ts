import { texts } from '../../i18n'

export const TEXT = texts(
  {
    title: '数据', range: '时段', day: '24 小时', week: '7 天', month: '31 天', post: '岗位', unit: '组织单元', room: '直播间', compare: '与上一时段比', before: '上一时段 {n}',
    reading: '正在读数据', again: '重试', nothing: '这段时间没有', csv: 'CSV', xlsx: 'XLSX', exportOf: '导出“{what}”为 {form}',
    alerts: '来了多少预警', alertsUnit: '条', others: '全部类别',
    claim: '等多久有人认领', decide: '多久研判完', half: '半数不超过', most: '95% 不超过', halfShort: '半数', mostShort: '95%',
    shares: '哪些规则判为违规多', sharesNumber: '已判 {n} 条，违规 {p}', share: '违规占比', rule: '规则', decided: '已判', arrived: '预警', more: '再看 {n} 条规则', fewer: '只看前 {n} 条',
    load: '各岗位每小时判了多少', loadUnit: '条研判', noPost: '无岗位', hourly: '每小时最多 {n}',
    backlog: '还有多少没判，等了多久', waiting: '条待判', oldest: '最久 {t}', age0: '5 分钟内', age1: '30 分钟内', age2: '2 小时内', age3: '一天内', age4: '更久', level: '级别', noBacklog: '没有待判的预警',
    rules: '规则是否都在起作用', rulesUnit: '条规则在运行', notEvaluated: '{n} 条没有判：{why}', no_model: '没有分类器', allEvaluated: '每条都有所需的依据', silent: '{n} 条三十天没有检出', last: '上次 {t}', never: '从未检出', noHealth: '看全机构的人才看得到',
    model: '分类器怎么样', serving: '在用', shadow: '影子试用', none: '没有', f1: '宏平均 F1', learnt: '{t} 学成', noModel: '管分类器的人才看得到',
    ledgers: '台账', corrections: '纠错台账', correctionsAbout: '主播一侧判为违规的话、依据、处置与时间', comments: '互动处置台账', commentsAbout: '评论研判结果，与从到达到研判的秒数', noAudit: '台账要有查阅台账的权限',
  },
  {
    title: 'Figures', range: 'Time', day: '24 hours', week: '7 days', month: '31 days', post: 'Post', unit: 'Unit', room: 'Room', compare: 'Compare with the time before', before: 'before: {n}',
    reading: 'Reading the figures', again: 'Try again', nothing: 'Nothing in this time', csv: 'CSV', xlsx: 'XLSX', exportOf: 'Export "{what}" as {form}',
    alerts: 'How many alerts came?', alertsUnit: '{n:alert|alerts}', others: 'All categories',
    claim: 'How long until somebody took it?', decide: 'How long until it was decided?', half: 'half within', most: '95% within', halfShort: 'half', mostShort: '95%',
    shares: 'Which rules were found right?', sharesNumber: '{n} decided, {p} {p:violation|violations}', share: 'Share of violations', rule: 'Rule', decided: 'Decided', arrived: 'Alerts', more: '{n} more {n:rule|rules}', fewer: 'Only the first {n}',
    load: 'How much was decided, by post and hour?', loadUnit: '{n:decision|decisions}', noPost: 'no post', hourly: 'at most {n} an hour',
    backlog: 'What waits, and for how long?', waiting: 'waiting', oldest: 'oldest {t}', age0: 'up to 5 min', age1: '30 min', age2: '2 h', age3: 'a day', age4: 'longer', level: 'Level', noBacklog: 'Nothing waits',
    rules: 'Do all rules work?', rulesUnit: '{n:rule runs|rules run}', notEvaluated: '{n} not evaluated: {why}', no_model: 'no classifier', allEvaluated: 'each has what it rests on', silent: '{n} found nothing for 30 days', last: 'last {t}', never: 'never', noHealth: 'For those who see the whole tenant',
    model: 'How is the classifier?', serving: 'Serving', shadow: 'Shadow', none: 'none', f1: 'macro F1', learnt: 'learnt {t}', noModel: 'For those who look after classifiers',
    ledgers: 'Ledgers', corrections: 'Corrections', correctionsAbout: 'what the host side said and was found to be a violation, with clause, remedy and time', comments: 'Handled comments', commentsAbout: 'decisions on comments, with the seconds from arrival to decision', noAudit: 'Ledgers need the permission to read them',
  },
)
