import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { SqliteBroker, SqliteResultBackend } from "../../adapters/entry/node.ts";
import { createEnvelope } from "../../src/index.ts";
import { createSeededRandomness } from "../../src/testing/index.ts";
import { checkDatabase, copyDatabase } from "../support/database-check.ts";
import { type ChildProgram, startProgram } from "../support/child-process.ts";
import { useTempDirectory } from "../support/temp-directory.ts";
import { checkTotalQueue } from "../support/total-queue.ts";
import type { FinalState, Step } from "../support/total-queue-history.ts";

const KILLS = Number(process.env["STEM_KILLS"] ?? 100);
const SEED = Number(process.env["STEM_SEED"] ?? Math.floor(Math.random() * 1_000_000));
/** Of so many lives, one is ended while it still opens its files. */
const EARLY_KILL_EVERY = 5;
const MAX_OPENING_MS = 200;
const MAX_LINES = 300;
const MAX_EXTRA_MS = 10;
const MINUTE_MS = 60_000;

describe("torture/kill", () => {
  it.each([
    { engine: "our own engine", program: [], kills: KILLS },
    { engine: "sql.js", program: ["sqljs"], kills: Math.ceil(KILLS / 4) },
  ])(
    "loses nothing and repeats no end in $kills lives that SIGKILL ends at any moment, in $engine",
    async ({ program: engine, kills }) => {
      console.log(`Replay: STEM_SEED=${SEED} STEM_KILLS=${KILLS} npx vitest run test/torture/kill.test.ts`);
      const folder = useTempDirectory();
      const random = createSeededRandomness(SEED);
      const history: Step[] = [];
      let checking: Promise<void> = Promise.resolve();

      const loadProgram = (life: number): ChildProgram =>
        startProgram("random-work", [folder, String(SEED), String(life), ...engine]);
      let next = loadProgram(0);
      for (let life = 0; life < kills; life++) {
        const program = next;
        program.write("go");
        next = loadProgram(life + 1);
        await checking;
        await killAtRandom(program, random.number, life % EARLY_KILL_EVERY === EARLY_KILL_EVERY - 1);
        history.push(...readSteps(program.lines), { f: "kill" });
        checking = checkCopies(folder, life);
      }
      await checking;
      await next.kill();

      const final = await drain(folder, history);
      const { problems, totals } = checkTotalQueue(history, final);
      console.log(`After ${kills} kills: ${JSON.stringify(totals)}`);
      expect(problems.slice(0, 20)).toEqual([]);
      expect(totals.redelivered).toBeGreaterThan(0);
      expect(totals.finished).toBeGreaterThan(kills);
      await checkCopies(folder, kills);
    },
    MINUTE_MS + KILLS * 3_000,
  );
});

/**
 * The moment is a matter of chance, not of the outcome: whatever it is, the promises have to hold. It is measured in
 * work, so that a busy machine tests as much as an idle one, with a little time on top to hit the middle of things.
 */
async function killAtRandom(program: ChildProgram, random: () => number, early: boolean): Promise<void> {
  if (!early) await program.printed(1 + Math.floor(random() * MAX_LINES));
  const delayMs = random() * (early ? MAX_OPENING_MS : MAX_EXTRA_MS);
  await new Promise((resolve) => setTimeout(resolve, delayMs));
  expect(program.process.exitCode, "the program ended by itself").toBe(null);
  await program.kill();
}

function readSteps(lines: readonly string[]): readonly Step[] {
  return lines.filter((line) => line !== "ready").map((line) => JSON.parse(line) as Step);
}

/** Copies what the crash left before anybody opens it again; the next life works on the original meanwhile. */
function checkCopies(folder: string, life: number): Promise<void> {
  const copies = join(folder, `copies-${life % 2}`);
  mkdirSync(copies, { recursive: true });
  const checks = ["broker.sqlite", "backend.sqlite"].map(async (name) => {
    const copy = copyDatabase(join(folder, name), copies);
    expect(await checkDatabase(copy), `${name} after life ${life}`).toEqual([]);
  });
  return Promise.all(checks).then(() => undefined);
}

/** Takes everything that is left, adding it to the history, and reads what the files say. */
async function drain(folder: string, history: Step[]): Promise<FinalState> {
  const broker = await SqliteBroker.open(join(folder, "broker.sqlite"), { maxDeliveries: 1_000_000 });
  const backend = await SqliteResultBackend.open(join(folder, "backend.sqlite"));
  const dead: { id: string; body: string; reason?: string }[] = [];
  let waiting = 0;
  for (const queue of ["left", "right"]) {
    await drainQueue(broker, queue, history);
    waiting += (await broker.pendingCount(queue)) + (await broker.inflightCount(queue));
    for (let offset: number | undefined = 0; offset !== undefined;) {
      const page = await broker.listDeadLetters(queue, { limit: 1_000, offset });
      for (const { envelope, reason } of page.entries) {
        dead.push({
          id: envelope.id,
          body: String(envelope.args["body"]),
          ...(reason === undefined ? {} : { reason }),
        });
      }
      offset = page.nextOffset;
    }
  }
  const results = new Map<string, string>();
  for (const id of new Set(history.flatMap((step) => ("id" in step ? [step.id] : [])))) {
    const status = await backend.get(id);
    if (status !== null) results.set(id, String(status.payload));
  }
  await backend.close();
  await broker.close();
  return { dead, results, waiting };
}

/**
 * The last message has the lowest priority and is not due before any other: when it comes, nothing else is there.
 */
async function drainQueue(broker: SqliteBroker, queue: string, history: Step[]): Promise<void> {
  let left = history.length;
  const notBefore = new Date(Date.now() + 1_000);
  const last = createEnvelope({ name: "last", queue, priority: -1, notBefore, id: `last-${queue}` });
  await broker.publish(last);
  for await (const delivery of broker.consume({ queues: [queue] }, { prefetch: 1 })) {
    const { envelope, token, deliveries } = delivery;
    const { id, attempt, args } = envelope;
    if (left-- <= 0) throw new Error(`Queue ${queue} has no end.`);
    if (id !== last.id) {
      history.push({ f: "deliver", id, body: String(args["body"]), attempt, token, deliveries });
      history.push({ f: "ack", phase: "asked", id });
    }
    await broker.ack(delivery);
    if (id === last.id) return;
    history.push({ f: "ack", phase: "done", id });
  }
}
