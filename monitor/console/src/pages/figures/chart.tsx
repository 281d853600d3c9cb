/** A chart, whose code loads when the first one is shown. Readers of the screen get the table beside it instead. */
import type { EChartsCoreOption } from 'echarts/core'
import { useEffect, useRef } from 'react'

import { useLanguage } from '../../i18n'

const library = async () => {
  const [core, { BarChart, LineChart }, { GridComponent, TooltipComponent }, { SVGRenderer }] = await Promise.all([
    import('echarts/core'), import('echarts/charts'), import('echarts/components'), import('echarts/renderers')])
  core.use([BarChart, LineChart, GridComponent, TooltipComponent, SVGRenderer])
  return core.init
}

/** What ECharts says by itself is said in the language of the page. */
export function Chart({ option, height }: { option: EChartsCoreOption; height: number }) {
  const box = useRef<HTMLDivElement>(null)
  const drawn = useRef<ReturnType<Awaited<ReturnType<typeof library>>>>(null)
  const latest = useRef(option)
  latest.current = option
  const { language } = useLanguage()
  useEffect(() => {
    let gone = false
    const resized = new ResizeObserver(() => drawn.current?.resize())
    void library().then((init) => {
      if (gone || !box.current) return
      drawn.current = init(box.current, null, { renderer: 'svg', locale: language.toUpperCase() })
      drawn.current.setOption(latest.current)
      resized.observe(box.current)
    })
    return () => {
      gone = true
      resized.disconnect()
      drawn.current?.dispose()
      drawn.current = null
    }
  }, [language])
  useEffect(() => {
    drawn.current?.setOption(option, { notMerge: true })
  }, [option])
  return <div ref={box} aria-hidden="true" style={{ height }} />
}
