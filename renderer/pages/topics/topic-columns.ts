import type { GridColumn } from '../../components/grid/columns.ts'

export const topicColumns: readonly GridColumn[] = [
  { key: 'name', label: 'Topic', width: 260, grow: true, sortable: true },
  { key: 'partitionCount', label: 'Partitions', width: 88, align: 'right', sortable: true },
  { key: 'replicationFactor', label: 'Replicas', width: 88, align: 'right', sortable: true },
  {
    key: 'recordCount',
    label: 'Records',
    width: 116,
    align: 'right',
    sortable: true,
    hint: 'High watermark minus log start, over all partitions; an upper bound when compacted',
  },
  { key: 'bytes', label: 'Size', width: 92, align: 'right', sortable: true, hint: 'On disk, all replicas' },
  { key: 'recordsInPerSecond', label: 'Rate', width: 92, align: 'right', sortable: true, hint: 'Records in per second' },
  { key: 'groupCount', label: 'Groups', width: 76, align: 'right', sortable: true },
  { key: 'worstLag', label: 'Worst lag', width: 116, align: 'right', sortable: true, hint: 'Records behind, of the most lagging group' },
  { key: 'health', label: 'Health', width: 160 },
]
