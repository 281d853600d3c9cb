import { memo } from 'react'

const HEIGHT = 28
const STEP = 8
/** From so many findings a minute on a bar is as high as it gets. */
const FULL = 6

/** Findings by the minute: how many is the height, how grave the colour. What it shows is told in words beside it. */
export const Pulse = memo(function Pulse({ findings, worst }: { findings: readonly number[]; worst: readonly number[] }) {
  return (
    <svg className="pulse" viewBox={`0 0 ${findings.length * STEP} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
      <line x1="0" x2={findings.length * STEP} y1={HEIGHT - 0.5} y2={HEIGHT - 0.5} className="pulse-floor" />
      {findings.map((count, n) => {
        const height = Math.max(6, (Math.min(count, FULL) / FULL) * HEIGHT)
        // oxlint-disable-next-line react/no-array-index-key -- a minute has no other name
        return count ? <rect key={n} x={n * STEP + 1} width={STEP - 2} y={HEIGHT - height} height={height} style={{ fill: `var(--sev-${worst[n] || 1}-line)` }} /> : null
      })}
    </svg>
  )
})
