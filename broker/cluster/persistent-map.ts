/**
 * An immutable map with structural sharing: `with` and `without` copy one path of a hash trie (at most 7 small arrays) and
 * share the rest, so that a change to one of 40,000 partitions costs the same as to one of ten.
 *
 * Invariant: a node never changes once a map that holds it has been returned. Iteration order is a function of the keys alone,
 * not of the order of insertion, so two replicas that applied the same records iterate alike.
 */
const BITS = 5
const MASK = (1 << BITS) - 1
const DEPTH_MAX_BITS = 30

interface Leaf<K, V> {
  readonly hash: number
  readonly key: K
  readonly value: V
}

/** Keys of one full hash; practically always a single entry. */
interface Bucket<K, V> {
  readonly leaves: readonly Leaf<K, V>[]
}

interface Branch<K, V> {
  readonly bitmap: number
  readonly children: readonly Node<K, V>[]
}

type Node<K, V> = Bucket<K, V> | Branch<K, V>

export class PersistentMap<K extends string | number, V> {
  readonly #root: Node<K, V> | null
  readonly size: number

  private constructor(root: Node<K, V> | null, size: number) {
    this.#root = root
    this.size = size
  }

  static empty<K extends string | number, V>(): PersistentMap<K, V> {
    return new PersistentMap<K, V>(null, 0)
  }

  get(key: K): V | undefined {
    const hash = hashOf(key)
    let node = this.#root
    let shift = 0
    while (node !== null) {
      if ('leaves' in node) return node.leaves.find((leaf) => leaf.key === key)?.value
      const bit = bitOf(hash, shift)
      if ((node.bitmap & bit) === 0) return undefined
      node = node.children[indexOf(node.bitmap, bit)] ?? null
      shift += BITS
    }
    return undefined
  }

  has(key: K): boolean {
    return this.get(key) !== undefined
  }

  with(key: K, value: V): PersistentMap<K, V> {
    const leaf = { hash: hashOf(key), key, value }
    const grows = !this.has(key)
    const root = this.#root === null ? { leaves: [leaf] } : insert(this.#root, leaf, 0)
    return new PersistentMap(root, this.size + (grows ? 1 : 0))
  }

  without(key: K): PersistentMap<K, V> {
    if (this.#root === null || !this.has(key)) return this
    return new PersistentMap(remove(this.#root, key, hashOf(key), 0), this.size - 1)
  }

  *entries(): Generator<readonly [K, V]> {
    if (this.#root !== null) for (const leaf of leavesOf(this.#root)) yield [leaf.key, leaf.value]
  }

  *keys(): Generator<K> {
    if (this.#root !== null) for (const leaf of leavesOf(this.#root)) yield leaf.key
  }

  *values(): Generator<V> {
    if (this.#root !== null) for (const leaf of leavesOf(this.#root)) yield leaf.value
  }

  [Symbol.iterator](): Generator<readonly [K, V]> {
    return this.entries()
  }
}

/** FNV-1a over UTF-16 units; numbers are mixed so that consecutive ids spread. */
function hashOf(key: string | number): number {
  if (typeof key === 'number') {
    const mixed = Math.imul(key ^ (key >>> 16), 0x45d9f3b)
    return (mixed ^ (mixed >>> 16)) >>> 0
  }
  let hash = 0x811c9dc5
  for (let index = 0; index < key.length; index++) hash = Math.imul(hash ^ key.charCodeAt(index), 0x01000193)
  return hash >>> 0
}

function bitOf(hash: number, shift: number): number {
  return 1 << ((hash >>> shift) & MASK)
}

function indexOf(bitmap: number, bit: number): number {
  let below = bitmap & (bit - 1)
  below -= (below >>> 1) & 0x55555555
  below = (below & 0x33333333) + ((below >>> 2) & 0x33333333)
  return Math.imul((below + (below >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
}

function insert<K, V>(node: Node<K, V>, leaf: Leaf<K, V>, shift: number): Node<K, V> {
  if ('leaves' in node) {
    const first = node.leaves[0]
    if (first === undefined || first.hash === leaf.hash || shift > DEPTH_MAX_BITS) {
      return { leaves: [...node.leaves.filter((other) => other.key !== leaf.key), leaf] }
    }
    const pushedDown: Branch<K, V> = { bitmap: bitOf(first.hash, shift), children: [node] }
    return insert(pushedDown, leaf, shift)
  }
  const bit = bitOf(leaf.hash, shift)
  const index = indexOf(node.bitmap, bit)
  if ((node.bitmap & bit) === 0) {
    const children = [...node.children.slice(0, index), { leaves: [leaf] }, ...node.children.slice(index)]
    return { bitmap: node.bitmap | bit, children }
  }
  const children = node.children.slice()
  children[index] = insert(node.children[index]!, leaf, shift + BITS)
  return { bitmap: node.bitmap, children }
}

function remove<K, V>(node: Node<K, V>, key: K, hash: number, shift: number): Node<K, V> | null {
  if ('leaves' in node) {
    const leaves = node.leaves.filter((leaf) => leaf.key !== key)
    return leaves.length === 0 ? null : { leaves }
  }
  const bit = bitOf(hash, shift)
  const index = indexOf(node.bitmap, bit)
  const child = remove(node.children[index]!, key, hash, shift + BITS)
  if (child !== null) {
    const children = node.children.slice()
    children[index] = child
    return { bitmap: node.bitmap, children }
  }
  const bitmap = node.bitmap & ~bit
  if (bitmap === 0) return null
  return { bitmap, children: [...node.children.slice(0, index), ...node.children.slice(index + 1)] }
}

function* leavesOf<K, V>(node: Node<K, V>): Generator<Leaf<K, V>> {
  if ('leaves' in node) {
    yield* node.leaves
    return
  }
  for (const child of node.children) yield* leavesOf(child)
}
