/** From a keyboard event to the name of a key in the registry. */

export interface Stroke {
  key: string
  code: string
  keyCode: number
  shiftKey: boolean
  ctrlKey: boolean
  metaKey: boolean
  altKey: boolean
  isComposing: boolean
  editable: boolean
}

const MARKS: Record<string, string> = { '？': '?', '、': '/', '【': '[', '】': ']', '／': '/' }
const CODES: Record<string, string> = {
  Slash: '/', BracketLeft: '[', BracketRight: ']', Space: ' ', Enter: 'Enter', Escape: 'Escape',
}

/** `null`: not ours. While an input method composes nothing is, Escape and Enter included; WebKit reports the Enter
 * that confirms with key code 229 and `isComposing` false. */
export function pressed(stroke: Stroke): string | null {
  const { key, editable } = stroke
  if (stroke.isComposing || (editable && stroke.keyCode === 229)) return null
  if (stroke.altKey) return null
  const mod = stroke.ctrlKey || stroke.metaKey
  if (editable && !mod && key !== 'Escape') return null
  const name = key === 'Process' || stroke.keyCode === 229 || key === 'Unidentified' ? byCode(stroke) : plain(key)
  if (name === null) return null
  if (mod) return stroke.shiftKey ? null : `Mod+${name.toLowerCase()}`
  if (/^[a-z]$/i.test(name)) return stroke.shiftKey ? `Shift+${name.toLowerCase()}` : name.toLowerCase()
  return name
}

function plain(key: string): string | null {
  if (key === 'Dead' || key === 'Shift' || key === 'Control' || key === 'Meta' || key === 'CapsLock') return null
  return MARKS[key] ?? key.normalize('NFKC')
}

/** An input method is on but nothing composes, as some do with the focus outside of fields: the code is good then. */
function byCode({ code, shiftKey }: Stroke): string | null {
  if (/^Key[A-Z]$/.test(code)) return code.slice(3)
  if (/^(Digit|Numpad)\d$/.test(code)) return code.slice(-1)
  if (code === 'Slash' && shiftKey) return '?'
  return CODES[code] ?? null
}
