/**
 * `npm run icons`: draws build/icons/icon.svg in every size and packs the containers that Windows and macOS want. Both hold plain
 * PNG files since Windows Vista and OS X 10.7. Run after changing the drawing; the results are committed.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { chromium } from 'playwright'

const folder = join(import.meta.dirname, 'icons')
const icoSizes = [16, 24, 32, 48, 64, 128, 256]
const icnsTypes: Readonly<Record<string, number>> = { icp4: 16, icp5: 32, ic07: 128, ic08: 256, ic09: 512, ic10: 1024 }

async function draw(svg: string, sizes: readonly number[]): Promise<ReadonlyMap<number, Buffer>> {
  const browser = await chromium.launch({ executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium', args: ['--no-sandbox'] })
  try {
    const drawn = new Map<number, Buffer>()
    for (const size of sizes) {
      const page = await browser.newPage({ viewport: { width: size, height: size } })
      await page.setContent(`<style>*{margin:0}svg{display:block;width:${size}px;height:${size}px}</style>${svg}`)
      drawn.set(size, await page.screenshot({ omitBackground: true }))
      await page.close()
    }
    return drawn
  } finally {
    await browser.close()
  }
}

function pngOf(drawn: ReadonlyMap<number, Buffer>, size: number): Buffer {
  const png = drawn.get(size)
  if (png === undefined) throw new Error(`no drawing of ${size} pixels`)
  return png
}

function ico(drawn: ReadonlyMap<number, Buffer>): Buffer {
  const headerBytes = 6
  const entryBytes = 16
  const header = Buffer.alloc(headerBytes)
  header.writeUInt16LE(1, 2)
  header.writeUInt16LE(icoSizes.length, 4)
  let position = headerBytes + entryBytes * icoSizes.length
  const entries = icoSizes.map((size) => {
    const png = pngOf(drawn, size)
    const entry = Buffer.alloc(entryBytes)
    // 0 stands for 256.
    entry.writeUInt8(size % 256, 0)
    entry.writeUInt8(size % 256, 1)
    entry.writeUInt16LE(1, 4)
    entry.writeUInt16LE(32, 6)
    entry.writeUInt32LE(png.length, 8)
    entry.writeUInt32LE(position, 12)
    position += png.length
    return entry
  })
  return Buffer.concat([header, ...entries, ...icoSizes.map((size) => pngOf(drawn, size))])
}

function icns(drawn: ReadonlyMap<number, Buffer>): Buffer {
  const chunk = (type: string, content: Buffer): Buffer => {
    const head = Buffer.alloc(8)
    head.write(type, 0, 'latin1')
    head.writeUInt32BE(content.length + head.length, 4)
    return Buffer.concat([head, content])
  }
  return chunk('icns', Buffer.concat(Object.entries(icnsTypes).map(([type, size]) => chunk(type, pngOf(drawn, size)))))
}

const svg = await readFile(join(folder, 'icon.svg'), 'utf8')
const drawn = await draw(svg, [...new Set([...icoSizes, ...Object.values(icnsTypes)])])
await writeFile(join(folder, 'icon.png'), pngOf(drawn, 1024))
await writeFile(join(folder, 'tray.png'), pngOf(drawn, 16))
await writeFile(join(folder, 'tray@2x.png'), pngOf(drawn, 32))
await writeFile(join(folder, 'icon.ico'), ico(drawn))
await writeFile(join(folder, 'icon.icns'), icns(drawn))
