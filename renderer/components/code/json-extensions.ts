import { json } from '@codemirror/lang-json'
import { HighlightStyle, syntaxHighlighting } from '@codemirror/language'
import type { Extension } from '@codemirror/state'
import { Decoration, EditorView, MatchDecorator, ViewPlugin, type DecorationSet, type ViewUpdate } from '@codemirror/view'
import { tags } from '@lezer/highlight'

/** How code looks: the tokens of the interface, so that it follows the theme by itself. */
const look = EditorView.theme({
  '&': { height: '100%', backgroundColor: 'transparent', color: 'var(--ui-text)', fontSize: '12px' },
  '&.cm-focused': { outline: 'none' },
  '.cm-scroller': { fontFamily: 'var(--font-mono)', lineHeight: '18px', fontVariantLigatures: 'none' },
  '.cm-content': { caretColor: 'var(--ui-text-highlighted)', padding: '6px 0' },
  '.cm-content:focus-visible': { outline: 'none' },
  '.cm-cursor': { borderLeftColor: 'var(--ui-text-highlighted)' },
  '.cm-gutters': { backgroundColor: 'transparent', color: 'var(--ui-text-dimmed)', border: 'none' },
  '.cm-activeLine, .cm-activeLineGutter': { backgroundColor: 'transparent' },
  '&.cm-focused .cm-activeLine': { backgroundColor: 'var(--row-hover)' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': {
    backgroundColor: 'color-mix(in srgb, var(--accent-fill) 30%, transparent)',
  },
  '.cm-foldPlaceholder': { backgroundColor: 'var(--ui-bg-elevated)', border: 'none', color: 'var(--ui-text-muted)', padding: '0 4px' },
  '.cm-panels': { backgroundColor: 'var(--ui-bg-elevated)', color: 'var(--ui-text)' },
  '.cm-matchingBracket, &.cm-focused .cm-matchingBracket': { backgroundColor: 'var(--ui-bg-accented)', outline: 'none' },
  '.cm-selectionMatch': { backgroundColor: 'var(--ui-bg-accented)' },
  '.cm-placeholder': { color: 'var(--ui-text-dimmed)' },
})

const colors = HighlightStyle.define([
  { tag: tags.propertyName, color: 'var(--accent)' },
  { tag: tags.string, color: 'var(--ui-text)' },
  { tag: [tags.number, tags.bool, tags.null], color: 'color-mix(in srgb, #a970d0 70%, var(--ui-text-highlighted))' },
  { tag: [tags.punctuation, tags.bracket, tags.separator], color: 'var(--ui-text-dimmed)' },
])

export function jsonExtensions(): Extension[] {
  return [json(), syntaxHighlighting(colors), look, EditorView.lineWrapping]
}

/** Marks what was searched for, in what is in sight. */
export function foundMarks(matcher: RegExp | null): Extension[] {
  if (matcher === null) return []
  const decorator = new MatchDecorator({ regexp: matcher, decoration: Decoration.mark({ class: 'found' }) })
  return [
    ViewPlugin.fromClass(
      class {
        decorations: DecorationSet
        constructor(view: EditorView) {
          this.decorations = decorator.createDeco(view)
        }
        update(change: ViewUpdate): void {
          this.decorations = decorator.updateDeco(change, this.decorations)
        }
      },
      { decorations: (plugin) => plugin.decorations },
    ),
  ]
}
