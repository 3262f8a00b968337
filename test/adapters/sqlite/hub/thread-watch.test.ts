import { describe, expect, it } from "vitest";
import { threadCandidacy } from "../../../../adapters/sqlite/hub/candidacy.ts";
import type { FromEngine, ToEngine } from "../../../../adapters/sqlite/hub/engine-messages.ts";
import { ThreadWatch } from "../../../../adapters/sqlite/hub/thread-watch.ts";
import type { EnginePort } from "../../../../src/contracts/platform.ts";
import { FakeClock, RecordingLogger } from "../../../../src/testing/index.ts";

const PATIENCE = 6_000;

function watch(answers: (ping: number) => boolean): { readonly clock: FakeClock; readonly ends: number[] } {
  const clock = new FakeClock();
  const ends: number[] = [];
  let pings = 0;
  const watched: ThreadWatch = new ThreadWatch({
    clock,
    patience: PATIENCE,
    ping: () => {
      if (answers(++pings)) clock.schedule(() => watched.heard(), 1);
    },
    onHung: () => ends.push(clock.monotonic()),
  });
  return { clock, ends };
}

describe("hub: the watch over a thread", () => {
  it("finds a thread that says nothing any more, once", async () => {
    const { clock, ends } = watch((ping) => ping <= 3);
    await clock.advance(2_500);
    expect(ends).toEqual([]);
    await clock.advance(60_000);
    expect(ends).toHaveLength(1);
  });

  it("takes little longer in a hidden page, whose timers fire a moment after each whole second", async () => {
    const clock = new FakeClock();
    const ends: number[] = [];
    const schedule = (callback: () => void, delay: number) => {
      const now = clock.monotonic();
      return clock.schedule(callback, Math.ceil((now + delay) / 1_000) * 1_000 + 1 - now);
    };
    const watched = new ThreadWatch({
      clock: { schedule } as never,
      patience: 5_000,
      ping: () => undefined,
      onHung: () => ends.push(clock.monotonic()),
    });
    watched.heard();
    await clock.advance(60_000);
    expect(ends).toHaveLength(1);
    expect(ends[0]).toBeLessThan(7_500);
  });

  it("leaves a thread alone that answers late, as in a long transaction", async () => {
    const { clock, ends } = watch((ping) => ping % 5 === 0);
    await clock.advance(600_000);
    expect(ends).toEqual([]);
  });

  it("counts what a machine slept, or a hidden page was not woken, once", async () => {
    const clock = new FakeClock();
    const ends: unknown[] = [];
    let fire: () => void = () => undefined;
    let pings = 0;
    const late = { ...clock, schedule: (callback: () => void) => ((fire = callback), { cancel: () => undefined }) };
    const watched = new ThreadWatch({
      clock: late as never,
      patience: PATIENCE,
      ping: () => void (pings += 1),
      onHung: () => ends.push(1),
    });
    // An hour passes between any two looks, and the answers come right after the look.
    for (let look = 0; look < 100; look++) {
      fire();
      watched.heard();
    }
    expect([ends, pings]).toEqual([[], 101]);
  });
});

/** Threads that own what they are asked to open, and never answer a ping. */
function deafThreads(clock: FakeClock): { spawn(): Promise<EnginePort>; readonly lives: number[] } {
  const lives: number[] = [];
  return {
    lives,
    async spawn() {
      const since = clock.monotonic();
      let say: (message: FromEngine) => void = () => undefined;
      let exit: (fault: unknown) => void = () => undefined;
      return {
        postMessage: (message) => {
          if ((message as ToEngine).type === "open") queueMicrotask(() => say({ type: "opened" }));
        },
        onMessage: (listener) => (say = listener),
        onExit: (listener) => (exit = listener),
        keepAlive: () => undefined,
        terminate: async () => {
          lives.push(clock.monotonic() - since);
          exit(undefined);
        },
      };
    },
  };
}

describe("hub: a candidacy whose threads hang", () => {
  it("ends each, says so, lets calls be repeated, and gives one that follows soon twice the time", async () => {
    const clock = new FakeClock();
    const logger = new RecordingLogger();
    const { spawn, lives } = deafThreads(clock);
    const opening = {
      database: "jobs.sqlite",
      durability: "full",
      session: "aa",
      context: "",
      repeatsCalls: true,
    } as const;
    const candidacy = threadCandidacy(spawn, { ...opening, clock, logger, engineTimeout: PATIENCE });
    const losses: boolean[] = [];
    const open = async (): Promise<void> => {
      const lost = (_cause: unknown, mayRepeat: boolean): void => void losses.push(mayRepeat);
      await candidacy.takeOver({ receive: () => undefined, unresponsive: () => undefined, lost });
    };
    for (let round = 0; round < 6; round++) {
      await open();
      await clock.advance(60_000);
    }
    expect(lives.slice(0, 2)).toEqual([PATIENCE, PATIENCE]);
    expect(losses).toEqual([true, true, true, true, true, true]);
    expect(logger.records.filter(({ level }) => level === "error")).toHaveLength(6);
    await open();
    await clock.advance(PATIENCE);
    await open();
    await clock.advance(PATIENCE);
    expect(lives).toHaveLength(7);
    await clock.advance(PATIENCE);
    expect(lives.at(-1)).toBe(2 * PATIENCE);
  });
});
