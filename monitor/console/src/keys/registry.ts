/** Every key of the console: what it does, where it holds, what people call it. Buttons, help, palette and the clash
 * test read this; nothing else listens to the keyboard. */
import { texts } from '../i18n'

/** `any` holds everywhere; `queue` while the cockpit has the focus, `checks` on a script's page, `shift` on the page that
 * a shift starts with, `room` over a broadcast, `rules` at the workbench; `reasons` after a verdict key, in place of `queue`'s
 * digits, and `places` after `g`, for a second; `text` inside a field, with a modifier only. */
export type Scope = 'any' | 'places' | 'queue' | 'reasons' | 'checks' | 'shift' | 'room' | 'rules'

/** Under which heading help names a key: by where it holds, those of the queue by what they serve. */
export type Group = Exclude<Scope, 'reasons' | 'places'> | 'evidence' | 'decision'

export interface Key {
  /** As `KeyboardEvent.key` names it; letters are lower case, `Shift+v` and `Mod+k` (Control or Command) as written. */
  keys: readonly string[]
  scope: Scope
  /** Where it is another one than the scope's. */
  group?: Group
  /** Does holding it down repeat it? Only moves do. */
  repeats?: true
}

export const KEYS = {
  palette: { keys: ['Mod+k'], scope: 'any' },
  search: { keys: ['/'], scope: 'any' },
  help: { keys: ['h'], scope: 'any' },
  go: { keys: ['g'], scope: 'any' },
  place: { keys: ['q', 's', 'r', 'u', 'c', 'f', 'a'], scope: 'places', group: 'any' },
  back: { keys: ['Escape'], scope: 'any' },

  next: { keys: ['j', 'ArrowDown'], scope: 'queue', repeats: true },
  previous: { keys: ['k', 'ArrowUp'], scope: 'queue', repeats: true },
  first: { keys: ['Home'], scope: 'queue' },
  last: { keys: ['End'], scope: 'queue' },
  takeIn: { keys: ['r'], scope: 'queue' },
  filters: { keys: ['f'], scope: 'queue' },
  together: { keys: ['b'], scope: 'queue' },
  claim: { keys: ['c'], scope: 'queue', group: 'decision' },
  play: { keys: [' '], scope: 'queue', group: 'evidence' },
  rewind: { keys: ['ArrowLeft'], scope: 'queue', group: 'evidence', repeats: true },
  forward: { keys: ['ArrowRight'], scope: 'queue', group: 'evidence', repeats: true },
  video: { keys: ['w'], scope: 'queue', group: 'evidence' },
  card: { keys: ['i'], scope: 'queue', group: 'evidence' },
  rewrite: { keys: ['y'], scope: 'queue', group: 'evidence' },
  clause: { keys: ['l'], scope: 'queue', group: 'evidence' },
  note: { keys: ['m'], scope: 'queue', group: 'evidence' },
  earlier: { keys: ['['], scope: 'queue', group: 'evidence' },
  later: { keys: [']'], scope: 'queue', group: 'evidence' },
  miss: { keys: ['p'], scope: 'queue', group: 'evidence' },
  violation: { keys: ['v'], scope: 'queue', group: 'decision' },
  lawful: { keys: ['n'], scope: 'queue', group: 'decision' },
  exempt: { keys: ['x'], scope: 'queue', group: 'decision' },
  unclear: { keys: ['?', 'q'], scope: 'queue', group: 'decision' },
  escalate: { keys: ['e'], scope: 'queue', group: 'decision' },
  cue: { keys: ['t'], scope: 'queue', group: 'decision' },
  attended: { keys: ['a'], scope: 'queue', group: 'decision' },
  violationNext: { keys: ['Shift+v'], scope: 'queue', group: 'decision' },
  lawfulNext: { keys: ['Shift+n'], scope: 'queue', group: 'decision' },
  undo: { keys: ['u'], scope: 'queue', group: 'decision' },
  rectify: { keys: ['d'], scope: 'queue', group: 'decision' },
  tick: { keys: ['1', '2', '3', '4', '5', '6', '7', '8', '9'], scope: 'queue', group: 'decision' },

  reason: { keys: ['1', '2', '3', '4', '5', '6', '7', '8', '9'], scope: 'reasons', group: 'decision' },
  usual: { keys: ['Enter'], scope: 'reasons', group: 'decision' },

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

export const groups = texts(
  { any: '到处都能用', queue: '队列', evidence: '看这一条', decision: '研判', checks: '台本', shift: '开班', room: '直播间的一场', rules: '规则' },
  { any: 'Everywhere', queue: 'Queue', evidence: 'Evidence', decision: 'Decision', checks: 'Scripts', shift: 'Shift', room: 'A broadcast', rules: 'Rules' },
)

/** Every group with what it holds, in the order of the registry. */
export function grouped(): [Group, Action[]][] {
  const found = new Map(Object.keys(groups.zh).map((group) => [group as Group, [] as Action[]]))
  for (const [action, { scope, group }] of Object.entries(KEYS) as [Action, Key][]) found.get(group ?? (scope as Group))!.push(action)
  return [...found]
}

/** Where the keys of `place` lead. */
export const PLACES: Record<(typeof KEYS)['place']['keys'][number], string> = {
  q: '/queue', s: '/', r: '/rooms', u: '/rules', c: '/checks', f: '/figures', a: '/admin',
}

export const labels = texts(
  {
    palette: '命令面板', search: '搜索', help: '按键帮助', go: '前往，再按一个字母', place: '按 G 之后：队列、开班、直播间、规则、台本、数据、管理', back: '退一步',
    next: '下一条', previous: '上一条', first: '第一条', last: '最后一条', takeIn: '放入新到', filters: '筛选',
    together: '勾选合并研判', claim: '认领或放回', play: '播放或停止', rewind: '后退 5 秒', forward: '前进 5 秒', video: '画面',
    card: '类别卡片', rewrite: '复制改写', clause: '条款原文', note: '记一笔', earlier: '本场上一条', later: '本场下一条',
    miss: '选中的话报漏', violation: '违规', lawful: '不违规', exempt: '豁免', unclear: '存疑，交第二人', escalate: '转上级',
    cue: '提示场控', attended: '已关怀', violationNext: '违规并看下一条', lawfulNext: '不违规并看下一条', undo: '撤销',
    rectify: '记录处置', tick: '勾选类别', reason: '选理由', usual: '用常用理由',
    nextFinding: '下一处', previousFinding: '上一处', onlyFound: '只看有问题的行', takeRewrite: '换成改写', editLine: '改这一行', checkAgain: '再检查',
    start: '开班，去队列', closer: '放大时间', wider: '缩小时间', saveRule: '保存规则',
  },
  {
    palette: 'Commands', search: 'Search', help: 'Keys', go: 'Go to, and then a letter', place: 'After G: queue, shift, rooms, rules, scripts, figures, admin', back: 'One step back',
    next: 'Next', previous: 'Previous', first: 'First', last: 'Last', takeIn: 'Take in arrivals', filters: 'Filters',
    together: 'Tick for a joint decision', claim: 'Claim or put back', play: 'Play or stop', rewind: 'Back 5 s',
    forward: 'Forward 5 s', video: 'Picture', card: 'Card of the category', rewrite: 'Copy the rewrite', clause: 'Text of the clause',
    note: 'Note', earlier: 'Earlier in this broadcast', later: 'Later in this broadcast', miss: 'Report the picked words',
    violation: 'Violation', lawful: 'No violation', exempt: 'Exempt', unclear: 'Unclear, to a second person', escalate: 'Escalate',
    cue: 'Cue the control room', attended: 'Attended', violationNext: 'Violation, then next', lawfulNext: 'No violation, then next',
    undo: 'Undo', rectify: 'Record what was done', tick: 'Tick a category', reason: 'Pick the reason', usual: 'Take the usual reason',
    nextFinding: 'Next finding', previousFinding: 'Previous finding', onlyFound: 'Only lines with findings',
    takeRewrite: 'Put the rewrite in', editLine: 'Edit the line', checkAgain: 'Check again',
    start: 'Start the shift', closer: 'Zoom in', wider: 'Zoom out', saveRule: 'Save the rule',
  },
)
