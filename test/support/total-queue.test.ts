import { describe, expect, it } from "vitest";
import { checkTotalQueue } from "./total-queue.ts";
import type { FinalState, Step } from "./total-queue-history.ts";

const EMPTY: FinalState = { dead: [], results: new Map(), waiting: 0 };
const KILL: Step = { f: "kill" };

function publish(phase: "asked" | "done", ...ids: readonly string[]): Step {
  return { f: "publish", phase, jobs: ids.map((id) => ({ id, body: `body of ${id}` })) };
}

function published(...ids: readonly string[]): readonly Step[] {
  return [publish("asked", ...ids), publish("done", ...ids)];
}

function delivered(id: string, token: number, more: Partial<Extract<Step, { f: "deliver" }>> = {}): Step {
  return { f: "deliver", id, body: `body of ${id}`, attempt: 0, token, deliveries: 1, ...more };
}

function called(f: "ack" | "deadLetter" | "requeue", id: string): readonly Step[] {
  return [
    { f, phase: "asked", id },
    { f, phase: "done", id },
  ];
}

function retried(id: string, attempt: number): readonly Step[] {
  return [
    { f: "retry", phase: "asked", id, attempt },
    { f: "retry", phase: "done", id, attempt },
  ];
}

function result(id: string, value: string): readonly Step[] {
  return [
    { f: "result", phase: "asked", id, value },
    { f: "result", phase: "done", id, value, stored: true },
  ];
}

function letter(id: string): FinalState["dead"][number] {
  return { id, body: `body of ${id}` };
}

function problemsOf(history: readonly Step[], final: Partial<FinalState> = {}): readonly string[] {
  return checkTotalQueue(history, { ...EMPTY, ...final }).problems;
}

describe("support/total-queue accepts", () => {
  it.each<[string, readonly Step[], Partial<FinalState>]>([
    ["an empty history", [], {}],
    [
      "a job that was published, delivered and acknowledged",
      [...published("a"), delivered("a", 1), ...called("ack", "a")],
      {},
    ],
    ["a publish that was never acknowledged and did not happen", [publish("asked", "a"), KILL], {}],
    [
      "a publish that was never acknowledged and happened",
      [publish("asked", "a"), KILL, delivered("a", 1), ...called("ack", "a")],
      {},
    ],
    [
      "an ack that was never acknowledged and did not happen",
      [
        ...published("a"),
        delivered("a", 1),
        { f: "ack", phase: "asked", id: "a" },
        KILL,
        delivered("a", 2, { deliveries: 2 }),
        ...called("ack", "a"),
      ],
      {},
    ],
    [
      "an ack that was never acknowledged and happened",
      [...published("a"), delivered("a", 1), { f: "ack", phase: "asked", id: "a" }, KILL],
      {},
    ],
    [
      "a dead letter that was asked for",
      [...published("a"), delivered("a", 1), ...called("deadLetter", "a")],
      { dead: [letter("a")] },
    ],
    [
      "a retry with a later attempt",
      [
        ...published("a"),
        delivered("a", 1),
        ...retried("a", 1),
        delivered("a", 2, { attempt: 1 }),
        ...called("ack", "a"),
      ],
      {},
    ],
    [
      "the first of two results, where the second was refused",
      [
        ...result("a", "one"),
        { f: "result", phase: "asked", id: "a", value: "two" },
        { f: "result", phase: "done", id: "a", value: "two", stored: false },
      ],
      { results: new Map([["a", "one"]]) },
    ],
    [
      "a result that was never acknowledged and happened",
      [{ f: "result", phase: "asked", id: "a", value: "one" }, KILL],
      { results: new Map([["a", "one"]]) },
    ],
  ])("%s", (_name, history, final) => {
    expect(problemsOf(history, final)).toEqual([]);
  });
});

describe("support/total-queue rejects", () => {
  it.each<[string, string, readonly Step[], Partial<FinalState>]>([
    ["a job that was never delivered", "lost, it was never delivered", published("a"), {}],
    [
      "a job that vanished from its worker's hands",
      "lost after it was delivered",
      [...published("a"), delivered("a", 1), KILL],
      {},
    ],
    [
      "a job that vanished in a requeue",
      "lost after",
      [...published("a"), delivered("a", 1), ...called("requeue", "a")],
      {},
    ],
    ["a job that vanished in a retry", "lost after", [...published("a"), delivered("a", 1), ...retried("a", 1)], {}],
    ["a job nobody published", "unexpected", [delivered("a", 1), ...called("ack", "a")], {}],
    [
      "a job with other content",
      "other content",
      [...published("a"), delivered("a", 1, { body: "body of b" }), ...called("ack", "a")],
      {},
    ],
    [
      "a delivery after an acknowledged ack",
      "after its ack was acknowledged",
      [
        ...published("a"),
        delivered("a", 1),
        ...called("ack", "a"),
        delivered("a", 2, { deliveries: 2 }),
        ...called("ack", "a"),
      ],
      {},
    ],
    [
      "a delivery after an acknowledged dead letter",
      "after its deadLetter was acknowledged",
      [
        ...published("a"),
        delivered("a", 1),
        ...called("deadLetter", "a"),
        delivered("a", 2, { deliveries: 2 }),
        ...called("ack", "a"),
      ],
      {},
    ],
    [
      "a token given out twice",
      "token did not grow",
      [
        ...published("a"),
        delivered("a", 1),
        ...called("requeue", "a"),
        delivered("a", 1, { deliveries: 2 }),
        ...called("ack", "a"),
      ],
      {},
    ],
    [
      "a token below those from before a kill",
      "given out before the kill",
      [
        ...published("a", "b"),
        delivered("a", 9),
        ...called("ack", "a"),
        KILL,
        delivered("b", 5),
        ...called("ack", "b"),
      ],
      {},
    ],
    [
      "an attempt from before an acknowledged retry",
      "after the retry to 1",
      [
        ...published("a"),
        delivered("a", 1),
        ...retried("a", 1),
        delivered("a", 2, { deliveries: 2 }),
        ...called("ack", "a"),
      ],
      {},
    ],
    [
      "an attempt nobody asked for",
      "while nobody asked for more than 0",
      [...published("a"), delivered("a", 1, { attempt: 1 }), ...called("ack", "a")],
      {},
    ],
    [
      "deliveries that are not counted",
      "delivery 1 of attempt 0",
      [...published("a"), delivered("a", 1), KILL, delivered("a", 2), ...called("ack", "a")],
      {},
    ],
    [
      "an acknowledged dead letter that is gone",
      "is gone",
      [...published("a"), delivered("a", 1), ...called("deadLetter", "a")],
      {},
    ],
    [
      "a dead letter nobody asked for",
      "nobody asked for it",
      [...published("a"), delivered("a", 1)],
      { dead: [letter("a")] },
    ],
    ["a dead letter nobody published", "nobody published", [], { dead: [letter("a")] }],
    [
      "a job that is acknowledged and dead",
      "acknowledged, and a dead letter",
      [...published("a"), delivered("a", 1), ...called("ack", "a")],
      { dead: [letter("a")] },
    ],
    [
      "an id twice among the dead letters",
      "twice among",
      [...published("a"), delivered("a", 1), ...called("deadLetter", "a")],
      { dead: [letter("a"), letter("a")] },
    ],
    [
      "half of one publish call",
      "of one call's 2 messages 1 were stored",
      [publish("asked", "a", "b"), KILL, delivered("a", 1), ...called("ack", "a")],
      {},
    ],
    ["an acknowledged result that is gone", "its result is undefined", result("a", "one"), {}],
    [
      "an acknowledged result that was replaced",
      "its result is two",
      [...result("a", "one"), { f: "result", phase: "asked", id: "a", value: "two" }],
      { results: new Map([["a", "two"]]) },
    ],
    ["a result nobody wrote", "was never written", published("a").slice(0, 1), { results: new Map([["a", "one"]]) }],
    [
      "a call that failed",
      "ack of a failed with STEM_LEASE_LOST",
      [...published("a"), delivered("a", 1), { f: "ack", phase: "failed", id: "a", code: "STEM_LEASE_LOST" }],
      { dead: [] },
    ],
    ["messages left after the drain", "3 messages are left", [], { waiting: 3 }],
  ])("%s", (_name, finding, history, final) => {
    expect(problemsOf(history, final)).toContainEqual(expect.stringContaining(finding));
  });
});
