/** `meta.properties`: which cluster and node a data folder belongs to. Java properties format, version 1. */
import { LogError } from './types.ts'

export interface MetaProperties {
  readonly clusterId: string
  readonly nodeId: number
  /** 22 characters of URL-safe base64. */
  readonly directoryId: string
}

export function encodeMetaProperties(properties: MetaProperties): Buffer {
  const lines = [
    '#',
    'cluster.id=' + properties.clusterId,
    'directory.id=' + properties.directoryId,
    'node.id=' + properties.nodeId,
    'version=1',
  ]
  return Buffer.from(`${lines.join('\n')}\n`)
}

/** Throws a LogError DIRECTORY_FOREIGN when the file is not one: the folder is then not ours to write into. */
export function decodeMetaProperties(path: string, content: Buffer): MetaProperties {
  const values = new Map<string, string>()
  for (const line of content.toString('utf8').split(/\r?\n/)) {
    const match = /^\s*([^#!=:\s]+)\s*[=:]\s*(.*?)\s*$/.exec(line)
    // Java escapes the separators it writes within a value.
    if (match !== null) values.set(match[1] ?? '', (match[2] ?? '').replaceAll(/\\([:=\\])/g, '$1'))
  }
  const clusterId = values.get('cluster.id')
  const directoryId = values.get('directory.id')
  const nodeId = Number(values.get('node.id'))
  const isWhole = values.get('version') === '1' && clusterId !== undefined && directoryId !== undefined
  if (!isWhole || !Number.isInteger(nodeId) || !values.has('node.id')) {
    throw new LogError(
      'DIRECTORY_FOREIGN',
      `${path} is not a version 1 file with cluster.id, node.id and directory.id. Move the folder away or choose another data folder.`,
    )
  }
  return { clusterId, nodeId, directoryId }
}

/** Throws a LogError DIRECTORY_FOREIGN when the folder was written by another node or cluster. */
export function checkOwner(path: string, found: MetaProperties, expected: { clusterId: string; nodeId: number }): void {
  if (found.clusterId === expected.clusterId && found.nodeId === expected.nodeId) return
  throw new LogError(
    'DIRECTORY_FOREIGN',
    `${path} belongs to node ${found.nodeId} of cluster ${found.clusterId}, not to node ${expected.nodeId} of cluster ${expected.clusterId}. Choose another data folder.`,
  )
}
