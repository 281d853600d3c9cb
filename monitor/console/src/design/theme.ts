import { theme as antd, type ThemeConfig } from 'antd'

import { FONTS, PALETTES, type ThemeName } from './tokens'

/** Ant Design in our palette. Explicit map and alias tokens in both themes: the dark algorithm alters seeds. */
export function themeOf(name: ThemeName): ThemeConfig {
  const p = PALETTES[name]
  const dark = name === 'dark'
  return {
    algorithm: dark ? antd.darkAlgorithm : antd.defaultAlgorithm,
    cssVar: { key: 'redpost' },
    token: {
      colorPrimary: p.ink, colorInfo: p.ink, colorLink: p.ink, colorLinkHover: p.ink, colorSuccess: p.ink,
      colorWarning: p.ink, colorError: p.ink,
      colorPrimaryHover: p.text2, colorPrimaryActive: p.text1, colorPrimaryBorder: p.edge, colorPrimaryText: p.ink,
      colorTextLightSolid: dark ? p.panel : '#FFFFFF',
      colorBgLayout: p.page, colorBgContainer: p.panel, colorBgElevated: p.panel, colorBgSpotlight: dark ? p.selected : p.ink,
      colorBorder: p.edge, colorBorderSecondary: p.hairline, colorSplit: p.hairline,
      colorText: p.text1, colorTextSecondary: p.text2, colorTextTertiary: p.text3, colorTextQuaternary: p.text3,
      colorTextPlaceholder: p.text3, colorTextDescription: p.text3, colorTextHeading: p.text1, colorTextLabel: p.text2,
      colorTextDisabled: p.text3,
      controlItemBgHover: p.hover, controlItemBgActive: p.selected, controlItemBgActiveHover: p.selected,
      fontFamily: FONTS, fontSize: 14, borderRadius: 6, controlHeight: 32, lineWidthFocus: 2, motion: false,
    },
    components: { Tooltip: { colorTextLightSolid: dark ? p.text1 : '#FFFFFF' } },
  }
}
