/** As much YAML as a routing tree needs: mappings, sequences, words, numbers, true and false; no anchors, no tags. */

export type Node = string | number | boolean | null | Node[] | { [key: string]: Node }

export class YamlFault extends Error {
  constructor(readonly line: number, message: string) {
    super(message)
  }
}

const PLAIN = /^[\p{L}\p{N}_][\p{L}\p{N}_./ -]*$/u
const WORDS: Record<string, Node> = { true: true, false: false, null: null, '~': null }

function scalar(value: string): string {
  return PLAIN.test(value) && !(value in WORDS) && Number.isNaN(Number(value)) && value === value.trim() ? value : JSON.stringify(value)
}

const flat = (nodes: Node[]): boolean => nodes.every((each) => typeof each !== 'object' || each === null)

/** Does it take lines of its own? */
const tall = (node: Node): boolean => typeof node === 'object' && node !== null && (Array.isArray(node) ? !flat(node) : Object.keys(node).length > 0)

export function written(node: Node, indent = ''): string {
  if (Array.isArray(node)) {
    if (node.length === 0) return '[]'
    if (flat(node)) return `[${node.map((each) => written(each)).join(', ')}]`
    return node.map((each) => `${indent}- ${written(each, `${indent}  `).trimStart()}`).join('\n')
  }
  if (typeof node === 'object' && node !== null)
    return Object.keys(node).length === 0 ? '{}' : Object.entries(node).map(([key, value]) => {
      const inner = written(value, `${indent}  `)
      return `${indent}${scalar(key)}:${tall(value) ? `\n${inner}` : ` ${inner}`}`
    }).join('\n')
  return typeof node === 'string' ? scalar(node) : String(node)
}

interface Line {
  number: number
  indent: number
  text: string
}

/** Up to a comment: `#` at the begin or behind a space, in no quotes. */
const COMMENTED = /^(?:"(?:[^"\\]|\\.)*"|'[^']*'|(?!(?:^|(?<=\s))#).)*/u

export function read(source: string): Node {
  const lines: Line[] = []
  for (const [n, raw] of source.split('\n').entries()) {
    const text = COMMENTED.exec(raw)![0].trimEnd()
    if (!text.trim()) continue
    if (/^\s*\t/.test(text)) throw new YamlFault(n + 1, 'tab')
    lines.push({ number: n + 1, indent: text.length - text.trimStart().length, text: text.trim() })
  }
  if (lines.length === 0) return {}
  const [node, next] = block(lines, 0, lines[0]!.indent)
  if (next < lines.length) throw new YamlFault(lines[next]!.number, 'indent')
  return node
}

function block(lines: Line[], at: number, indent: number): [Node, number] {
  const first = lines[at]!
  if (first.text.startsWith('- ') || first.text === '-') return sequence(lines, at, indent)
  if (keyOf(first)) return mapping(lines, at, indent)
  return [inline(first.text, first.number), at + 1]
}

function sequence(lines: Line[], at: number, indent: number): [Node, number] {
  const found: Node[] = []
  while (at < lines.length && lines[at]!.indent === indent && /^-( |$)/.test(lines[at]!.text)) {
    const line = lines[at]!
    const rest = line.text.slice(1).trimStart()
    if (rest === '') {
      const [node, next] = below(lines, at, indent)
      found.push(node)
      at = next
    } else {
      const inner = indent + line.text.length - rest.length // what stands behind the dash begins a block of its own
      lines[at] = { ...line, indent: inner, text: rest }
      const [node, next] = block(lines, at, inner)
      found.push(node)
      at = next
    }
  }
  return [found, at]
}

function mapping(lines: Line[], at: number, indent: number): [Node, number] {
  const found: { [key: string]: Node } = {}
  while (at < lines.length && lines[at]!.indent === indent) {
    const line = lines[at]!
    const split = keyOf(line)
    if (!split) throw new YamlFault(line.number, 'key')
    const [key, rest] = split
    if (Object.hasOwn(found, key)) throw new YamlFault(line.number, 'twice')
    if (rest === '') {
      const [node, next] = below(lines, at, indent)
      found[key] = node
      at = next
    } else {
      found[key] = inline(rest, line.number)
      at++
    }
  }
  if (at < lines.length && lines[at]!.indent > indent) throw new YamlFault(lines[at]!.number, 'indent')
  return [found, at]
}

/** What is indented further; a sequence may stand at the same indent as its key. */
function below(lines: Line[], at: number, indent: number): [Node, number] {
  const next = lines[at + 1]
  if (next && (next.indent > indent || (next.indent === indent && /^-( |$)/.test(next.text) && !/^-( |$)/.test(lines[at]!.text)))) return block(lines, at + 1, next.indent)
  return [null, at + 1]
}

function keyOf(line: Line): [string, string] | null {
  const found = /^("(?:[^"\\]|\\.)*"|[^\s:[\]{}"'][^:]*?)\s*:(?:\s+(.*))?$/.exec(line.text)
  return found ? [found[1]!.startsWith('"') ? String(JSON.parse(found[1]!)) : found[1]!, found[2] ?? ''] : null
}

function inline(text: string, line: number): Node {
  if (text === '{}') return {}
  if (text.startsWith('[')) {
    if (!text.endsWith(']')) throw new YamlFault(line, 'bracket')
    return pieces(text.slice(1, -1)).map((each) => inline(each, line))
  }
  if (text.startsWith('{')) {
    if (!text.endsWith('}')) throw new YamlFault(line, 'bracket')
    return Object.fromEntries(pieces(text.slice(1, -1)).map((each) => {
      const split = keyOf({ number: line, indent: 0, text: each })
      if (!split) throw new YamlFault(line, 'key')
      return [split[0], inline(split[1], line)]
    }))
  }
  if (text.startsWith('"'))
    try {
      return JSON.parse(text) as string
    } catch {
      throw new YamlFault(line, 'quote')
    }
  if (text.startsWith("'")) {
    if (!/^'(?:[^']|'')*'$/.test(text)) throw new YamlFault(line, 'quote')
    return text.slice(1, -1).replaceAll("''", "'")
  }
  if (Object.hasOwn(WORDS, text)) return WORDS[text]!
  return text !== '' && /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text
}

/** Parts between commas that stand in no bracket and no quotes. */
function pieces(text: string): string[] {
  const found: string[] = []
  let [depth, from, quote] = [0, 0, '']
  for (const [n, sign] of [...text].entries()) {
    if (quote) quote = sign === quote ? '' : quote
    else if (sign === '"' || sign === "'") quote = sign
    else if ('[{'.includes(sign)) depth++
    else if (']}'.includes(sign)) depth--
    else if (sign === ',' && depth === 0) {
      found.push([...text].slice(from, n).join('').trim())
      from = n + 1
    }
  }
  const last = [...text].slice(from).join('').trim()
  return last ? [...found, last] : found
}
