import { createSimRandom, type SimRandom } from "./sim-random.ts";

const PAGE = 4096;
const HEADER = 100;
/** Where b-tree pages keep their own header and the pointers to their cells. */
const PAGE_HEAD = 64;
const MOST_CHANGES = 3;

/** Damages a copy of `bytes` in one to three places: by bits, bytes, stretches, whole pages, or at the end. */
export function damage(bytes: Uint8Array, seed: number): Uint8Array {
  const random = createSimRandom(seed);
  let damaged: Uint8Array = bytes.slice();
  const changes = 1 + Math.floor(random() * MOST_CHANGES);
  for (let change = 0; change < changes; change++) damaged = damageOnce(damaged, random);
  return damaged;
}

function damageOnce(bytes: Uint8Array, random: SimRandom): Uint8Array {
  const below = (limit: number): number => Math.floor(random() * limit);
  const at = somewhere(bytes.length, random);
  const choice = random();
  if (choice < 0.35) bytes[at] = (bytes[at] ?? 0) ^ (1 << below(8));
  else if (choice < 0.7) bytes[at] = below(256);
  else if (choice < 0.85)
    for (let index = at; index < Math.min(at + below(PAGE_HEAD), bytes.length); index++) bytes[index] = below(256);
  else if (choice < 0.9) bytes.fill(0, at - (at % PAGE), at - (at % PAGE) + PAGE);
  else if (choice < 0.95)
    bytes.copyWithin(at - (at % PAGE), PAGE * below(bytes.length / PAGE), PAGE * below(bytes.length / PAGE) + PAGE);
  else return bytes.slice(0, below(bytes.length + 1));
  return bytes;
}

/** Mostly where structure is, sometimes anywhere. */
function somewhere(length: number, random: SimRandom): number {
  const choice = random();
  if (choice < 0.25) return Math.floor(random() * Math.min(HEADER, length));
  if (choice < 0.7)
    return Math.min(Math.floor(random() * (length / PAGE)) * PAGE + Math.floor(random() * PAGE_HEAD), length - 1);
  return Math.floor(random() * length);
}
