import { useEffect, useMemo, useRef, useState } from 'react'

import { texts, useTexts } from '../../i18n'
import { useKeys } from '../../keys'
import type { Scope } from '../../keys/registry'
import { attach, sourceOf, whyNot, type Moment } from './media'
import './player.css'

const TEXT = texts(
  {
    play: '播放', from: '从这句前 10 秒起', live: '直播声音', larger: '放大画面', smaller: '缩回', seconds: '5 秒', loading: '正在接通', player: '录音录像',
    cannot: '浏览器放不了这种格式', trouble: '放不出来：{why}', again: '重试',
  },
  {
    play: 'Play', from: 'from 10 s before the words', live: 'live sound', larger: 'larger picture', smaller: 'smaller picture', seconds: '5 s', loading: 'Connecting', player: 'Recording',
    cannot: 'the browser cannot play this format', trouble: 'It does not play: {why}', again: 'Try again',
  },
)

const STEP_S = 5

/** The recording around some words, or the live sound. Nothing plays, and nothing is loaded, until somebody wants it.
 * `onHeard`: UTC ms of what is heard now; null: nothing, or it is not known. */
export function Player({ moment, scope, onHeard }: { moment: Moment; scope: Scope; onHeard?: (at: number | null) => void }) {
  const t = useTexts(TEXT)
  const video = useRef<HTMLVideoElement>(null)
  const detach = useRef<(() => void) | null>(null)
  const [state, setState] = useState<'still' | 'loading' | 'there' | 'failed'>('still')
  const [picture, setPicture] = useState(false)
  const [wide, setWide] = useState(false)
  const [why, setWhy] = useState('')
  const { room, broadcast, address, offset, at } = moment
  const source = useMemo(() => sourceOf({ room, broadcast, address, offset, at }), [room, broadcast, address, offset, at])
  useEffect(() => () => {
    detach.current?.()
    detach.current = null
  }, [source])

  const begin = async () => {
    const element = video.current
    if (!element || state === 'loading') return
    detach.current?.()
    setState('loading')
    detach.current = await attach(element, source, () => {
      detach.current?.()
      detach.current = null
      setState('failed')
      void whyNot(source).then((told) => setWhy(told || t('cannot')))
    })
    setState((now) => (now === 'loading' ? 'there' : now))
    void element.play().catch(() => {}) // what is wrong is told by the element's error
  }
  const play = () => {
    const element = video.current
    if (state === 'still' || state === 'failed' || !element) return void begin()
    if (element.paused) void element.play().catch(() => {})
    else element.pause()
  }
  const step = (by: number) => () => {
    if (state !== 'there' || !video.current) return false
    video.current.currentTime = Math.max(0, video.current.currentTime + by)
    return true
  }
  useKeys({
    play, rewind: step(-STEP_S), forward: step(STEP_S),
    video: () => (picture ? setWide((now) => !now) : false),
  }, [scope])
  useKeys({ back: () => setWide(false) }, wide ? ['any'] : [])

  const { zero } = source
  return (
    <figure className={`player${picture ? ' picture' : ''}${wide ? ' wide' : ''}`} aria-label={t('player')}>
      {(state === 'still' || state === 'failed') && <button type="button" className="plain player-begin" onClick={play}><kbd>␣</kbd> ▶ {state === 'failed' ? t('again') : t('play')}</button>}
      {/* oxlint-disable-next-line jsx-a11y/media-has-caption -- the transcript below is its caption */}
      <video ref={video} hidden={state === 'still' || state === 'failed'} controls preload="none" playsInline
        onLoadedMetadata={(event) => setPicture(event.currentTarget.videoWidth > 0)}
        onPause={() => onHeard?.(null)}
        onTimeUpdate={(event) => onHeard?.(zero === null || event.currentTarget.paused ? null : zero + event.currentTarget.currentTime * 1_000)} />
      <figcaption className="meta">
        {state === 'loading' ? t('loading') : zero === null ? t('live') : t('from')} · <kbd>←</kbd> <kbd>→</kbd> {t('seconds')}
        {picture && <> · <button type="button" className="plain meta" aria-pressed={wide} onClick={() => setWide(!wide)}><kbd>W</kbd> {wide ? t('smaller') : t('larger')}</button></>}
      </figcaption>
      {state === 'failed' && <p className="small player-trouble" role="alert">{t('trouble', { why })}</p>}
    </figure>
  )
}
