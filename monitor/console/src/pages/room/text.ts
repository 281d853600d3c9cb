import { texts } from '../../i18n'

export const TEXT = texts(
  {
    loading: '正在读这一场', failed: '这一场读不到：{why}', again: '重试', missing: '这个直播间还没有播过，或者不在你能看的单位里', toWall: '回到直播间列表',
    live: '在播 {t}', ended: '已下播，播了 {t}', silent: '没有动静 {t}', mute: '听不到主播 {t}', muteWhy: '评论还在来，主播的话没有转写：查麦克风和识别', findings: '发现 {n}', violations: '认定违规 {n}', queue: '去队列处理', broadcast: '场次', 
    overview: '整场', overviewHelp: '点或拖选要看的一段', follow: '跟住最新', closer: '放大', wider: '缩小', earlierPart: '往前', 
    laneComments: '评论/秒', laneFindings: '发现', laneCues: '提示', laneSignals: '信号', most: '最高 {n}',
    lines: '口播和评论', onlyHost: '只看卖方', all: '全部', more: '这一段评论太多，没有全读：只有选中处和最近的各 {n} 条；放大时间看全部', noLines: '这一段没有人说话，也没有评论', reading: '正在读', linesFailed: '这一段读不到：{why}',
    points: '发现、提示、信号', pointsMore: '只列最近 {n} 条发现', noPoints: '这一场到现在没有发现', time: '时间', what: '是什么', words: '原话', state: '进展', corrected: '播出中已更正 {t}', cue: '提示场控', cueOf: '{who} 提示', signal: '信号',
    seen: '场控已收到', not_so: '场控说不对', unanswered: '还没有回应', rule: '自动',
    missHint: '选中一段话，按 P 报漏', miss: '报漏', category: '类别', pickCategory: '选类别', severity: '级别', note: '备注', send: '报漏', cancel: '取消', missDone: '已报漏，开出一条待办', missKnown: '这句话已经报过', missFailed: '没有报出去：{why}', missNone: '先在左边选中漏掉的那句话', missNeeds: '先选类别', 
    broadcast_started: '开播', broadcast_ended: '下播',
  },
  {
    loading: 'Reading the broadcast', failed: 'The broadcast cannot be read: {why}', again: 'Try again', missing: 'This room was never on air, or belongs to a unit that you do not see', toWall: 'Back to the rooms',
    live: 'on air {t}', ended: 'over after {t}', silent: 'no sign for {t}', mute: 'host not heard for {t}', muteWhy: 'Comments come, the host is not transcribed: check microphone and recognition', findings: '{n} {n:finding|findings}', violations: '{n} {n:violation|violations}', queue: 'To the queue', broadcast: 'Broadcast', 
    overview: 'Whole broadcast', overviewHelp: 'Click, or drag over the part to look at', follow: 'Follow', closer: 'Closer', wider: 'Wider', earlierPart: 'Earlier', 
    laneComments: 'Comments/s', laneFindings: 'Findings', laneCues: 'Cues', laneSignals: 'Signals', most: 'most {n}',
    lines: 'Speech and comments', onlyHost: 'Seller only', all: 'All', more: 'Too many comments to read all: {n} before the chosen moment and the latest {n}; zoom in to see all', noLines: 'Nobody spoke or wrote here', reading: 'Reading', linesFailed: 'This part cannot be read: {why}',
    points: 'Findings, cues, signals', pointsMore: 'Only the latest {n} {n:finding|findings}', noPoints: 'No findings so far', time: 'Time', what: 'What', words: 'Words', state: 'State', corrected: 'corrected on air {t}', cue: 'Cue', cueOf: 'cue by {who}', signal: 'Signal',
    seen: 'seen', not_so: 'not so', unanswered: 'no answer yet', rule: 'rule',
    missHint: 'Select words and press P to report a miss', miss: 'Report a miss', category: 'Category', pickCategory: 'Pick a category', severity: 'Severity', note: 'Note', send: 'Report', cancel: 'Cancel', missDone: 'Reported; it is in the queue', missKnown: 'These words were reported before', missFailed: 'Not reported: {why}', missNone: 'First select the words on the left', missNeeds: 'Pick a category first', 
    broadcast_started: 'on air', broadcast_ended: 'off air',
  },
)
