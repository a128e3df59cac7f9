import type { Disk } from '../env/types.ts'

/** No file we read whole is larger in earnest: the largest index a setting allows is rebuilt rather than believed beyond this. */
const wholeFileBytesMax = 256 * 1024 * 1024

/** A small file's content; null when it is absent, or so large that it cannot be what its name says. */
export async function readBounded(disk: Disk, path: string, bytesMax: number = wholeFileBytesMax): Promise<Buffer | null> {
  const stat = await disk.stat(path)
  return stat === null || stat.isDirectory || stat.bytes > bytesMax ? null : disk.readFile(path)
}
