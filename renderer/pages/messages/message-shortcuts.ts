import type { PageShortcut } from '../../composables/page-shortcuts.ts'

/** Everything the Messages page does, from the keyboard. */
export interface MessageActions {
  toggleLive: () => unknown
  toggleHold: () => unknown
  toggleOrder: () => unknown
  toggleHistogram: () => unknown
  toggleSide: () => unknown
  goToOffset: () => unknown
  goToTime: () => unknown
  choosePartitions: () => unknown
  rerun: () => unknown
  cancel: () => unknown
  readAll: () => unknown
  copy: (of: 'key' | 'value') => unknown
  produceCopy: () => unknown
  stepTab: (by: number) => unknown
  close: () => unknown
  enterGrid: (step: number) => unknown
}

export function messageShortcuts(actions: MessageActions): PageShortcut[] {
  return [
    { key: 't', label: 'Live tail, on or off', run: actions.toggleLive },
    { key: ' ', shown: 'Space', label: 'Hold the live tail, or go on', run: actions.toggleHold },
    { key: 'o', label: 'Newest or oldest first', run: actions.toggleOrder },
    { key: '#', label: 'Go to an offset', run: actions.goToOffset },
    { key: '@', label: 'Go to a time', run: actions.goToTime },
    { key: 'a', label: 'Choose partitions', run: actions.choosePartitions },
    { key: 'r', label: 'Read again', run: actions.rerun },
    { key: 'x', label: 'Stop reading', run: actions.cancel },
    { key: 'e', label: 'Read on to the end', run: actions.readAll },
    { key: 'h', label: 'Time histogram', run: actions.toggleHistogram },
    { key: 'b', label: 'Record beside or below', run: actions.toggleSide },
    { key: ']', label: 'Next part of the record', run: () => actions.stepTab(1) },
    { key: '[', label: 'Part before', run: () => actions.stepTab(-1) },
    { key: 'y', label: 'Copy the value', run: () => actions.copy('value') },
    { key: 'Y', shown: 'Shift+Y', label: 'Copy the key', run: () => actions.copy('key') },
    { key: 'P', shown: 'Shift+P', label: 'Produce a copy', run: actions.produceCopy },
    { key: 'Escape', shown: 'Esc', label: 'Close the record', run: actions.close },
    { key: 'ArrowDown', label: '', run: () => actions.enterGrid(1) },
    { key: 'ArrowUp', label: '', run: () => actions.enterGrid(-1) },
    { key: 'j', label: '', run: () => actions.enterGrid(1) },
    { key: 'k', label: '', run: () => actions.enterGrid(-1) },
  ]
}
