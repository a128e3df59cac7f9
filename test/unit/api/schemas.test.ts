import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { allApis, isFlexible, isValidVersion, schemas } from '../../../broker/api/schemas.ts'
import { boundsOf, isInRange, type Message } from '../../../broker/wire/schema.ts'
import { layoutAtVersion, parseLayouts, sameVersions, schemaAtVersion } from '../../support/wire/layouts.ts'
import { allMessages, versionsOf } from '../../support/wire/messages.ts'

const layoutsFile = join(import.meta.dirname, '../../../../shared/reference/kafka-4.3-wire-layouts.txt')

describe('the set of APIs', () => {
  it('has every key once, under its name', () => {
    expect(schemas.size).toBe(allApis.length)
    for (const api of allApis) expect(schemas.get(api.key)).toBe(api)
  })

  it('advertises no version it cannot decode, but for Produce 0-2, kept for old librdkafka', () => {
    const undecodable = allApis.flatMap(({ key, versions, advertised }) => {
      if (advertised === 'never') return []
      const { min, max } = boundsOf(advertised)
      return Array.from({ length: max - min + 1 }, (_, index) => min + index)
        .filter((version) => !isInRange(versions, version))
        .map((version) => `${key} v${version}`)
    })
    expect(undecodable).toEqual(['0 v0', '0 v1', '0 v2'])
  })

  it('caps what transactions v2 would change', () => {
    const cap = (key: number) => boundsOf(schemas.get(key)!.advertised as never).max
    expect([cap(0), cap(22), cap(26), cap(28)]).toEqual([11, 5, 4, 4])
  })

  it('keeps inter-node APIs and telemetry to itself', () => {
    const hidden = allApis.filter(({ advertised }) => advertised === 'never').map(({ key }) => key)
    expect(hidden).toEqual([52, 53, 54, 56, 58, 59, 62, 63, 67, 70, 71, 72, 73, 82, 93])
  })

  it('knows which versions are flexible and which are valid', () => {
    expect([isFlexible(0, 8), isFlexible(0, 9), isFlexible(17, 1), isFlexible(18, 99), isFlexible(4, 9)]).toEqual([
      false,
      true,
      false,
      true,
      false,
    ])
    expect([isValidVersion(0, 2), isValidVersion(0, 3), isValidVersion(0, 14), isValidVersion(4, 0)]).toEqual([false, true, false, false])
  })
})

/** The layouts leave this default out; Kafka's own definition has it. */
const nullByDefault = new Set(['ConsumerGroupMemberMetadataValue.classicMemberMetadata'])
/** Ours alone: Kafka has no schema for the key of a control record. */
const withoutLayout = new Set(['ControlRecordKey'])

describe('against the reference layouts (skipped unless ../shared/reference is beside the checkout)', () => {
  const hasLayouts = existsSync(layoutsFile)
  const layouts = hasLayouts ? parseLayouts(readFileSync(layoutsFile, 'utf8')) : new Map<string, never>()

  it
    .skipIf(!hasLayouts)
    .each(allMessages.filter(({ name }) => !withoutLayout.has(name)).map((message) => ({ name: message.name, message })))(
    '$name is the same in order, type, versions, nullability, tags and defaults',
    ({ message }: { message: Message }) => {
      const layout = layouts.get(message.name)!
      expect(sameVersions(message, layout)).toBe(true)
      expect(message.flexible).toBe(layout.flexible)
      for (const version of versionsOf(message)) {
        const expected = layoutAtVersion(layout, version).map((field) =>
          nullByDefault.has(`${message.name}.${field.name}`) ? { ...field, default: 'null' } : field,
        )
        expect(schemaAtVersion(message, version)).toEqual(expected)
      }
    },
  )

  it.skipIf(!hasLayouts)('leaves out share and streams groups only', () => {
    const ours = new Set(allMessages.map(({ name }) => name))
    const missing = [...layouts.keys()].filter((name) => !ours.has(name))
    expect(missing.filter((name) => !/Share|Streams/.test(name))).toEqual([])
  })
})
