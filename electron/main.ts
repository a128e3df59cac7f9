import { runDesktop } from './desktop.ts'

runDesktop({ folder: import.meta.dirname })
