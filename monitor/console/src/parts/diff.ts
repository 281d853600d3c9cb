/** What differs between two versions, line by line (Myers: the fewest lines that went and came). Pure. */

export interface Changed {
  /** What became of the line. */
  kind: 'same' | 'gone' | 'new'
  text: string
}

/** Beyond so many changes the middle is told as gone and come. */
const MOST = 2_000

export function difference(before: readonly string[], after: readonly string[]): Changed[] {
  let [head, tail] = [0, 0]
  const shorter = Math.min(before.length, after.length)
  while (head < shorter && before[head] === after[head]) head++
  while (tail < shorter - head && before[before.length - 1 - tail] === after[after.length - 1 - tail]) tail++
  const same = (text: string): Changed => ({ kind: 'same', text })
  return [
    ...before.slice(0, head).map(same),
    ...middle(before.slice(head, before.length - tail), after.slice(head, after.length - tail)),
    ...before.slice(before.length - tail).map(same),
  ]
}

function middle(before: readonly string[], after: readonly string[]): Changed[] {
  const steps = forward(before, after)
  if (!steps) return [...before.map((text): Changed => ({ kind: 'gone', text })), ...after.map((text): Changed => ({ kind: 'new', text }))]
  const found: Changed[] = []
  let [x, y] = [before.length, after.length]
  for (const [d, reached] of [...steps.entries()].toReversed()) {
    const at = (k: number) => reached.get(k) ?? -1
    const k = x - y
    const down = k === -d || (k !== d && at(k - 1) < at(k + 1))
    const fromX = d === 0 ? 0 : down ? at(k + 1) : at(k - 1)
    const fromY = d === 0 ? 0 : fromX - (down ? k + 1 : k - 1)
    const start = d === 0 ? 0 : down ? fromX : fromX + 1
    while (x > start) {
      found.push({ kind: 'same', text: before[--x]! })
      y--
    }
    if (d > 0) found.push(down ? { kind: 'new', text: after[fromY]! } : { kind: 'gone', text: before[fromX]! })
    ;[x, y] = [fromX, fromY]
  }
  return ordered(found.toReversed())
}

/** How far each diagonal is reached with d changes, before the d-th; null: there are too many. */
function forward(before: readonly string[], after: readonly string[]): Map<number, number>[] | null {
  const steps: Map<number, number>[] = []
  let reached = new Map<number, number>([[1, 0]])
  for (let d = 0; d <= Math.min(before.length + after.length, MOST); d++) {
    steps.push(reached)
    reached = new Map(reached)
    for (let k = -d; k <= d; k += 2) {
      const [left, right] = [reached.get(k - 1) ?? -1, reached.get(k + 1) ?? -1]
      let x = k === -d || (k !== d && left < right) ? right : left + 1
      while (x < before.length && x - k < after.length && before[x] === after[x - k]) x++
      reached.set(k, x)
      if (x >= before.length && x - k >= after.length) return steps
    }
  }
  return null
}

/** Of neighbours that changed, what went stands before what came. */
function ordered(all: readonly Changed[]): Changed[] {
  const found: Changed[] = []
  let came: Changed[] = []
  for (const each of all) {
    if (each.kind === 'new') came.push(each)
    else {
      if (each.kind === 'same') found.push(...came.splice(0))
      found.push(each)
    }
  }
  return [...found, ...came]
}

/** Lines beside a change that are shown; the others are folded. */
const AROUND = 2

/** A line, or so many that stayed as they were. */
export type Row = Changed | { kind: 'fold'; n: number }

export function folded(all: readonly Changed[]): Row[] {
  const near = new Set<number>()
  for (const [i, each] of all.entries())
    if (each.kind !== 'same') for (let j = i - AROUND; j <= i + AROUND; j++) near.add(j)
  const rows: Row[] = []
  for (const [i, each] of all.entries()) {
    const last = rows.at(-1)
    if (near.has(i)) rows.push(each)
    else if (last?.kind === 'fold') last.n++
    else rows.push({ kind: 'fold', n: 1 })
  }
  return rows
}
