/** What is asked for a new topic, and the settings it comes down to; a default is not sent, so that the cluster's own stays in force. */
export interface TopicForm {
  name: string
  partitionCount: number | null
  replicationFactor: number | null
  cleanup: 'delete' | 'compact' | 'compact,delete'
  retention: string
}

export const retentionDefault = 'default'
const HOUR_MS = 3_600_000

export const retentionChoices = [
  { label: "The cluster's default", value: retentionDefault },
  { label: '1 hour', value: String(HOUR_MS) },
  { label: '1 day', value: String(24 * HOUR_MS) },
  { label: '7 days', value: String(7 * 24 * HOUR_MS) },
  { label: '30 days', value: String(30 * 24 * HOUR_MS) },
  { label: 'For ever', value: '-1' },
]

export function topicForm(): TopicForm {
  return { name: '', partitionCount: null, replicationFactor: null, cleanup: 'delete', retention: retentionDefault }
}

export function settingsOf(form: TopicForm): Record<string, string> {
  const settings: Record<string, string> = {}
  if (form.cleanup !== 'delete') settings['cleanup.policy'] = form.cleanup
  if (form.retention !== retentionDefault && form.cleanup !== 'compact') settings['retention.ms'] = form.retention
  return settings
}
