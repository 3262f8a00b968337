import { describe, expect, it } from "vitest";
import { HubClient, type OwnerLink } from "../../../../adapters/sqlite/hub/hub-client.ts";
import type { Call, MemberBatch } from "../../../../adapters/sqlite/hub/protocol.ts";
import { describeError } from "../../../../src/error-transfer.ts";
import {
  ClosedError,
  DatabaseBusyError,
  EngineError,
  LeaseLostError,
  OutcomeUnknownError,
} from "../../../../src/errors.ts";
import { NAMESPACE } from "./open-owner.ts";

const MAIL = { namespace: NAMESPACE, queue: "mail" };

interface TestLink {
  readonly client: HubClient;
  readonly batches: MemberBatch[];
  readonly waiting: boolean[];
  closes: number;
  finishClose(): void;
}

function aLink(): TestLink {
  const batches: MemberBatch[] = [];
  const waiting: boolean[] = [];
  let finishClose!: () => void;
  const closed = new Promise<void>((resolve) => (finishClose = resolve));
  const link: OwnerLink = {
    send: (batch) => void batches.push(batch),
    waiting: (on) => void waiting.push(on),
    close: () => {
      test.closes += 1;
      return closed;
    },
  };
  const test: TestLink = { client: new HubClient(() => link), batches, waiting, closes: 0, finishClose };
  return test;
}

const endOfTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const lastCall = ({ batches }: TestLink): Call => batches.at(-1)?.at(-1) as Call;

describe("hub/hub-client", () => {
  it("sends the calls of one turn together, in order, and answers each with its own reply", async () => {
    const link = aLink();
    const one = link.client.call("pendingCount", MAIL);
    const two = link.client.call("inflightCount", MAIL);
    expect(link.batches).toEqual([]);
    await endOfTurn();
    expect(link.batches.map((batch) => batch.map(([, name]) => name))).toEqual([["pendingCount", "inflightCount"]]);
    const [[first], [second]] = link.batches[0] as [Call, Call];
    link.client.receive({
      replies: [
        [second, 2],
        [first, 1],
      ],
      pushes: [],
    });
    expect(await Promise.all([one, two])).toEqual([1, 2]);
  });

  it("sends what a turn does in several steps as one batch", async () => {
    const link = aLink();
    const steps = async (): Promise<void> => {
      for (let step = 0; step < 5; step += 1) {
        void link.client.call("pendingCount", MAIL);
        // As long as the way of a task through a worker.
        for (let microtask = 0; microtask < 6; microtask += 1) await Promise.resolve();
      }
    };
    await Promise.all([steps(), steps(), endOfTurn()]);
    expect(link.batches.map((batch) => batch.length)).toEqual([10]);
  });

  it("does not wait for the end of a turn that makes calls without end", async () => {
    const link = aLink();
    for (let call = 0; call < 2_500; call += 1) {
      void link.client.call("pendingCount", MAIL);
      await Promise.resolve();
    }
    expect(link.batches.map((batch) => batch.length)).toEqual([1_000, 1_000]);
    await endOfTurn();
    expect(link.batches.map((batch) => batch.length)).toEqual([1_000, 1_000, 500]);
  });

  it("revives errors with their class", async () => {
    const link = aLink();
    const call = link.client.call("pendingCount", MAIL);
    await endOfTurn();
    link.client.receive({
      replies: [[lastCall(link)[0], undefined, describeError(new LeaseLostError("a", "b"))]],
      pushes: [],
    });
    await expect(call).rejects.toBeInstanceOf(LeaseLostError);
  });

  it("gives replies before pushes, and pushes only to whom they are for", async () => {
    const link = aLink();
    const events: unknown[] = [];
    const subscription = link.client.listen((pushed) => void events.push(...pushed));
    const call = link.client.call("pendingCount", MAIL).then(() => events.push("reply"));
    await endOfTurn();
    link.client.receive({
      replies: [[lastCall(link)[0], 0]],
      pushes: [
        [subscription, [1, 2]],
        [999, [3]],
      ],
    });
    await call;
    expect(events).toEqual([1, 2, "reply"]);
    link.client.unlisten(subscription);
    link.client.receive({ replies: [[12_345, 0]], pushes: [[subscription, [4]]] });
    expect(events).toEqual([1, 2, "reply"]);
  });

  it("keeps the process alive while a call waits or somebody listens, and no longer", async () => {
    const link = aLink();
    const call = link.client.call("pendingCount", MAIL);
    const subscription = link.client.listen(() => undefined);
    await endOfTurn();
    link.client.receive({ replies: [[lastCall(link)[0], 0]], pushes: [] });
    await call;
    expect(link.waiting).toEqual([true]);
    link.client.unlisten(subscription);
    expect(link.waiting).toEqual([true, false]);
  });

  it("rejects what is under way when the owner is lost, and everything after", async () => {
    const link = aLink();
    const lost: unknown[] = [];
    link.client.onLost((error) => void lost.push(error));
    const forget = link.client.onLost(() => void lost.push("forgotten"));
    forget();
    const sent = link.client.call("pendingCount", MAIL);
    await endOfTurn();
    const unsent = link.client.call("pendingCount", MAIL);
    const lostForGood = new EngineError("its file is gone");
    link.client.fail(lostForGood);
    link.client.fail(lostForGood);
    for (const call of [sent, unsent, link.client.call("pendingCount", MAIL)]) {
      await expect(call).rejects.toBe(lostForGood);
    }
    expect(lost).toHaveLength(1);
    expect(link.batches).toHaveLength(1);
    expect(link.waiting).toEqual([true, false]);
    const closing = link.client.close();
    link.finishClose();
    await closing;
    expect(link.closes).toBe(1);
  });

  it("rejects what is unanswered when the close fails, and what is called afterwards", async () => {
    const fault = new EngineError("it could not be closed");
    const client = new HubClient(() => ({
      send: () => undefined,
      waiting: () => undefined,
      close: () => Promise.reject(fault),
    }));
    const unanswered = client.call("pendingCount", MAIL);
    await Promise.all([
      expect(client.close()).rejects.toBe(fault),
      expect(unanswered).rejects.toBeInstanceOf(OutcomeUnknownError),
    ]);
    await expect(client.call("pendingCount", MAIL)).rejects.toBeInstanceOf(ClosedError);
  });

  it.each(["fail", "unresponsive"] as const)("says what an owner may have done before it was gone: %s", async (how) => {
    const link = aLink();
    const sent = link.client.call("purge", MAIL);
    await endOfTurn();
    const unsent = link.client.call("purge", MAIL);
    link.client.lost(undefined, true);
    const later = link.client.call("purge", MAIL);
    await endOfTurn();
    const error = new DatabaseBusyError("jobs.sqlite", "somebody");
    link.client[how](error);
    await expect(sent).rejects.toMatchObject({ code: "STEM_OUTCOME_UNKNOWN", cause: error });
    await expect(unsent).rejects.toBe(error);
    await expect(later).rejects.toBe(error);
  });

  it("sends what was called before it closes, and rejects what is never answered", async () => {
    const link = aLink();
    const call = link.client.call("pendingCount", MAIL);
    const closing = link.client.close();
    expect(link.batches).toHaveLength(1);
    link.finishClose();
    await closing;
    await expect(call).rejects.toBeInstanceOf(OutcomeUnknownError);
    await expect(link.client.call("pendingCount", MAIL)).rejects.toBeInstanceOf(ClosedError);
    expect(link.waiting).toEqual([true, false]);
  });

  it("closes its link once, and every close waits for it", async () => {
    const link = aLink();
    const order: string[] = [];
    const closes = [1, 2, 3].map((index) => link.client.close().then(() => order.push(`closed ${index}`)));
    await endOfTurn();
    expect([order, link.closes]).toEqual([[], 1]);
    link.finishClose();
    await Promise.all(closes);
    await link.client.close();
    expect([order.length, link.closes]).toEqual([3, 1]);
  });

  it("ignores replies to calls that it does not know", () => {
    const { client } = aLink();
    expect(() =>
      client.receive({
        replies: [
          [1, 2],
          [-1, 0],
        ],
        pushes: [[5, []]],
      }),
    ).not.toThrow();
  });

  it("gives a query to two owners, and no other call up", async () => {
    const { client, batches } = aLink();
    const query = client.call("queryDatabase", { sql: "select 1", parameters: {}, maxRows: 1 });
    const count = client.call("pendingCount", MAIL);
    const failure = query.catch((error: unknown) => error);
    await endOfTurn();
    for (const expected of [2, 1, 1]) {
      client.lost(undefined, true);
      client.attached();
      expect(batches.at(-1)).toHaveLength(expected);
    }
    expect(await failure).toBeInstanceOf(EngineError);
    expect(await failure).toMatchObject({ retryable: false });
    client.receive({ replies: [[2, 7]], pushes: [] });
    expect(await count).toBe(7);
  });
});
