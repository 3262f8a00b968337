/** Takes values until the iterator ends, or until there are `count`; then ends the iteration. */
export async function collect<T>(values: AsyncIterable<T>, count: number = Number.POSITIVE_INFINITY): Promise<T[]> {
  const taken: T[] = [];
  for await (const value of values) {
    taken.push(value);
    if (taken.length >= count) break;
  }
  return taken;
}
