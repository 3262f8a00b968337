/**
 * Waits so many milliseconds, or longer in a tab that is hidden. Taken from the platform: a storage driver has no
 * clock. Only ever between two tries of the same thing; nothing is concluded from the time that has passed.
 */
export function webPause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    AbortSignal.timeout(milliseconds).addEventListener("abort", () => resolve(), { once: true });
  });
}
