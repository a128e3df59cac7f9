/** Answers what the page may ask of the desktop, and nothing to anyone but our own page. */
import { open, writeFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { clipboard, dialog, ipcMain, Notification, shell, type IpcMainInvokeEvent } from 'electron'
import type { OpenedFile, Shell } from '../broker/contract/shell.ts'
import { shellCalls } from './channels.ts'
import { openExternalLink } from './external-links.ts'
import { isOurs } from './hardening.ts'

const textLengthMax = 64 * 1024 * 1024
const fileBytesMax = 512 * 1024 * 1024

type Calls = { readonly [Name in keyof typeof shellCalls]: (...parameters: readonly unknown[]) => ReturnType<Shell[Name]> }

export function answerShellCalls(options: { readonly dataDirectory: () => string | null }): void {
  const calls: Calls = {
    openExternal: async (url) => typeof url === 'string' && openExternalLink(url),
    copyText: async (text) => {
      if (typeof text === 'string' && text.length <= textLengthMax) await clipboard.writeText(text)
    },
    saveFile: async (name, content) => saveFile(name, content),
    openFile: async (asked) => openFile(asked),
    notify: async (title, body) => {
      if (Notification.isSupported()) new Notification({ title: String(title).slice(0, 200), body: String(body).slice(0, 1000) }).show()
    },
    revealDataDirectory: async () => {
      const directory = options.dataDirectory()
      return directory !== null && (await shell.openPath(directory)) === ''
    },
  }
  for (const [name, channel] of Object.entries(shellCalls) as [keyof Calls, string][]) {
    ipcMain.handle(channel, (event, ...parameters: unknown[]) => {
      if (!isFromOurPage(event)) throw new Error('Only the console itself may ask this.')
      return calls[name](...parameters)
    })
  }
}

function isFromOurPage({ senderFrame }: IpcMainInvokeEvent): boolean {
  return senderFrame !== null && senderFrame.parent === null && isOurs(senderFrame.url)
}

async function saveFile(name: unknown, content: unknown): Promise<string | null> {
  if (!(content instanceof Uint8Array)) throw new Error('A file is saved from bytes.')
  const { canceled, filePath } = await dialog.showSaveDialog({ defaultPath: basename(String(name)) })
  if (canceled || filePath === '') return null
  await writeFile(filePath, content)
  return filePath
}

async function openFile(asked: unknown): Promise<OpenedFile | null> {
  const { bytesMax, extensions } = (asked ?? {}) as Parameters<Shell['openFile']>[0]
  const limit = Math.min(Number.isSafeInteger(bytesMax) && bytesMax > 0 ? bytesMax : fileBytesMax, fileBytesMax)
  const filters = extensions === undefined ? [] : [{ name: extensions.join(', '), extensions: extensions.map(String) }]
  const { canceled, filePaths } = await dialog.showOpenDialog({ properties: ['openFile'], filters })
  const path = filePaths[0]
  return canceled || path === undefined ? null : readAtMost(path, limit)
}

async function readAtMost(path: string, bytesMax: number): Promise<OpenedFile> {
  const file = await open(path)
  try {
    const { size } = await file.stat()
    const content = Buffer.alloc(Math.min(size, bytesMax))
    const { bytesRead } = await file.read(content, 0, content.length, 0)
    return { name: basename(path), content: content.subarray(0, bytesRead), isTruncated: size > bytesMax }
  } finally {
    await file.close()
  }
}
