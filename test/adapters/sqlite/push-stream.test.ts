import { describe, expect, it } from "vitest";
import { PushStream } from "../../../adapters/sqlite/push-stream.ts";

interface Bench {
  readonly stream: PushStream<number>;
  readonly releases: () => number;
  finishRelease(): void;
}

function open(): Bench {
  let count = 0;
  let finish: () => void = () => undefined;
  const released = new Promise<void>((resolve) => (finish = resolve));
  const stream = new PushStream<number>(() => {
    count += 1;
    return released;
  });
  return { stream, releases: () => count, finishRelease: () => finish() };
}

const DONE = { done: true, value: undefined };
const value = (number: number): IteratorResult<number> => ({ done: false, value: number });

describe("PushStream", () => {
  it("keeps values in order until they are asked for, falsy ones too", async () => {
    const { stream } = open();
    stream.push(0);
    stream.push(1);
    expect(await stream.next()).toEqual(value(0));
    expect(await stream.next()).toEqual(value(1));
  });

  it("answers several calls at once, in their order", async () => {
    const { stream } = open();
    const answers = [stream.next(), stream.next(), stream.next()];
    stream.push(1);
    stream.push(2);
    void stream.end();
    expect(await Promise.all(answers)).toEqual([value(1), value(2), DONE]);
  });

  it("gives what waits before it ends, and nothing that is pushed later", async () => {
    const { stream, releases } = open();
    stream.push(1);
    void stream.end();
    stream.push(2);
    expect(await stream.next()).toEqual(value(1));
    expect(await stream.next()).toEqual(DONE);
    expect(await stream.next()).toEqual(DONE);
    expect(releases()).toBe(1);
  });

  it("gives what waits before it fails, and then the error each time", async () => {
    const { stream } = open();
    const error = new Error("the owner is gone");
    stream.push(1);
    void stream.fail(error);
    expect(await stream.next()).toEqual(value(1));
    await expect(stream.next()).rejects.toBe(error);
    await expect(stream.next()).rejects.toBe(error);
  });

  it("fails whoever waits, and whatever it fails with", async () => {
    const { stream } = open();
    const answers = [stream.next(), stream.next()].map((answer) => answer.catch((error: unknown) => [error]));
    void stream.fail(undefined);
    expect(await Promise.all(answers)).toEqual([[undefined], [undefined]]);
    await expect(stream.next()).rejects.toBeUndefined();
  });

  it("does not fail any more once it has ended", async () => {
    const { stream, releases } = open();
    void stream.end();
    void stream.fail(new Error("late"));
    expect(await stream.next()).toEqual(DONE);
    expect(releases()).toBe(1);
  });

  it("drops values and errors when the reader ends it, and waits for the release", async () => {
    const { stream, releases, finishRelease } = open();
    stream.push(1);
    void stream.fail(new Error("unseen"));
    let isReturned = false;
    const returning = stream.return().then((result) => {
      isReturned = true;
      return result;
    });
    expect(await stream.next()).toEqual(DONE);
    expect([isReturned, releases()]).toEqual([false, 1]);
    finishRelease();
    expect(await returning).toEqual(DONE);
    expect(await stream.return()).toEqual(DONE);
    expect(releases()).toBe(1);
  });

  it("is its own iterator: a loop that breaks releases it", async () => {
    const { stream, releases, finishRelease } = open();
    finishRelease();
    stream.push(1);
    stream.push(2);
    for await (const number of stream) {
      expect(number).toBe(1);
      break;
    }
    expect(releases()).toBe(1);
    expect(await stream.next()).toEqual(DONE);
  });
});
