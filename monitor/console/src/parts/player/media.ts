/** Where a recording or a live stream comes from, and how a video element is given it. What plays HLS and FLV is loaded only then. */

export type Kind = 'hls' | 'flv' | 'file'

export interface Source {
  /** As of this origin: the service passes it on. */
  url: string
  kind: Kind
  /** Seconds into what comes, where it begins to play. */
  start: number
  /** UTC ms of the first second of what comes; null: not known, as of a live stream. */
  zero: number | null
}

export interface Moment {
  room: string
  broadcast: string
  /** As the room's record names it. */
  address: string
  /** Of the words, since the broadcast began (ms). */
  offset: number | null
  /** UTC ms of the words. */
  at: number
}

const BEFORE_MS = 10_000

/** From ten seconds before the words, where that can be. */
export function sourceOf({ room, broadcast, address, offset, at }: Moment): Source {
  const from = Math.max(0, (offset ?? 0) - BEFORE_MS)
  const begins = address.includes('{offset_s}') // it comes from there on; else it comes whole
  const query = new URLSearchParams({ ...(broadcast ? { broadcast } : {}), offset_ms: String(begins ? from : 0) })
  const kind = kindOf(address)
  const live = kind === 'flv' && !begins && !address.includes('{broadcast}')
  return {
    url: `/api/v1/rooms/${encodeURIComponent(room)}/media?${query}`, kind, start: begins || live ? 0 : from / 1_000,
    zero: offset === null || live ? null : begins ? at - offset + Math.floor(from / 1_000) * 1_000 : at - offset,
  }
}

export function kindOf(address: string): Kind {
  const path = address.split(/[?#]/, 1)[0]!.toLowerCase()
  return path.endsWith('.m3u8') ? 'hls' : path.endsWith('.flv') ? 'flv' : 'file'
}

/** Gives the source to the element; what it returns takes it away again. `onTrouble`: it does not play. */
export async function attach(video: HTMLVideoElement, source: Source, onTrouble: () => void): Promise<() => void> {
  if (source.kind === 'hls') return attachHls(video, source, onTrouble)
  if (source.kind === 'flv') return attachFlv(video, source, onTrouble)
  const seek = () => {
    if (source.start && (!Number.isFinite(video.duration) || source.start < video.duration)) video.currentTime = source.start
  }
  video.addEventListener('loadedmetadata', seek, { once: true })
  video.addEventListener('error', onTrouble)
  video.src = source.url
  return () => {
    video.removeEventListener('loadedmetadata', seek)
    video.removeEventListener('error', onTrouble)
    video.removeAttribute('src')
    video.load()
  }
}

async function attachHls(video: HTMLVideoElement, source: Source, onTrouble: () => void): Promise<() => void> {
  const { default: Hls } = await import('hls.js/light')
  if (!Hls.isSupported()) return attach(video, { ...source, kind: 'file' }, onTrouble) // an iPhone plays it by itself
  const hls = new Hls({
    enableWorker: false, autoStartLoad: false, startPosition: source.start,
    enableDateRangeMetadataCues: false, enableEmsgMetadataCues: false, enableID3MetadataCues: false, // their tracks are `data:`
  })
  hls.on(Hls.Events.ERROR, (_, error) => error.fatal && onTrouble())
  hls.on(Hls.Events.MANIFEST_PARSED, () => hls.startLoad(source.start))
  hls.once(Hls.Events.LEVEL_LOADED, (_, { details }) => {
    if (details.live && details.edge < source.start) hls.startLoad(-1) // it holds the latest part only
  })
  hls.loadSource(source.url)
  hls.attachMedia(video)
  return () => hls.destroy()
}

async function attachFlv(video: HTMLVideoElement, source: Source, onTrouble: () => void): Promise<() => void> {
  const { default: mpegts } = await import('mpegts.js')
  mpegts.LoggingControl.enableAll = false
  const isLive = source.zero === null || source.start === 0
  const player = mpegts.createPlayer({ type: 'flv', isLive, url: source.url }, { enableWorker: false, lazyLoad: false })
  player.on(mpegts.Events.ERROR, onTrouble)
  player.attachMediaElement(video)
  player.load()
  if (source.start) video.currentTime = source.start
  return () => player.destroy()
}

/** Why it does not play, in the service's words; "": the service gives it, so the browser cannot. */
export async function whyNot({ url }: Source): Promise<string> {
  const stop = new AbortController()
  try {
    const answer = await fetch(url, { headers: { Range: 'bytes=0-0', 'Accept-Language': document.documentElement.lang }, signal: stop.signal })
    if (answer.ok) return ''
    const { error } = (await answer.json()) as { error: { message: string; hint: string } }
    return `${error.message} ${error.hint}`.trim()
  } catch (error) {
    return String(error)
  } finally {
    stop.abort()
  }
}
