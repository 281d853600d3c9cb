import react from '@vitejs/plugin-react'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import type { Plugin } from 'vite'
import { defineConfig } from 'vitest/config'

const SERVICE = process.env.REDPOST_URL ?? 'http://127.0.0.1:8321'

/** Compressed once, beside each asset: the service sends them as they lie. */
function compressed(): Plugin {
  return {
    name: 'compressed',
    apply: 'build',
    writeBundle({ dir = 'dist' }) {
      for (const name of readdirSync(join(dir, 'assets'))) {
        const path = join(dir, 'assets', name)
        const body = readFileSync(path)
        writeFileSync(`${path}.gz`, gzipSync(body, { level: 9 }))
        writeFileSync(`${path}.br`, brotliCompressSync(body))
      }
    },
  }
}

export default defineConfig({
  plugins: [react(), compressed()],
  html: { cspNonce: '__CSP_NONCE__' }, // the service puts a fresh one into every page
  build: { assetsInlineLimit: 0, chunkSizeWarningLimit: 1200, target: 'es2023' },
  server: { proxy: { '/api': SERVICE } },
  test: { include: process.env.REDPOST_BENCH ? ['bench/*.bench.ts'] : ['src/**/*.test.{ts,tsx}', 'e2e/**/*.test.ts'], testTimeout: 60_000, hookTimeout: 60_000 },
})
