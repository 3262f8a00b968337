import { describe, expect, it } from "vitest";
import { InMemoryBroker, InMemoryResultBackend } from "../../../adapters/memory/index.ts";
import type { AnyTaskHandler } from "../../../src/contracts/task-handler.ts";
import { InvalidNameError, InvalidOptionError } from "../../../src/errors.ts";
import { defineTask } from "../../../src/runtime/define-task.ts";
import { Stem } from "../../../src/runtime/stem.ts";
import { FakeClock } from "../../../src/testing/fake-clock.ts";
import { aRecordingBroker } from "./recording-broker.ts";

interface Mail {
  to: string;
  cc?: string;
  parts: { bytes: number }[];
}

describe("defineTask", () => {
  it("takes the argument and result types from the function", async () => {
    const hello = defineTask("demo.hello", async (_context, args: { name: string }) => `Hello ${args.name}`);
    const mail = defineTask("demo.mail", (_context, args: Mail) => ({ to: args.to }));
    const tick = defineTask("demo.tick", async () => undefined);
    const maybe = defineTask("demo.maybe", async (_context, args: { n?: number }) => args.n ?? null);
    const { broker, published } = aRecordingBroker();
    const tasks: AnyTaskHandler[] = [hello, mail, tick, maybe];
    const stem = new Stem({ broker, tasks });

    await hello.enqueue(stem, { name: "world" });
    await mail.enqueue(stem, { to: "a", parts: [] }, { headers: { tenant: "t1" } });
    await tick.enqueue(stem);
    await maybe.enqueue(stem);
    // @ts-expect-error a required argument is missing
    await hello.enqueue(stem);
    // @ts-expect-error an argument has the wrong type
    await hello.enqueue(stem, { name: 3 });
    // @ts-expect-error a Date has no JSON form
    defineTask("demo.bad-arguments", async (_context, args: { at: Date }) => String(args.at));
    // @ts-expect-error a Map has no JSON form
    defineTask("demo.bad-result", async () => new Map([["a", 1]]));

    expect(published.map((envelope) => [envelope.name, envelope.args])).toEqual([
      ["demo.hello", { name: "world" }],
      ["demo.mail", { to: "a", parts: [] }],
      ["demo.tick", {}],
      ["demo.maybe", {}],
      ["demo.hello", {}],
      ["demo.hello", { name: 3 }],
    ]);
    expect(published[1]?.headers).toEqual({ tenant: "t1" });
  });

  it("keeps its types where a list of handlers is expected", () => {
    const { broker } = aRecordingBroker();
    const stem = new Stem({
      broker,
      tasks: [
        defineTask("demo.a", async (_context, args: { n: number }) => args.n),
        defineTask("demo.b", (context) => context.attempt),
      ],
    });

    expect(stem.registry?.handlers.map(({ name }) => name)).toEqual(["demo.a", "demo.b"]);
  });

  it("waits for the result of what it enqueued", async () => {
    const clock = new FakeClock();
    const broker = new InMemoryBroker({ clock });
    const backend = new InMemoryResultBackend({ clock });
    const hello = defineTask("demo.hello", async (_context, args: { name: string }) => `Hello ${args.name}`);
    const stem = new Stem({ broker, backend, tasks: [hello], clock });

    const waiting = hello.enqueueAndWait(stem, { name: "world" }, { timeout: 1_000, enqueueOptions: { taskId: "t1" } });
    await clock.advance(0);
    await backend.set("t1", "succeeded", { payload: "Hello world" });
    const result = await waiting;
    const value: string | undefined = result?.value;

    expect(value).toBe("Hello world");
    const late = hello.enqueueAndWait(stem, { name: "world" }, { timeout: 1_000 });
    await clock.advance(1_000);
    expect(await late).toMatchObject({ timedOut: true, state: "queued" });
    await backend.close();
    await broker.close();
  });

  it.each([
    ["an empty name", () => defineTask("", async () => undefined), InvalidNameError],
    ["a name with blanks", () => defineTask("a b", async () => undefined), InvalidNameError],
    ["no function", () => defineTask("a", undefined as never), InvalidOptionError],
    ["an unknown option", () => defineTask("a", async () => undefined, { retries: 3 } as never), InvalidOptionError],
    ["negative retries", () => defineTask("a", async () => undefined, { maxRetries: -1 }), InvalidOptionError],
    ["a hard limit of 0", () => defineTask("a", async () => undefined, { hardTimeLimit: 0 }), InvalidOptionError],
    [
      "a policy with a negative delay",
      () => defineTask("a", async () => undefined, { retryPolicy: { defaultDelay: -1 } }),
      InvalidOptionError,
    ],
  ])("refuses %s", (_case, define, errorClass) => {
    expect(define).toThrow(errorClass);
  });
});
