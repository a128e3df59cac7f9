import type { GridColumn } from '../../components/grid/columns.ts'

export const groupColumns: readonly GridColumn[] = [
  { key: 'groupId', label: 'Group', width: 260, grow: true, sortable: true },
  { key: 'state', label: 'State', width: 168, sortable: true },
  { key: 'memberCount', label: 'Members', width: 96, align: 'right', sortable: true },
  { key: 'topicCount', label: 'Topics', width: 76, align: 'right', sortable: true, hint: 'Topics it has committed offsets for' },
  { key: 'totalLag', label: 'Behind', width: 174, align: 'right', sortable: true, hint: 'Records behind, over all partitions' },
  { key: 'worst', label: 'Most behind', width: 220 },
  { key: 'coordinator', label: 'Coordinator', width: 96, align: 'right', hint: 'The broker that coordinates it' },
]

/** The lag stands right beside the name: it is what the page is opened for, and must be in sight at any width. */
export const groupPartitionColumns: readonly GridColumn[] = [
  { key: 'partition', label: 'Topic, partition', width: 124, grow: true },
  { key: 'lag', label: 'Behind', width: 80, align: 'right', hint: 'Records behind' },
  { key: 'drain', label: 'Drained in', width: 78, align: 'right', hint: 'At the present rate, if nothing more arrives' },
  { key: 'reader', label: 'Read by', width: 136 },
  { key: 'committed', label: 'Committed', width: 84, align: 'right', hint: 'The next offset it will read' },
  { key: 'end', label: 'End', width: 72, align: 'right', hint: 'High watermark' },
  { key: 'rate', label: 'Rate', width: 74, align: 'right', hint: 'Records committed per second' },
]
