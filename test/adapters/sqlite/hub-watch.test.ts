import { describe, expect, it } from "vitest";
import { HubClient } from "../../../adapters/sqlite/hub/hub-client.ts";
import type { Call } from "../../../adapters/sqlite/hub/protocol.ts";
import { watchHub } from "../../../adapters/sqlite/hub-watch.ts";
import type { PushStream } from "../../../adapters/sqlite/push-stream.ts";
import { ClosedError, EngineError } from "../../../src/errors.ts";
import { describeError } from "../../../src/error-transfer.ts";
import { RecordingLogger } from "../../../src/testing/recording-logger.ts";

interface Bench {
  readonly hub: HubClient;
  readonly logger: RecordingLogger;
  readonly ended: PushStream<string>[];
  watch(): PushStream<string>;
  /** The calls that have arrived at the owner since the last look. */
  calls(): Promise<Call[]>;
}

/** A client whose owner is the test itself. */
function open(): Bench {
  const sent: Call[] = [];
  const hub = new HubClient(() => ({
    send: (batch) => void sent.push(...batch),
    waiting: () => undefined,
    close: () => Promise.resolve(),
  }));
  const logger = new RecordingLogger();
  const ended: PushStream<string>[] = [];
  return {
    hub,
    logger,
    ended,
    async calls() {
      for (let turn = 0; turn < 30; turn += 1) await Promise.resolve();
      return sent.splice(0);
    },
    watch: () =>
      watchHub<string, string>({
        hub,
        logger,
        async begin(subscription) {
          const present = await hub.call("watchStatus", { subscription, namespace: "stem", id: "task" });
          return present === null ? [] : [present.id];
        },
        read(text) {
          if (text === "unreadable") throw new ClosedError("The text");
          return text;
        },
        isLast: (text) => text === "last",
        onEnd: (stream) => ended.push(stream),
      }),
  };
}

const subscriptionOf = ([, , args]: Call): number => (args as { subscription: number }).subscription;
const value = (text: string): IteratorResult<string> => ({ done: false, value: text });
const DONE = { done: true, value: undefined };

describe("watchHub", () => {
  it("gives the reply before what was pushed in the same batch, and ends after the last", async () => {
    const { hub, watch, calls, ended } = open();
    const stream = watch();
    const [begin] = (await calls()) as [Call];
    hub.receive({ replies: [[begin[0], { id: "present" }]], pushes: [[subscriptionOf(begin), ["next", "last"]]] });
    expect(await stream.next()).toEqual(value("present"));
    expect(await stream.next()).toEqual(value("next"));
    expect(await stream.next()).toEqual(value("last"));
    expect(await stream.next()).toEqual(DONE);
    const [unwatch] = (await calls()) as [Call];
    expect([unwatch[1], subscriptionOf(unwatch)]).toEqual(["unwatch", subscriptionOf(begin)]);
    expect(ended).toEqual([stream]);
  });

  it("is released only once the owner has begun it, when the reader leaves before", async () => {
    const { hub, watch, calls } = open();
    const stream = watch();
    const returning = stream.return();
    const [begin, ...rest] = (await calls()) as [Call];
    expect(rest).toEqual([]);
    hub.receive({ replies: [[begin[0], null]], pushes: [] });
    const [unwatch] = (await calls()) as [Call];
    hub.receive({ replies: [[unwatch[0], undefined]], pushes: [] });
    expect(await returning).toEqual(DONE);
  });

  it("throws the error of an owner that is gone, after what had come, and asks it for nothing more", async () => {
    const { hub, watch, calls, logger } = open();
    const stream = watch();
    const [begin] = (await calls()) as [Call];
    hub.receive({ replies: [[begin[0], { id: "present" }]], pushes: [] });
    await calls();
    hub.fail(new EngineError("its file is gone", { outcome: "unknown" }));
    expect(await stream.next()).toEqual(value("present"));
    await expect(stream.next()).rejects.toMatchObject({ code: "STEM_ENGINE", outcome: "unknown" });
    await expect(stream.next()).rejects.toMatchObject({ code: "STEM_ENGINE" });
    expect([await calls(), logger.records]).toEqual([[], []]);
  });

  it("throws when the owner cannot begin it, to a reader that comes later too", async () => {
    const { hub, watch, calls } = open();
    const stream = watch();
    const [begin] = (await calls()) as [Call];
    hub.receive({ replies: [[begin[0], undefined, describeError(new ClosedError("The database"))]], pushes: [] });
    await calls();
    await expect(stream.next()).rejects.toMatchObject({ code: "STEM_CLOSED" });
    expect(await calls()).toEqual([]);
  });

  it("throws when what is pushed cannot be read", async () => {
    const { hub, watch, calls } = open();
    const stream = watch();
    const [begin] = (await calls()) as [Call];
    hub.receive({ replies: [[begin[0], null]], pushes: [[subscriptionOf(begin), ["next", "unreadable", "more"]]] });
    expect(await stream.next()).toEqual(value("next"));
    await expect(stream.next()).rejects.toMatchObject({ code: "STEM_CLOSED" });
    expect((await calls()).map(([, operation]) => operation)).toEqual(["unwatch"]);
  });

  it("logs that it could not be ended, and ends for its reader all the same", async () => {
    const { hub, watch, calls, logger } = open();
    const stream = watch();
    const [begin] = (await calls()) as [Call];
    hub.receive({ replies: [[begin[0], null]], pushes: [] });
    const returning = stream.return();
    const [unwatch] = (await calls()) as [Call];
    hub.receive({ replies: [[unwatch[0], undefined, describeError(new ClosedError("The database"))]], pushes: [] });
    expect(await returning).toEqual(DONE);
    expect(logger.records.map(({ level }) => level)).toEqual(["warn"]);
  });
});
