import type { Logger } from "../../src/contracts/logger.ts";
import type { HubClient } from "./hub/hub-client.ts";
import { PushStream } from "./push-stream.ts";

/** What one kind of watch is made of. */
export interface WatchParts<Event, T> {
  readonly hub: HubClient;
  readonly logger: Logger;
  /**
   * Asks the owner to push to the subscription, at first and after each change of the owner; resolves to what comes
   * before the first push.
   */
  readonly begin: (subscription: number) => Promise<readonly Event[]>;
  readonly read: (event: Event) => T;
  /** Whether nothing follows this value. */
  readonly isLast: (value: T) => boolean;
  /** Called once, when the watch takes no more. */
  readonly onEnd: (stream: PushStream<T>) => void;
}

/**
 * Follows one topic of the owner, from the moment of this call. Ends after the last value, when the reader ends it, or
 * with the error of an owner that is gone.
 */
export function watchHub<Event, T>({ hub, logger, begin, read, isLast, onEnd }: WatchParts<Event, T>): PushStream<T> {
  // Pushes may come in the same batch as the reply they follow, and are heard before it.
  let early: Event[] | undefined;
  let isWatched = true;
  let last = "";
  const take = (events: readonly Event[]): void => {
    try {
      for (const event of events) {
        // After a fault at COMMIT, and after a change, the owner tells the present state again; most often it is known.
        const value = read(event);
        const text = JSON.stringify(value);
        if (text === last) continue;
        last = text;
        stream.push(value);
        if (isLast(value)) void stream.end();
      }
    } catch (error) {
      void stream.fail(error);
    }
  };
  const abort = (error: unknown): void => {
    isWatched = false;
    void stream.fail(error);
  };
  const subscription = hub.listen((events) => {
    if (early === undefined) take(events as readonly Event[]);
    else early.push(...(events as readonly Event[]));
  });
  const forgetLoss = hub.onLost(abort);
  const stream = new PushStream<T>(async () => {
    hub.unlisten(subscription);
    forgetLoss();
    onEnd(stream);
    await begun;
    try {
      if (isWatched) await hub.call("unwatch", { subscription });
    } catch (error) {
      logger.log("warn", "A watch could not be ended; it ends with the database.", { error });
    }
  });
  const start = async (): Promise<void> => {
    early = [];
    try {
      const first = await begin(subscription);
      const events = [...first, ...early];
      early = undefined;
      take(events);
    } catch (error) {
      abort(error);
    }
  };
  const begun = start();
  void begun.then(() => hub.onOwnerChange(subscription, () => void start()));
  return stream;
}
