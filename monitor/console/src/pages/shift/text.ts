import { texts } from '../../i18n'

export const TEXT = texts(
  {
    title: '开班', tonight: '今晚 {n} 场', none: '十二小时内没有排播，也没有直播间在播', loading: '正在读排播', failed: '排播读不到：{why}', again: '重试',
    silent: '该播未播', due: '应到', on_air: '在播', to_come: '待播', ended: '已下播', unplanned: '未排播',
    silentFor: '已过 {t}', dueFor: '应到 {t}', startsIn: '{t} 后', onAirFor: '已播 {t}', more: '还有 {n} 场，见直播间页', paper: '{what} {d} 天后到期', paperOver: '{what} 已过期',
    open: '待办 {n}', critical: '紧急 {n}', oldest: '最久 {t}', nothing: '没有待办', notes: '交班', noNotes: '上一班没有留话', by: '{who}，{t} 交', duty: '在岗', nobody: '无人', until: '至 {t}', next: '下一班 {who}，{t}',
    sound: '提示音', notify: '桌面通知', on: '开', off: '关', test: '试听', refused: '浏览器没有允许通知，到地址栏旁的网站设置里打开', theme: '外观', light: '浅色', dark: '深色', system: '随系统', start: '开班，去队列',
    unknown: '没有登记',
  },
  {
    title: 'Start of shift', tonight: '{n} {n:room|rooms} tonight', none: 'Nothing is planned for twelve hours, and no room is on air', loading: 'Reading the plan', failed: 'The plan cannot be read: {why}', again: 'Try again',
    silent: 'Silent', due: 'Due', on_air: 'On air', to_come: 'To come', ended: 'Ended', unplanned: 'Unplanned',
    silentFor: 'late by {t}', dueFor: 'due for {t}', startsIn: 'in {t}', onAirFor: 'for {t}', more: '{n} more on the page of rooms', paper: '{what} ends in {d} {d:day|days}', paperOver: '{what} has run out',
    open: '{n} open', critical: '{n} critical', oldest: 'oldest {t}', nothing: 'Nothing waiting', notes: 'Hand-over', noNotes: 'The last shift left no note', by: '{who}, {t}', duty: 'On duty', nobody: 'nobody', until: 'until {t}', next: 'then {who}, {t}',
    sound: 'Sound', notify: 'Desktop notices', on: 'on', off: 'off', test: 'Test', refused: 'The browser did not allow notices; allow them in its settings for this site', theme: 'Theme', light: 'Light', dark: 'Dark', system: 'System', start: 'Start, to the queue',
    unknown: 'no record',
  },
)
