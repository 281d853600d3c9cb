import { texts } from '../../i18n'

export const TEXT = texts(
  {
    title: '直播间', onAir: '在播 {n}', quiet: '没有动静 {n}', absent: '该播未播', absentFor: '{room} 已过 {t}', unit: '单位', platform: '平台', name: '房间名', only: '只看', onlyQuiet: '没有动静或声音的', onlyRisk: '有发现的',
    byRisk: '按发现排序', open: '待办 {n}', silentFor: '没有动静 {t}', mute: '听不到主播 {n}', muteFor: '听不到主播 {t}', muteWhy: '评论还在来，主播的话没有转写：查麦克风和识别', air: '已播 {t}', findings: '半小时 {n} 条发现，最高{level}', noFindings: '半小时没有发现',
    loading: '正在读直播间', failed: '直播间读不到：{why}', again: '重试', none: '没有直播间在播', noMatch: '这样筛选没有结果', clear: '清除', unknown: '没有登记',
    search: '搜说过的话', searchIn: '从', go: '搜', found: '{n} 条', foundMost: '最近 {n} 条，还有更早的', foundNone: '没有说过“{words}”', back: '回到直播间', searching: '正在搜',
  },
  {
    title: 'Rooms', onAir: '{n} on air', quiet: '{n} without a sign', absent: 'Planned, not on air', absentFor: '{room} late by {t}', unit: 'Unit', platform: 'Platform', name: 'Room', only: 'Only', onlyQuiet: 'Without a sign or a voice', onlyRisk: 'With findings',
    byRisk: 'Sort by findings', open: '{n} open', silentFor: 'no sign for {t}', mute: '{n} not heard', muteFor: 'host not heard for {t}', muteWhy: 'Comments come, the host is not transcribed: check microphone and recognition', air: 'on air {t}', findings: '{n} found, gravest {level}', noFindings: 'nothing found',
    loading: 'Reading the rooms', failed: 'The rooms cannot be read: {why}', again: 'Try again', none: 'No room is on air', noMatch: 'No match', clear: 'Clear', unknown: 'no record',
    search: 'Search what was said', searchIn: 'since', go: 'Search', found: '{n} {n:line|lines}', foundMost: 'the latest {n} {n:line|lines}, there are earlier ones', foundNone: 'Nobody said "{words}"', back: 'Back to the rooms', searching: 'Searching',
  },
)
