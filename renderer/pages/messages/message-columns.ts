import type { GridColumn } from '../../components/grid/columns.ts'

/** Below this the day goes, so that key and value keep their room. */
const WIDE_MIN = 860

/** The columns of records in a list of this width, in pixels. */
export function messageColumns(width: number): readonly GridColumn[] {
  const isWide = width >= WIDE_MIN
  return [
    { key: 'partition', label: 'Partition', width: 74, align: 'right' },
    { key: 'offset', label: 'Offset', width: 86, align: 'right' },
    isWide ? { key: 'timestamp', label: 'Timestamp', width: 186 } : { key: 'time', label: 'Time', width: 110 },
    { key: 'key', label: 'Key', width: isWide ? 150 : 124 },
    { key: 'value', label: 'Value', width: 160, grow: true },
    { key: 'size', label: 'Size', width: 78, align: 'right', hint: 'Key and value together' },
  ]
}
