import type { GridColumn } from '../../components/grid/columns.ts'

/** What tells whether a topic is well comes before what it is made of: in a narrow window the last ones are out of sight. */
export const topicColumns: readonly GridColumn[] = [
  { key: 'name', label: 'Topic', width: 198, grow: true, sortable: true },
  { key: 'partitionCount', label: 'Partitions', width: 88, align: 'right', sortable: true },
  {
    key: 'recordCount',
    label: 'Records',
    width: 104,
    align: 'right',
    sortable: true,
    hint: 'High watermark minus log start, over all partitions; an upper bound when compacted',
  },
  { key: 'bytes', label: 'Size', width: 80, align: 'right', sortable: true, hint: 'On disk, all replicas' },
  { key: 'recordsInPerSecond', label: 'Rate', width: 80, align: 'right', sortable: true, hint: 'Records in per second' },
  { key: 'worstLag', label: 'Worst lag', width: 118, align: 'right', sortable: true, hint: 'Records behind, of the most lagging group' },
  { key: 'health', label: 'Health', width: 152 },
  { key: 'groupCount', label: 'Groups', width: 72, align: 'right', sortable: true },
  { key: 'replicationFactor', label: 'Replicas', width: 88, align: 'right', sortable: true },
]
