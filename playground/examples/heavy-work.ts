// What the isolated tasks of example 11 do: each runs in a thread of its own, and may block it.
import type { TaskContext } from "stem-sqlite";

export function countPrimes(context: TaskContext, { below }: { below: number }): number {
  let count = 0;
  for (let candidate = 2; candidate < below; candidate++) {
    // A checkpoint: throws when the task was revoked, although this loop lets nobody else have the thread.
    if (candidate % (below / 4) === 0) context.progress(candidate / below);
    if (isPrime(candidate)) count++;
  }
  return count;
}

export function loopForEver(): never {
  for (;;);
}

export function leave(): void {
  process.exit(3);
}

function isPrime(candidate: number): boolean {
  for (let divisor = 2; divisor * divisor <= candidate; divisor++) {
    if (candidate % divisor === 0) return false;
  }
  return true;
}
