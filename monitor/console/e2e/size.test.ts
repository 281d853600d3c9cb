import { readdirSync, readFileSync, statSync } from 'node:fs'

import { expect, test } from 'vitest'

const ASSETS = 'dist/assets/'

/** Everything that a chunk loads before it runs. */
function loaded(name: string, seen = new Set<string>()): Set<string> {
  if (seen.has(name)) return seen
  seen.add(name)
  const text = readFileSync(ASSETS + name, 'utf8')
  for (const [, other] of text.matchAll(/(?:from|import)\s*["']\.\/([\w.-]+\.js)["']/g)) loaded(other!, seen)
  return seen
}

test('the queue loads at most 450 kB, compressed, and none of what only other pages need', () => {
  const [, entry] = /src="\/assets\/([\w.-]+\.js)"/.exec(readFileSync('dist/index.html', 'utf8'))!
  const queue = readdirSync(ASSETS).filter((name) => /^queue-.*\.(js|css)$/.test(name))
  expect(queue.length).toBeGreaterThanOrEqual(2)
  const scripts = new Set([entry!, ...queue.filter((name) => name.endsWith('.js'))].flatMap((name) => [...loaded(name)]))
  const styles = readdirSync(ASSETS).filter((name) => /^(index|queue)-.*\.css$/.test(name))
  const bytes = [...scripts, ...styles].reduce((sum, name) => sum + statSync(`${ASSETS}${name}.gz`).size, 0)
  process.stdout.write(`queue route: ${(bytes / 1000).toFixed(0)} kB gzip in ${scripts.size} scripts\n`)
  expect(bytes).toBeLessThan(450_000)
  for (const name of scripts) expect(name).not.toMatch(/^(echarts|hls|mpegts|codemirror)/)
})
