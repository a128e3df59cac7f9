import type { Configuration } from 'electron-builder'

/**
 * `npm run dist`: installers from what `npm run build` made. Native packages bring their own prebuilt binaries, so nothing is compiled; they
 * cannot be loaded from inside the archive, so they are unpacked beside it. Brokers run Electron's binary as Node: that fuse stays on.
 */
export const packaging = {
  appId: 'io.github.weir.console',
  productName: 'Weir',
  copyright: 'Apache-2.0',
  directories: { output: 'dist', buildResources: 'build/icons' },
  files: ['out/**/*', '!out/stamp-*.json', '!**/*.map', 'package.json', 'LICENSE'],
  asar: true,
  asarUnpack: ['**/*.node', 'node_modules/better-sqlite3/**/*'],
  npmRebuild: false,
  electronFuses: {
    runAsNode: true,
    enableCookieEncryption: true,
    enableNodeOptionsEnvironmentVariable: false,
    enableNodeCliInspectArguments: false,
  },
  linux: { target: ['AppImage', 'deb'], category: 'Development', icon: 'build/icons/icon.png', executableName: 'weir', maintainer: 'Weir' },
  mac: { target: ['dmg', 'zip'], category: 'public.app-category.developer-tools', icon: 'build/icons/icon.icns' },
  win: { target: ['nsis'], icon: 'build/icons/icon.ico' },
  nsis: { oneClick: false, allowToChangeInstallationDirectory: true },
} satisfies Configuration
