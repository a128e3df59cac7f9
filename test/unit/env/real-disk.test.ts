import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import * as fs from 'node:fs/promises'
import * as os from 'node:os'
import * as path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createRealDisk } from '../../../broker/env/real-disk.ts'
import { DiskError } from '../../../broker/env/types.ts'

const disk = createRealDisk()
let directory: string

beforeEach(async () => {
  directory = await fs.mkdtemp(path.join(os.tmpdir(), 'weir-disk-'))
})

afterEach(async () => {
  await fs.rm(directory, { recursive: true, force: true })
})

describe('files', () => {
  test('calls on one file are carried out in the order they were made', async () => {
    const file = await disk.open(path.join(directory, 'a'), { create: true })
    const seen = Buffer.alloc(6)
    const operations = [
      file.write(0, [Buffer.from('abc'), Buffer.from('def')]),
      file.truncate(4),
      file.write(4, [Buffer.from('XY')]),
      file.sync(),
      file.read(0, seen),
      file.write(0, [Buffer.from('zzzzzz')]),
    ]
    await Promise.all(operations)
    expect(seen.toString()).toBe('abcdXY')
    expect(await file.bytes()).toBe(6)
    await file.close()
  })

  test('more chunks than one system call takes are written whole', async () => {
    const file = await disk.open(path.join(directory, 'a'), { create: true })
    const chunks = Array.from({ length: 5000 }, (_, index) => Buffer.from(`${index},`))
    await file.write(0, chunks)
    await file.close()
    expect((await disk.readFile(path.join(directory, 'a')))?.equals(Buffer.concat(chunks))).toBe(true)
  })

  test('a read past the end resolves with the bytes there are', async () => {
    const file = await disk.open(path.join(directory, 'a'), { create: true })
    await file.write(0, [Buffer.from('abc')])
    expect(await file.read(1, Buffer.alloc(10))).toBe(2)
    expect(await file.read(10, Buffer.alloc(10))).toBe(0)
    await file.close()
  })

  test('a closed file refuses further calls with a DiskError', async () => {
    const file = await disk.open(path.join(directory, 'a'), { create: true })
    await file.close()
    await expect(file.write(0, [Buffer.from('a')])).rejects.toThrow(DiskError)
  })

  test('an absent file is an answer where the signature says so, a DiskError elsewhere', async () => {
    const absent = path.join(directory, 'absent')
    expect(await disk.stat(absent)).toBeNull()
    expect(await disk.list(absent)).toBeNull()
    expect(await disk.readFile(absent)).toBeNull()
    await disk.remove(absent)
    await disk.removeTree(absent)
    await expect(disk.open(absent)).rejects.toMatchObject({ name: 'DiskError', code: 'ENOENT', path: absent })
  })

  test('an atomic write leaves the content and no temporary file', async () => {
    const target = path.join(directory, 'a')
    await disk.writeFileAtomic(target, Buffer.from('one'))
    await disk.writeFileAtomic(target, Buffer.from('two'))
    expect((await disk.readFile(target))?.toString()).toBe('two')
    expect(await disk.list(directory)).toEqual(['a'])
  })

  test('the space of the volume is told, free and in all', async () => {
    const { totalBytes, freeBytes } = await disk.space(directory)
    expect(freeBytes).toBeGreaterThan(0)
    expect(totalBytes).toBeGreaterThanOrEqual(freeBytes)
    await expect(disk.space(path.join(directory, 'absent'))).rejects.toMatchObject({ name: 'DiskError', code: 'ENOENT' })
  })
})

describe('the lock', () => {
  const children: ChildProcess[] = []
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL')
  })

  test('a second holder gets null until the first releases', async () => {
    const file = path.join(directory, '.lock')
    const first = await disk.lock(file)
    expect(first).not.toBeNull()
    expect(await disk.lock(file)).toBeNull()
    await first?.release()
    const second = await disk.lock(file)
    expect(second).not.toBeNull()
    await second?.release()
  })

  test('a holder ended by SIGKILL no longer holds it', async () => {
    const file = path.join(directory, '.lock')
    const module = path.resolve('broker/env/real-disk.ts')
    const script = `const { createRealDisk } = await import(${JSON.stringify(module)})
      const lock = await createRealDisk().lock(${JSON.stringify(file)})
      console.log(lock ? 'held' : 'refused'); setInterval(() => {}, 1000)`
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
    children.push(child)
    const [line] = (await once(child.stdout, 'data')) as [Buffer]
    expect(line.toString().trim()).toBe('held')
    expect(await disk.lock(file)).toBeNull()
    child.kill('SIGKILL')
    await once(child, 'exit')
    const lock = await disk.lock(file)
    expect(lock).not.toBeNull()
    await lock?.release()
  })
})
