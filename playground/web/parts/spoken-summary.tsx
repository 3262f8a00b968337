import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { queues } from "../state/live.ts";

const EVERY_MS = 5_000;

/** The counts in one sentence, for screen readers: at most every few seconds, and only when they have changed. */
export function SpokenSummary() {
  const sentence = useSignal("");
  useEffect(() => {
    const timer = setInterval(() => {
      const sums = { ready: 0, delayed: 0, leased: 0, dead: 0 };
      for (const { ready, delayed, leased, dead } of queues.value.peek() ?? []) {
        sums.ready += ready;
        sums.delayed += delayed;
        sums.leased += leased;
        sums.dead += dead;
      }
      sentence.value = `${sums.ready} jobs ready, ${sums.delayed} delayed, ${sums.leased} running, ${sums.dead} dead letters.`;
    }, EVERY_MS);
    return () => clearInterval(timer);
  }, []);
  return (
    <p class="unseen" aria-live="polite">
      {sentence.value}
    </p>
  );
}
