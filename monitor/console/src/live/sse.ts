/** Server-sent events over `fetch`: unlike `EventSource` it tells the status, and shows that the line is alive. */

export interface ServerEvent {
  id: string
  event: string
  data: string
}

/** Whole events from pieces of text. `onPing`: a comment, which only says that the line is alive. */
export class Parser {
  private rest = ''
  private fields: Record<string, string> = {}

  constructor(private readonly onEvent: (event: ServerEvent) => void, private readonly onPing: () => void) {}

  feed(text: string): void {
    const lines = (this.rest + text).split('\n')
    this.rest = lines.pop() ?? ''
    for (const line of lines) this.line(line.endsWith('\r') ? line.slice(0, -1) : line)
  }

  private line(line: string): void {
    if (line === '') {
      const { id = '', event = 'message', data } = this.fields
      this.fields = {}
      if (data !== undefined) this.onEvent({ id, event, data })
      return
    }
    if (line.startsWith(':')) return this.onPing()
    const [, name, value] = /^([^:]*):? ?(.*)$/s.exec(line) ?? []
    if (!name) return
    const before = name === 'data' ? this.fields.data : undefined
    this.fields[name] = before === undefined ? (value ?? '') : `${before}\n${value}`
  }
}
