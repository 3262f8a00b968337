/** Far more than the awaits that code stacks between two steps; so many turns take some microseconds. */
const MICROTASKS = 128;

/**
 * Resolves when code that waits for nothing outside of this program has come to rest. Needs no timer, so that it works
 * the same on every platform and under every clock.
 */
export async function untilQuiet(): Promise<void> {
  for (let turn = 0; turn < MICROTASKS; turn += 1) await Promise.resolve();
}
