/** Far more than the awaits that code stacks between two steps; so many turns take some microseconds. */
const MICROTASKS = 128;

/**
 * Resolves when code that waits for nothing outside of this program has come to rest. Needs no timer, so that it works
 * the same on every platform and under every clock.
 */
export async function untilQuiet(): Promise<void> {
  for (let turn = 0; turn < MICROTASKS; turn += 1) await Promise.resolve();
}

/** Waits until `isThere` says so, or code has been at rest for `times` as long as usual; says whether it is there. */
export async function untilThere(isThere: () => boolean, times: number): Promise<boolean> {
  for (let turn = 0; turn < times && !isThere(); turn += 1) await untilQuiet();
  return isThere();
}
