/** Every colour of the console, in both themes. Ratios are WCAG 2 contrast on the panel. */

export type ThemeName = 'light' | 'dark'

export interface Level {
  /** Chip's fill; none: outlined. */
  fill: string
  /** Text on the fill, or on the panel where it is outlined (≥ 6). */
  text: string
  /** Bars, underlines, edges (≥ 4.7 on panel and selected). */
  line: string
  /** Behind words; `text1` on it is ≥ 10. */
  tint: string
}

export interface Palette {
  page: string
  panel: string
  hover: string
  selected: string
  hairline: string
  text1: string
  text2: string
  text3: string
  ink: string
  edge: string
  levels: Record<1 | 2 | 3 | 4 | 5, Level>
}

export const PALETTES: Record<ThemeName, Palette> = {
  light: {
    page: '#F3F4F6', panel: '#FFFFFF', hover: '#ECEEF1', selected: '#E1E5EA', hairline: '#D4D8DD',
    text1: '#1A1E23', text2: '#454D57', text3: '#596270', ink: '#262C33', edge: '#7D8590',
    levels: {
      5: { fill: '#B0101C', text: '#FFFFFF', line: '#B0101C', tint: '#FBE4E4' },
      4: { fill: '#F28B2C', text: '#1A1E23', line: '#B34700', tint: '#FDEBDD' },
      3: { fill: '#F7D34A', text: '#1A1E23', line: '#806000', tint: '#FAF3D0' },
      2: { fill: 'transparent', text: '#2B659B', line: '#2B659B', tint: '#E4EEF7' },
      1: { fill: 'transparent', text: '#5A636E', line: '#5A636E', tint: '#ECEEF1' },
    },
  },
  dark: {
    page: '#111316', panel: '#191C20', hover: '#22262B', selected: '#2C3239', hairline: '#353B43',
    text1: '#E6E8EB', text2: '#B6BDC6', text3: '#98A1AC', ink: '#DDE1E6', edge: '#77808B',
    levels: {
      5: { fill: '#FF6B6E', text: '#1A0507', line: '#FF6B6E', tint: '#4A1C20' },
      4: { fill: '#FF9447', text: '#1D0D02', line: '#FF9447', tint: '#452810' },
      3: { fill: '#F7DC6F', text: '#1A1402', line: '#F7DC6F', tint: '#3B330F' },
      2: { fill: 'transparent', text: '#7DB4E8', line: '#7DB4E8', tint: '#172F45' },
      1: { fill: 'transparent', text: '#A7AFB9', line: '#A7AFB9', tint: '#2A2F36' },
    },
  },
}

export const FONTS =
  '"Punct SC", -apple-system, "Segoe UI", Roboto, "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif'

/** The palette as CSS variables: `--page`, …, `--sev-5-fill`, … */
export function variables(name: ThemeName): Record<string, string> {
  const { levels, ...surfaces } = PALETTES[name]
  const found = Object.entries(surfaces).map(([key, value]) => [`--${key}`, value])
  for (const [level, colours] of Object.entries(levels))
    for (const [key, value] of Object.entries(colours)) found.push([`--sev-${level}-${key}`, value as string])
  return Object.fromEntries(found) as Record<string, string>
}
