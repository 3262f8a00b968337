import { signal } from "@preact/signals";

const TICK_MS = 250;

/** The time, four times a second while the page can be seen. For ages and countdowns. */
export const now = signal(Date.now());

export function startClock(): void {
  setInterval(() => {
    if (!document.hidden) now.value = Date.now();
  }, TICK_MS);
}
