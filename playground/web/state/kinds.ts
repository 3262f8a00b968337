import type { Stem } from "stem-sqlite";
import { formatCount } from "./format.ts";
import { callServer, charge, flaky, quick, slow } from "./tasks.ts";

/** A kind of job that a button enqueues. */
export interface Kind {
  readonly name: string;
  readonly explanation: string;
  /** Resolves to what was done. */
  readonly enqueue: (stem: Stem) => Promise<string>;
}

const BURST = 1_000;
let n = 0;

export const KINDS: readonly Kind[] = [
  {
    name: "Quick",
    explanation: "returns a number",
    enqueue: async (stem) => `Stored ${await quick.enqueue(stem, { n: ++n })}`,
  },
  {
    name: "Slow",
    explanation: "reports progress for 15 seconds",
    enqueue: async (stem) => `Stored ${await slow.enqueue(stem, { seconds: 15 })}`,
  },
  {
    name: "Flaky",
    explanation: "fails twice, then succeeds",
    enqueue: async (stem) => `Stored ${await flaky.enqueue(stem)}`,
  },
  {
    name: "Failing",
    explanation: "ends as a dead letter",
    enqueue: async (stem) => `Stored ${await callServer.enqueue(stem, { path: `/orders/${++n}` })}`,
  },
  {
    name: "Delayed",
    explanation: "runs in 10 seconds",
    enqueue: async (stem) =>
      `Stored ${await quick.enqueue(stem, { n: ++n }, { enqueueOptions: { countdown: 10_000 } })}`,
  },
  {
    name: "Urgent",
    explanation: "overtakes what waits",
    enqueue: async (stem) => `Stored ${await quick.enqueue(stem, { n: ++n }, { enqueueOptions: { priority: 9 } })}`,
  },
  {
    name: "Linked",
    explanation: "a charge, then its receipt",
    enqueue: async (stem) => {
      const link = [{ name: "mail.receipt", args: { to: "ada" }, enqueueOptions: { queue: "mail" } }];
      return `Stored ${await charge.enqueue(stem, { amount: 30 }, { enqueueOptions: { link } })} and its link`;
    },
  },
  {
    name: `Burst of ${formatCount(BURST)}`,
    explanation: "quick jobs in one transaction",
    enqueue: async (stem) => {
      const began = performance.now();
      await stem.enqueueAll(Array.from({ length: BURST }, () => ({ name: quick.name, args: { n: ++n } })));
      return `Stored ${formatCount(BURST)} jobs in ${Math.round(performance.now() - began)} ms`;
    },
  },
];
