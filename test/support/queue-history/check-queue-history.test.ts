import { describe, expect, it } from "vitest";
import { extended, granted, heard, life, missed, published, sent, settled } from "./a-history.ts";
import { checkQueueHistory } from "./check-queue-history.ts";
import type { Invariant, QueueEnd, QueueRecord } from "./history-record.ts";

const EMPTY: QueueEnd = { dead: [], waiting: 0 };
const B = { by: "worker-b" };
const job = published("job", { at: 1, until: 2 });

function brokenBy(history: readonly QueueRecord[], end: QueueEnd = EMPTY): readonly Invariant[] {
  const { violations } = checkQueueHistory(history, end, { maxDeliveries: 3 });
  return [...new Set(violations.map(({ invariant }) => invariant))];
}

const finished = [job, granted("job", 1, { at: 3 }), settled("ack", "job", 1, { at: 4, until: 5 })];

type Good = readonly QueueRecord[] | Readonly<{ history: readonly QueueRecord[]; end: QueueEnd }>;

const GOOD: Readonly<Record<string, Good>> = {
  "a message that is delivered and acknowledged": finished,
  "the same delivery acknowledged twice": [...finished, settled("ack", "job", 1, { at: 6 })],
  "a publish without an answer that had no effect": [published("job", { at: 1, outcome: "info" })],
  "a publish without an answer that had its effect": [
    published("job", { at: 1, outcome: "info" }),
    ...finished.slice(1),
  ],
  "a publish that failed and had no effect": [published("job", { at: 1, outcome: "fail" })],
  "an ack without an answer that had its effect": [
    ...finished.slice(0, 2),
    settled("ack", "job", 1, { at: 4, outcome: "info" }),
  ],
  "an ack without an answer that had no effect": [
    ...finished.slice(0, 2),
    settled("ack", "job", 1, { at: 4, outcome: "info" }),
    life("end", "worker-a", 4),
    granted("job", 2, { at: 9, deliveries: 2, ...B }),
    settled("ack", "job", 2, { at: 10, ...B }),
  ],
  "a delivery after the holder was killed": [
    ...finished.slice(0, 2),
    life("end", "worker-a", 4),
    granted("job", 2, { at: 5, deliveries: 2, ...B }),
    settled("ack", "job", 2, { at: 6, ...B }),
  ],
  "a delivery that nobody lived to see": [
    job,
    life("end", "worker-a", 3),
    granted("job", 2, { at: 5, deliveries: 2, ...B }),
    settled("ack", "job", 2, { at: 6, ...B }),
  ],
  "a delivery after the lease is over, and a late ack that is refused": [
    ...finished.slice(0, 2),
    granted("job", 2, { at: 1_004, deliveries: 2, ...B }),
    settled("ack", "job", 1, { at: 1_005, outcome: "fail" }),
    settled("ack", "job", 2, { at: 1_006, ...B }),
  ],
  "a late ack that is accepted while nobody else was given the message": [
    ...finished.slice(0, 2),
    settled("ack", "job", 1, { at: 5_000 }),
  ],
  "a delivery to somebody else after a pause of the holder": [
    ...finished.slice(0, 2),
    life("pause", "worker-a", 4, 300),
    granted("job", 2, { at: 200, deliveries: 2, ...B }),
    settled("ack", "job", 2, { at: 201, ...B }),
  ],
  "a delivery that is seen after a later one was acknowledged": [
    job,
    life("pause", "worker-a", 2, 3_000),
    granted("job", 2, { at: 1_500, deliveries: 2, ...B }),
    settled("ack", "job", 2, { at: 1_501, ...B }),
    granted("job", 1, { at: 3_001 }),
    settled("ack", "job", 1, { at: 3_002, outcome: "fail" }),
  ],
  "a nack, a retry and a new count": [
    ...finished.slice(0, 2),
    settled("nack", "job", 1, { at: 4 }),
    granted("job", 2, { at: 5, deliveries: 2, ...B }),
    settled("retry", "job", 2, { at: 6, attempt: 1, ...B }),
    granted("job", 3, { at: 7, attempt: 1 }),
    settled("ack", "job", 3, { at: 8 }),
  ],
  "a message that was delivered too often": {
    history: [
      job,
      ...[1, 2, 3].flatMap((n) => [
        granted("job", n, { at: n * 10, deliveries: n }),
        settled("nack", "job", n, { at: n * 10 + 1 }),
      ]),
    ],
    end: { dead: [{ key: "job", content: "content of job", deliveries: 3 }], waiting: 0 },
  },
  "a dead letter that was asked for": {
    history: [...finished.slice(0, 2), settled("deadLetter", "job", 1, { at: 4 })],
    end: { dead: [{ key: "job", content: "content of job" }], waiting: 0 },
  },
  "broadcasts with a gap that is told": [
    ...[1, 2, 3, 4].map((n) => sent(`b${n}`, { at: n })),
    heard("b1", 1, { at: 2 }),
    missed(2, { at: 5 }),
    heard("b4", 4, { at: 6 }),
  ],
  "broadcasts missed before the first and after the last that was heard": [
    ...[1, 2, 3, 4].map((n) => sent(`b${n}`, { at: n })),
    missed(1, { at: 3 }),
    heard("b2", 2, { at: 3 }),
    missed(2, { at: 5 }),
  ],
  "two senders whose broadcasts cross": [
    sent("b1", { at: 1, until: 9 }),
    sent("b2", { at: 2, until: 9 }),
    heard("b2", 1, { at: 3 }),
    heard("b1", 2, { at: 4 }),
  ],
};

const BAD: readonly (readonly [Invariant, string, readonly QueueRecord[], QueueEnd?])[] = [
  ["I1 no loss", "an acknowledged publish that is never delivered", [job]],
  ["I1 no loss", "a message that is delivered, and then gone", finished.slice(0, 2)],
  ["I1 no loss", "a message that is still there after the drain", finished, { dead: [], waiting: 1 }],
  [
    "I1 no loss",
    "an unanswered ack that a later delivery refutes, and then nothing",
    [
      ...finished.slice(0, 2),
      settled("ack", "job", 1, { at: 4, outcome: "info" }),
      life("end", "worker-a", 4),
      granted("job", 2, { at: 5, deliveries: 2, ...B }),
    ],
  ],
  ["I2 no invention", "a delivery of what nobody published", finished.slice(1)],
  ["I2 no invention", "other content", [job, granted("job", 1, { at: 3, content: "other" }), ...finished.slice(2)]],
  ["I2 no invention", "a delivery before the publish", [published("job", { at: 4 }), ...finished.slice(1)]],
  ["I2 no invention", "a dead letter of nobody", [], { dead: [{ key: "x", content: "" }], waiting: 0 }],
  [
    "I3 finished is final",
    "a delivery after the ack",
    [...finished, granted("job", 2, { at: 9, deliveries: 2, ...B })],
  ],
  [
    "I3 finished is final",
    "a delivery with a greater token that is seen before the ack is asked for",
    [
      ...finished.slice(0, 2),
      granted("job", 2, { at: 3_000, deliveries: 2, ...B }),
      settled("ack", "job", 1, { at: 3_001 }),
    ],
  ],
  [
    "I3 finished is final",
    "a delivery after an accepted dead letter",
    [
      ...finished.slice(0, 2),
      settled("deadLetter", "job", 1, { at: 4 }),
      granted("job", 2, { at: 5, deliveries: 2, ...B }),
    ],
    { dead: [{ key: "job", content: "content of job" }], waiting: 0 },
  ],
  [
    "I4 one valid lease",
    "a delivery while the first lease is valid",
    [
      ...finished.slice(0, 2),
      granted("job", 2, { at: 500, deliveries: 2, ...B }),
      settled("ack", "job", 2, { at: 501, ...B }),
    ],
  ],
  [
    "I4 one valid lease",
    "a delivery while the lease is prolonged",
    [
      ...finished.slice(0, 2),
      extended("job", 1, 5_000, { at: 900, until: 901 }),
      granted("job", 2, { at: 2_000, deliveries: 2, ...B }),
      settled("ack", "job", 2, { at: 2_001, ...B }),
    ],
  ],
  [
    "I4 one valid lease",
    "a delivery while the holder, which was paused before it was given the message, is alive",
    [
      life("pause", "worker-a", 0, 1),
      published("job", { at: 2 }),
      granted("job", 1, { at: 3 }),
      granted("job", 2, { at: 500, deliveries: 2, ...B }),
      settled("ack", "job", 2, { at: 501, ...B }),
    ],
  ],
  [
    "I5 fence",
    "a renewal with a token that is not the current one",
    [
      ...finished.slice(0, 2),
      granted("job", 2, { at: 2_000, deliveries: 2, ...B }),
      extended("job", 1, 1_000, { at: 2_001 }),
      settled("ack", "job", 2, { at: 2_002, ...B }),
    ],
  ],
  [
    "I5 fence",
    "a nack with a token that is not the current one",
    [
      ...finished.slice(0, 2),
      granted("job", 2, { at: 2_000, deliveries: 2, ...B }),
      settled("nack", "job", 1, { at: 2_001 }),
      settled("ack", "job", 2, { at: 2_002, ...B }),
    ],
  ],
  ["I5 fence", "one delivery that is given back and acknowledged", [...finished, settled("nack", "job", 1, { at: 6 })]],
  [
    "I5 fence",
    "an ack of a delivery that somebody else was given",
    [...finished.slice(0, 2), settled("ack", "job", 1, { at: 4, ...B })],
  ],
  [
    "I6 one end",
    "two accepted acks of one message",
    [
      ...finished.slice(0, 2),
      granted("job", 2, { at: 2_000, deliveries: 2, ...B }),
      settled("ack", "job", 2, { at: 2_001, ...B }),
      settled("ack", "job", 1, { at: 2_002 }),
    ],
  ],
  [
    "I6 one end",
    "acknowledged, and a dead letter",
    finished,
    { dead: [{ key: "job", content: "content of job", deliveries: 3 }], waiting: 0 },
  ],
  [
    "I6 one end",
    "an accepted dead letter that is gone",
    [...finished.slice(0, 2), settled("deadLetter", "job", 1, { at: 4 })],
  ],
  [
    "I7 deliveries",
    "a second delivery that is counted as the first",
    [
      ...finished.slice(0, 2),
      settled("nack", "job", 1, { at: 4 }),
      granted("job", 2, { at: 5, ...B }),
      settled("ack", "job", 2, { at: 6, ...B }),
    ],
  ],
  [
    "I7 deliveries",
    "a count that jumps while nobody died",
    [job, granted("job", 1, { at: 3, deliveries: 2 }), ...finished.slice(2)],
  ],
  [
    "I7 deliveries",
    "more deliveries than are allowed",
    [
      job,
      ...[1, 2, 3].map((n) => life("end", `worker-${n}`, 3)),
      granted("job", 1, { at: 4, deliveries: 4 }),
      ...finished.slice(2),
    ],
  ],
  [
    "I7 deliveries",
    "an attempt that nobody asked for",
    [job, granted("job", 1, { at: 3, attempt: 1 }), ...finished.slice(2)],
  ],
  [
    "I7 deliveries",
    "an attempt again after its retry was accepted",
    [
      ...finished.slice(0, 2),
      settled("retry", "job", 1, { at: 4, attempt: 1 }),
      granted("job", 2, { at: 5, deliveries: 2, ...B }),
      settled("ack", "job", 2, { at: 6, ...B }),
    ],
  ],
  [
    "I7 deliveries",
    "a dead letter after too few deliveries",
    finished.slice(0, 2),
    { dead: [{ key: "job", content: "content of job", deliveries: 1 }], waiting: 0 },
  ],
  [
    "I19 honest errors",
    "a publish that failed, and was delivered",
    [published("job", { at: 1, outcome: "fail" }), ...finished.slice(1)],
  ],
  [
    "I19 honest errors",
    "a publish that failed, and is a dead letter",
    [published("job", { at: 1, outcome: "fail" })],
    { dead: [{ key: "job", content: "content of job", deliveries: 3 }], waiting: 0 },
  ],
  [
    "tokens rise",
    "one token for two deliveries",
    [...finished, published("two", { at: 6 }), granted("two", 1, { at: 7 }), settled("ack", "two", 1, { at: 8 })],
  ],
  [
    "tokens rise",
    "a message published later with a smaller token",
    [
      job,
      granted("job", 7, { at: 3 }),
      settled("ack", "job", 7, { at: 4 }),
      published("two", { at: 6 }),
      granted("two", 5, { at: 7 }),
      settled("ack", "two", 5, { at: 8 }),
    ],
  ],
  [
    "tokens rise",
    "a process that began later and is given a smaller token",
    [
      published("two", { at: 1 }),
      job,
      granted("job", 7, { at: 3 }),
      settled("ack", "job", 7, { at: 4 }),
      life("begin", "worker-b", 6),
      granted("two", 5, { at: 7, ...B }),
      settled("ack", "two", 5, { at: 8, ...B }),
    ],
  ],
  ["I21 broadcast", "one that nobody sent", [heard("b1", 1, { at: 2 })]],
  ["I21 broadcast", "one heard twice", [sent("b1", { at: 1 }), heard("b1", 1, { at: 2 }), heard("b1", 2, { at: 3 })]],
  [
    "I21 broadcast",
    "two in the wrong order",
    [sent("b1", { at: 1 }), sent("b2", { at: 2 }), heard("b2", 1, { at: 3 }), heard("b1", 2, { at: 4 })],
  ],
  [
    "I21 broadcast",
    "numbers that fall",
    [
      sent("b1", { at: 1, until: 9 }),
      sent("b2", { at: 1, until: 9 }),
      heard("b1", 2, { at: 2 }),
      heard("b2", 1, { at: 3 }),
    ],
  ],
  [
    "I21 broadcast",
    "a gap that is not told",
    [sent("b1", { at: 1 }), sent("b3", { at: 2 }), heard("b1", 1, { at: 3 }), heard("b3", 3, { at: 4 })],
  ],
  [
    "I21 broadcast",
    "a gap that is told as larger than it is",
    [
      sent("b1", { at: 1 }),
      sent("b3", { at: 2 }),
      heard("b1", 1, { at: 3 }),
      missed(2, { at: 4 }),
      heard("b3", 3, { at: 4 }),
    ],
  ],
  [
    "I21 broadcast",
    "a gap before all there ever was",
    [sent("b1", { at: 1 }), missed(1, { at: 2 }), heard("b1", 1, { at: 3 })],
  ],
  ["I21 broadcast", "one that failed", [sent("b1", { at: 1, outcome: "fail" }), heard("b1", 1, { at: 2 })]],
];

describe("checkQueueHistory", () => {
  it.each(Object.entries(GOOD))("accepts %s", (_, good) => {
    const { history, end } = "end" in good ? good : { history: good, end: EMPTY };
    expect(checkQueueHistory(history, end, { maxDeliveries: 3 }).violations).toEqual([]);
  });

  it.each(BAD.map(([invariant, name, history, end]) => ({ invariant, name, history, end })))(
    "rejects by $invariant: $name",
    ({ invariant, history, end }) => {
      expect(brokenBy(history, end)).toContain(invariant);
    },
  );

  it("has at least two bad histories for each invariant", () => {
    const counts = new Map<Invariant, number>();
    for (const [invariant] of BAD) counts.set(invariant, (counts.get(invariant) ?? 0) + 1);
    expect([...counts].filter(([, count]) => count < 2)).toEqual([]);
    expect(counts.size).toBe(10);
  });

  it("counts what happened", () => {
    const history = [...finished, published("two", { at: 6, outcome: "info" })];
    expect(checkQueueHistory(history, EMPTY, { maxDeliveries: 3 }).totals).toMatchObject({
      processes: 2,
      published: 1,
      recovered: 0,
      grants: 1,
      duplicated: 0,
      acked: 1,
      unknown: 1,
    });
  });
});
