import { describe, expect, it } from 'vitest'
import { brokerSettingProblem } from '../../../broker/api/broker-settings.ts'
import { replicationDefaults } from '../../../broker/runtime/replication-defaults.ts'

describe('replication of an embedded cluster', () => {
  it.each([
    [1, '1', '1'],
    [2, '2', '1'],
    [3, '3', '2'],
    [5, '3', '2'],
  ])('with %i brokers is %s times, of which %s must be in sync', (brokers, replicas, inSync) => {
    const defaults = replicationDefaults(brokers)
    expect(defaults).toEqual({
      'default.replication.factor': replicas,
      'offsets.topic.replication.factor': replicas,
      'min.insync.replicas': inSync,
    })
    for (const [name, value] of Object.entries(defaults)) expect(brokerSettingProblem(name, value)).toBeNull()
  })
})
