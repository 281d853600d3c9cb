/** How charts look: greys, named beside them, no motion. */
import type { Palette } from '../../design/tokens'
import { FONTS } from '../../design/tokens'

const axes = (p: Palette, labels: string[]) => ({
  animation: false,
  textStyle: { fontFamily: FONTS, color: p.text2, fontSize: 12 },
  tooltip: { trigger: 'axis' as const, renderMode: 'richText' as const, transitionDuration: 0, confine: true, backgroundColor: p.panel, borderColor: p.edge, textStyle: { color: p.text1, fontSize: 12 }, axisPointer: { type: 'line' as const, lineStyle: { color: p.edge } } },
  xAxis: { type: 'category' as const, data: labels, axisLine: { lineStyle: { color: p.edge } }, axisTick: { show: false }, axisLabel: { color: p.text3, hideOverlap: true } },
  yAxis: { type: 'value' as const, minInterval: 1, splitNumber: 3, axisLabel: { color: p.text3 }, splitLine: { lineStyle: { color: p.hairline } } },
})

const GRID = { left: 4, right: 4, top: 8, bottom: 4, outerBoundsMode: 'same', outerBounds: { left: 4, right: 4, top: 8, bottom: 4 } }

/** Bars of all; where a category is picked, its own in front of them. */
export function over(p: Palette, labels: string[], all: number[], picked: number[] | null) {
  return {
    ...axes(p, labels),
    grid: GRID,
    series: [
      { type: 'bar', data: all, barCategoryGap: '20%', itemStyle: { color: picked ? p.hairline : p.edge } },
      ...(picked ? [{ type: 'bar', data: picked, barGap: '-100%', itemStyle: { color: p.ink } }] : []),
    ],
  }
}

const DASHES = ['solid', 'dashed', 'dotted'] as const

/** How the line of the n-th post looks, in the chart and beside its name. */
export const lineOf = (p: Palette, n: number) => ({ color: [p.ink, p.text3, p.edge][n % 3]!, type: DASHES[Math.floor(n / 3 + n) % 3]! })

export function posts(p: Palette, labels: string[], found: { name: string; decided: number[] }[]) {
  return {
    ...axes(p, labels), grid: GRID,
    series: found.map(({ name, decided }, n) => {
      const { color, type } = lineOf(p, n)
      return { type: 'line', name, data: decided, symbol: 'circle', symbolSize: 5, showSymbol: decided.length < 3, lineStyle: { width: 2, color, type }, itemStyle: { color } }
    }),
  }
}
