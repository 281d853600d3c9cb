/** Every key of the console: what it does, where it holds, what people call it. Buttons, help, palette and the clash
 * test read this; nothing else listens to the keyboard. */
import { texts } from '../i18n'

/** `any` holds everywhere; `queue` while the cockpit has the focus, `checks` on a script's page, `shift` on the page that
 * a shift starts with, `room` over a broadcast, `rules` at the workbench; `reasons` after a verdict key, in place of `queue`'s
 * digits; `text` inside a field, with a modifier only. */
export type Scope = 'any' | 'queue' | 'reasons' | 'checks' | 'shift' | 'room' | 'rules'

export interface Key {
  /** As `KeyboardEvent.key` names it; letters are lower case, `Shift+v` and `Mod+k` (Control or Command) as written. */
  keys: readonly string[]
  scope: Scope
  /** Does holding it down repeat it? Only moves do. */
  repeats?: true
}

export const KEYS = {
  palette: { keys: ['Mod+k'], scope: 'any' },
  search: { keys: ['/'], scope: 'any' },
  help: { keys: ['h'], scope: 'any' },
  go: { keys: ['g'], scope: 'any' },
  back: { keys: ['Escape'], scope: 'any' },

  next: { keys: ['j', 'ArrowDown'], scope: 'queue', repeats: true },
  previous: { keys: ['k', 'ArrowUp'], scope: 'queue', repeats: true },
  first: { keys: ['Home'], scope: 'queue' },
  last: { keys: ['End'], scope: 'queue' },
  takeIn: { keys: ['r'], scope: 'queue' },
  filters: { keys: ['f'], scope: 'queue' },
  together: { keys: ['b'], scope: 'queue' },
  claim: { keys: ['c'], scope: 'queue' },
  play: { keys: [' '], scope: 'queue' },
  rewind: { keys: ['ArrowLeft'], scope: 'queue', repeats: true },
  forward: { keys: ['ArrowRight'], scope: 'queue', repeats: true },
  video: { keys: ['w'], scope: 'queue' },
  card: { keys: ['i'], scope: 'queue' },
  rewrite: { keys: ['y'], scope: 'queue' },
  clause: { keys: ['l'], scope: 'queue' },
  note: { keys: ['m'], scope: 'queue' },
  earlier: { keys: ['['], scope: 'queue' },
  later: { keys: [']'], scope: 'queue' },
  miss: { keys: ['p'], scope: 'queue' },
  violation: { keys: ['v'], scope: 'queue' },
  lawful: { keys: ['n'], scope: 'queue' },
  exempt: { keys: ['x'], scope: 'queue' },
  unclear: { keys: ['?', 'q'], scope: 'queue' },
  escalate: { keys: ['e'], scope: 'queue' },
  cue: { keys: ['t'], scope: 'queue' },
  attended: { keys: ['a'], scope: 'queue' },
  violationNext: { keys: ['Shift+v'], scope: 'queue' },
  lawfulNext: { keys: ['Shift+n'], scope: 'queue' },
  undo: { keys: ['u'], scope: 'queue' },
  rectify: { keys: ['d'], scope: 'queue' },
  tick: { keys: ['1', '2', '3', '4', '5', '6', '7', '8', '9'], scope: 'queue' },

  reason: { keys: ['1', '2', '3', '4', '5', '6', '7', '8', '9'], scope: 'reasons' },
  usual: { keys: ['Enter'], scope: 'reasons' },

  nextFinding: { keys: ['j', 'ArrowDown'], scope: 'checks', repeats: true },
  previousFinding: { keys: ['k', 'ArrowUp'], scope: 'checks', repeats: true },
  onlyFound: { keys: ['f'], scope: 'checks' },
  takeRewrite: { keys: ['y'], scope: 'checks' },
  editLine: { keys: ['e'], scope: 'checks' },
  checkAgain: { keys: ['c'], scope: 'checks' },

  start: { keys: ['Enter'], scope: 'shift' },

  closer: { keys: ['+', '='], scope: 'room' },
  wider: { keys: ['-'], scope: 'room' },

  saveRule: { keys: ['Mod+s'], scope: 'rules' },
} as const satisfies Record<string, Key>

export type Action = keyof typeof KEYS

/** After `g`, within a second. */
export const PLACES = { q: '/queue', s: '/', r: '/rooms', u: '/rules', f: '/figures' } as const

export const labels = texts(
  {
    palette: '命令面板', search: '搜索', help: '按键帮助', go: '前往 q 队列 s 开班 r 直播间 u 规则 f 数据', back: '退一步',
    next: '下一条', previous: '上一条', first: '第一条', last: '最后一条', takeIn: '放入新到', filters: '筛选',
    together: '勾选合并研判', claim: '认领或放回', play: '播放或停止', rewind: '后退 5 秒', forward: '前进 5 秒', video: '画面',
    card: '类别卡片', rewrite: '复制改写', clause: '条款原文', note: '记一笔', earlier: '本场上一条', later: '本场下一条',
    miss: '选中的话报漏', violation: '违规', lawful: '不违规', exempt: '豁免', unclear: '存疑，交第二人', escalate: '转上级',
    cue: '提示场控', attended: '已关怀', violationNext: '违规并看下一条', lawfulNext: '不违规并看下一条', undo: '撤销',
    rectify: '记录处置', tick: '勾选类别', reason: '选理由', usual: '用常用理由',
    nextFinding: '台本：下一处', previousFinding: '台本：上一处', onlyFound: '台本：只看有问题的行', takeRewrite: '台本：换成改写', editLine: '台本：改这一行', checkAgain: '台本：再检查',
    start: '开班，去队列', closer: '放大时间', wider: '缩小时间', saveRule: '保存规则',
  },
  {
    palette: 'Commands', search: 'Search', help: 'Keys', go: 'Go to q queue s shift r rooms u rules f figures', back: 'One step back',
    next: 'Next', previous: 'Previous', first: 'First', last: 'Last', takeIn: 'Take in arrivals', filters: 'Filters',
    together: 'Tick for a joint decision', claim: 'Claim or put back', play: 'Play or stop', rewind: 'Back 5 s',
    forward: 'Forward 5 s', video: 'Picture', card: 'Card of the category', rewrite: 'Copy the rewrite', clause: 'Text of the clause',
    note: 'Note', earlier: 'Earlier in this broadcast', later: 'Later in this broadcast', miss: 'Report the picked words',
    violation: 'Violation', lawful: 'No violation', exempt: 'Exempt', unclear: 'Unclear, to a second person', escalate: 'Escalate',
    cue: 'Cue the control room', attended: 'Attended', violationNext: 'Violation, then next', lawfulNext: 'No violation, then next',
    undo: 'Undo', rectify: 'Record what was done', tick: 'Tick a category', reason: 'Pick the reason', usual: 'Take the usual reason',
    nextFinding: 'Script: next finding', previousFinding: 'Script: previous finding', onlyFound: 'Script: only lines with findings',
    takeRewrite: 'Script: put the rewrite in', editLine: 'Script: edit the line', checkAgain: 'Script: check again',
    start: 'Start the shift', closer: 'Zoom in', wider: 'Zoom out', saveRule: 'Save the rule',
  },
)
