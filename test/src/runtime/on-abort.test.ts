import { describe, expect, it } from "vitest";
import { InMemoryBroker, InMemoryResultBackend } from "../../../adapters/memory/index.ts";
import { onAbort } from "../../../src/runtime/on-abort.ts";
import { Stem } from "../../../src/runtime/stem.ts";
import { FakeClock } from "../../../src/testing/fake-clock.ts";

describe("onAbort", () => {
  it("calls every listener that was not taken back, once", () => {
    const controller = new AbortController();
    const calls: string[] = [];
    const forget = ["first", "second", "third"].map((name) => onAbort(controller.signal, () => void calls.push(name)));
    forget[1]?.();
    controller.abort();
    forget[0]?.();
    expect(calls).toEqual(["first", "third"]);
  });

  it("listens anew after the last listener was taken back", () => {
    const controller = new AbortController();
    const calls: string[] = [];
    const forgetFirst = onAbort(controller.signal, () => void calls.push("first"));
    forgetFirst();
    onAbort(controller.signal, () => void calls.push("second"));
    forgetFirst();
    controller.abort();
    expect(calls).toEqual(["second"]);
  });

  it("keeps many waits at once from looking like a leak", async () => {
    const warnings: Error[] = [];
    const onWarning = (warning: Error): void => void warnings.push(warning);
    process.on("warning", onWarning);
    try {
      const clock = new FakeClock();
      const broker = new InMemoryBroker({ clock, sweeperInterval: 0 });
      const backend = new InMemoryResultBackend({ clock, cleanupInterval: 0 });
      const stem = new Stem({ broker, backend, clock });
      const waits = Array.from({ length: 50 }, (_, index) => stem.waitForTask(`t${index}`));
      const ended = Promise.allSettled(waits);
      await stem.close();
      expect((await ended).map(({ status }) => status)).toEqual(Array(50).fill("rejected"));
      // Warnings come in a turn of their own.
      await new Promise((resolve) => setImmediate(resolve));
    } finally {
      process.off("warning", onWarning);
    }
    expect(warnings).toEqual([]);
  });
});
