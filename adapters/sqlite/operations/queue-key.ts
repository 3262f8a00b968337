const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;
const MAX_CACHED = 10_000;

const cache = new Map<string, number>();

/**
 * A 31-bit number for a queue of a namespace: the leading column of the claim index, where comparing it is twice as
 * fast as comparing two texts. Two queues may share one, so every query compares the names as well.
 */
export function queueKey(namespace: string, queue: string): number {
  const name = `${namespace}\n${queue}`;
  let key = cache.get(name);
  if (key === undefined) {
    if (cache.size >= MAX_CACHED) cache.clear();
    cache.set(name, (key = hash(name)));
  }
  return key;
}

/** FNV-1a over UTF-16 units. Stored in files: it must never change. */
function hash(text: string): number {
  let value = FNV_OFFSET;
  for (let index = 0; index < text.length; index += 1) {
    value = Math.imul(value ^ text.charCodeAt(index), FNV_PRIME);
  }
  return value >>> 1;
}
