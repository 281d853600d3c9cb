/** Where in a rule file one writes, and what may stand there by the rule's JSON Schema. Pure. */

export interface Schema {
  properties?: Record<string, Schema>
  additionalProperties?: Schema | boolean
  items?: Schema
  oneOf?: Schema[]
  enum?: string[]
  const?: string
  type?: string
}

export interface Place {
  /** Keys from the top; `-` stands for an item. */
  path: string[]
  at: 'key' | 'value'
  /** What of the word is written already. */
  word: string
  /** Keys that stand beside it. */
  taken: string[]
}

const KEY = /^(\s*(?:- +)*)([\w-]+):(?:\s|$)/

/** From all lines up to the cursor. */
export function placeOf(before: string): Place {
  const lines = before.split('\n')
  const last = lines.at(-1) ?? ''
  const word = /[\w.-]*$/.exec(last)?.[0] ?? ''
  const rest = last.slice(0, last.length - word.length)
  const flow = openFlow(rest)
  if (flow) {
    const head = KEY.exec(last)
    const above = blockPath(lines.slice(0, -1), indentOf(last))
    const dash = /^\s*- /.test(last) ? ['-'] : []
    const own = head && rest.indexOf(flow.rest) > head[0].length - 1 ? [head[2]!] : []
    return { path: [...above, ...dash, ...own, ...flow.path], at: flow.at, word, taken: flow.taken }
  }
  const value = KEY.exec(rest)
  const path = blockPath(lines.slice(0, -1), indentOf(last) + (/^\s*- /.test(last) ? 2 : 0))
  const item = /^\s*- /.test(last) && path.at(-1) !== '-' ? ['-'] : []
  if (value) return { path: [...path, ...item, value[2]!], at: 'value', word, taken: [] }
  return { path: [...path, ...item], at: item.length && !value ? 'value' : 'key', word, taken: siblings(lines.slice(0, -1), indentOf(last)) }
}

const indentOf = (line: string) => /^\s*/.exec(line)![0].length

/** Keys above, each less indented than the one below. */
function blockPath(lines: readonly string[], indent: number): string[] {
  const path: string[] = []
  let limit = indent
  for (const line of lines.toReversed()) {
    if (!line.trim() || line.trim().startsWith('#')) continue
    const found = KEY.exec(line)
    const at = indentOf(line)
    if (found && at < limit) {
      path.unshift(found[2]!)
      limit = at
      if (/^\s*- /.test(line)) path.unshift('-')
    }
    if (limit === 0) break
  }
  return path
}

function siblings(lines: readonly string[], indent: number): string[] {
  const found: string[] = []
  for (const line of lines.toReversed()) {
    if (!line.trim()) continue
    if (indentOf(line) < indent) break
    const key = KEY.exec(line)
    if (key && indentOf(line) === indent) found.push(key[2]!)
  }
  return found
}

/** Inside `{…` or `[…` of one line: the keys that lead there. */
function openFlow(rest: string): { path: string[]; at: 'key' | 'value'; taken: string[]; rest: string } | null {
  const open: { mark: string; key: string; taken: string[]; from: number }[] = []
  let [key, quote] = ['', '']
  for (let i = 0; i < rest.length; i++) {
    const mark = rest[i]!
    if (quote) {
      if (mark === quote) quote = ''
    } else if (mark === '"' || mark === "'") quote = mark
    else if (mark === '{' || mark === '[') {
      open.push({ mark, key, taken: [], from: i })
      key = ''
    } else if (mark === '}' || mark === ']') {
      open.pop()
      key = ''
    } else if (mark === ',') key = ''
    else if (mark === ':' && open.length && /[\s]|$/.test(rest[i + 1] ?? ' ')) {
      key = /([\w-]+)\s*$/.exec(rest.slice(0, i))?.[1] ?? ''
      open.at(-1)!.taken.push(key)
    }
  }
  const top = open[0]
  if (!top || quote) return null
  const path: string[] = []
  for (const [i, { mark }] of open.entries()) {
    if (i > 0 && open[i]!.key) path.push(open[i]!.key)
    if (mark === '[') path.push('-')
  }
  if (key) return { path: [...path, key], at: 'value', taken: [], rest: rest.slice(top.from) }
  const last = open.at(-1)!
  return { path, at: last.mark === '[' ? 'value' : 'key', taken: last.taken, rest: rest.slice(top.from) }
}

/** All schemas that may hold at a path: `oneOf` branches together. */
function schemasAt(schema: Schema, path: readonly string[]): Schema[] {
  let now: Schema[] = spread([schema])
  for (const step of path) {
    now = spread(now.flatMap((each) => {
      if (step === '-') return each.items ? [each.items] : []
      const known = each.properties?.[step]
      if (known) return [known]
      return typeof each.additionalProperties === 'object' ? [each.additionalProperties] : []
    }))
  }
  return now
}

const spread = (some: readonly Schema[]): Schema[] => some.flatMap((each) => [each, ...spread(each.oneOf ?? [])])

export interface Offer {
  label: string
  detail: string
  apply: string
}

export interface Vocabulary {
  schema: Schema
  clauses: Record<string, string>
  contexts: readonly string[]
  named: Record<string, string>
}

export function offers(place: Place, of: Vocabulary): Offer[] {
  const plain = (label: string, detail = ''): Offer => ({ label, detail, apply: label })
  const leaf = place.path.filter((step) => step !== '-').at(-1)
  if (place.at === 'value' && leaf && (leaf === 'clauses' || leaf === 'clause')) return Object.entries(of.clauses).map(([id, text]) => plain(id, text))
  if (place.at === 'value' && leaf === 'context') return of.contexts.map((each) => plain(each))
  const found = schemasAt(of.schema, place.path)
  if (place.at === 'key') {
    const keys = new Set(found.flatMap((each) => Object.keys(each.properties ?? {})))
    return [...keys].filter((key) => !place.taken.includes(key)).map((key) => ({ label: key, detail: '', apply: `${key}: ` }))
  }
  const values = new Set(found.flatMap((each) => [...(each.enum ?? []), ...(each.const ? [each.const] : []), ...(each.type === 'boolean' ? ['true', 'false'] : [])]))
  for (const each of found) for (const value of each.items ? schemasAt(each.items, []).flatMap((one) => one.enum ?? []) : []) values.add(value)
  return [...values].map((value) => plain(value, of.named[value] ?? ''))
}
