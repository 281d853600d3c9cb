/** A recording in every form that rooms have, made of silence: WAV, HLS with AAC, FLV. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

const RATE = 44_100
const FRAME = 1_024
/** One frame of AAC with nothing in it: one channel. */
const SILENT = Buffer.from([0x00, 0xc8, 0x00, 0x80, 0x23, 0x80])
const SEGMENT_S = 4

function wav(seconds: number): Buffer {
  const head = Buffer.alloc(44)
  const length = seconds * 8_000
  head.write('RIFF', 0)
  head.writeUInt32LE(36 + length, 4)
  head.write('WAVEfmt ', 8)
  head.writeUInt32LE(16, 16)
  head.writeUInt16LE(1, 20)
  head.writeUInt16LE(1, 22)
  head.writeUInt32LE(8_000, 24)
  head.writeUInt32LE(8_000, 28)
  head.writeUInt16LE(1, 32)
  head.writeUInt16LE(8, 34)
  head.write('data', 36)
  head.writeUInt32LE(length, 40)
  return Buffer.concat([head, Buffer.alloc(length, 128)])
}

/** With its begin as an ID3 tag, as HLS wants it. */
function aac(begin: number): Buffer {
  const length = 7 + SILENT.length
  const adts = Buffer.from([0xff, 0xf1, 0x50, 0x40 | (length >> 11), (length >> 3) & 0xff, ((length & 7) << 5) | 0x1f, 0xfc])
  const owner = Buffer.from('com.apple.streaming.transportStreamTimestamp\0')
  const stamp = Buffer.alloc(8)
  stamp.writeBigUInt64BE(BigInt(Math.round(begin * 90_000)))
  const frame = Buffer.concat([Buffer.from('PRIV'), Buffer.from([0, 0, 0, owner.length + 8, 0, 0]), owner, stamp])
  const id3 = Buffer.concat([Buffer.from('ID3'), Buffer.from([4, 0, 0, 0, 0, 0, frame.length]), frame])
  const frames = Math.round(SEGMENT_S * RATE / FRAME)
  return Buffer.concat([id3, ...Array.from({ length: frames }, () => Buffer.concat([adts, SILENT]))])
}

function playlist(seconds: number): string {
  const parts = Array.from({ length: seconds / SEGMENT_S }, (_, n) => `#EXTINF:${SEGMENT_S},\n${n}.aac`)
  return ['#EXTM3U', '#EXT-X-VERSION:3', `#EXT-X-TARGETDURATION:${SEGMENT_S}`, ...parts, '#EXT-X-ENDLIST', ''].join('\n')
}

function flv(seconds: number): Buffer {
  const tag = (ms: number, body: Buffer) => {
    const head = Buffer.from([8, 0, 0, body.length, (ms >> 16) & 0xff, (ms >> 8) & 0xff, ms & 0xff, (ms >> 24) & 0xff, 0, 0, 0])
    const size = Buffer.alloc(4)
    size.writeUInt32BE(11 + body.length)
    return Buffer.concat([head, body, size])
  }
  const setup = tag(0, Buffer.from([0xaf, 0, 0x12, 0x08]))
  const frames = Array.from({ length: Math.round(seconds * RATE / FRAME) }, (_, n) =>
    tag(Math.round(n * FRAME * 1_000 / RATE), Buffer.concat([Buffer.from([0xaf, 1]), SILENT])))
  return Buffer.concat([Buffer.from([0x46, 0x4c, 0x56, 1, 4, 0, 0, 0, 9, 0, 0, 0, 0]), setup, ...frames])
}

/** Serves them, a minute and a half long; its address. */
export async function sounding(): Promise<{ server: Server; address: string }> {
  const whole = wav(90)
  const server = createServer((asked, answer) => {
    const path = (asked.url ?? '').split('?', 1)[0]!
    const part = /(\d+)\.aac$/.exec(path)
    if (path.endsWith('.m3u8')) answer.writeHead(200, { 'Content-Type': 'application/vnd.apple.mpegurl' }).end(playlist(88))
    else if (part) answer.writeHead(200, { 'Content-Type': 'audio/aac' }).end(aac(Number(part[1]) * SEGMENT_S))
    else if (path.endsWith('.flv')) answer.writeHead(200, { 'Content-Type': 'video/x-flv' }).end(flv(30))
    else if (path.endsWith('.wav')) {
      const from = Number(/bytes=(\d+)-/.exec(asked.headers.range ?? '')?.[1] ?? 0)
      answer.writeHead(206, { 'Content-Type': 'audio/wav', 'Accept-Ranges': 'bytes', 'Content-Range': `bytes ${from}-${whole.length - 1}/${whole.length}` }).end(whole.subarray(from))
    } else answer.writeHead(404).end()
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  return { server, address: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}
