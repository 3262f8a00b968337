import type {
  DeadLetterEntry,
  DeadLetterPage,
  DeadLetterReplayOptions,
  DeadLetterReplayResult,
} from "../../src/contracts/broker.ts";
import type { Clock } from "../../src/contracts/clock.ts";
import { checkDuration } from "../../src/core/duration.ts";
import { copyEnvelope, type Envelope } from "../../src/core/envelope.ts";
import { checkName } from "../../src/core/names.ts";
import { checkBoolean, checkDate, checkInteger, mergeOptions } from "../../src/core/options.ts";
import type { HubClient } from "./hub/hub-client.ts";
import { toDeadLetterEntry, toStoredMessage } from "./messages.ts";
import type { DeadLetterRow } from "./operations/inspect.ts";
import type { ResolvedSqliteBrokerOptions } from "./sqlite-broker-options.ts";

const LIMITS = { min: 0, max: 10_000 } as const;
const OFFSETS = { min: 0, max: Number.MAX_SAFE_INTEGER - LIMITS.max } as const;

type ListOptions = Readonly<{ limit?: number; offset?: number }>;
type PurgeOptions = Readonly<{ since?: Date; limit?: number }>;
type ReplayDefaults = Required<Omit<DeadLetterReplayOptions, "since" | "delay">> &
  Pick<DeadLetterReplayOptions, "since" | "delay">;

const LIST_DEFAULTS: Required<ListOptions> = { limit: 50, offset: 0 };
const REPLAY_DEFAULTS = {
  limit: 50,
  since: undefined,
  delay: undefined,
  dryRun: false,
  resetAttempts: true,
} as unknown as ReplayDefaults;
const PURGE_DEFAULTS = { since: undefined, limit: undefined } as unknown as PurgeOptions;

/** The dead letters of a broker: reading, replaying and deleting them. */
export class SqliteDeadLetters {
  readonly #hub: HubClient;
  readonly #options: ResolvedSqliteBrokerOptions;
  readonly #clock: Clock;

  constructor(hub: HubClient, options: ResolvedSqliteBrokerOptions, clock: Clock) {
    this.#hub = hub;
    this.#options = options;
    this.#clock = clock;
  }

  async list(queue: string, options?: ListOptions): Promise<DeadLetterPage> {
    const { limit, offset } = mergeOptions(LIST_DEFAULTS, options);
    checkInteger("limit", limit, LIMITS);
    checkInteger("offset", offset, OFFSETS);
    const names = this.#queue(queue);
    if (limit === 0) return { entries: [] };
    const rows = await this.#hub.call("listDeadLetters", { ...names, limit: limit + 1, offset });
    const entries = rows.slice(0, limit).map(toDeadLetterEntry);
    return rows.length > limit ? { entries, nextOffset: offset + limit } : { entries };
  }

  async get(queue: string, id: string): Promise<DeadLetterEntry | null> {
    const row = await this.#hub.call("getDeadLetter", { ...this.#queue(queue), id: checkName("task id", id) });
    return row === null ? null : toDeadLetterEntry(row);
  }

  async replay(queue: string, options?: DeadLetterReplayOptions): Promise<DeadLetterReplayResult> {
    const { limit, since, delay, dryRun, resetAttempts } = mergeOptions(REPLAY_DEFAULTS, options);
    checkInteger("limit", limit, LIMITS);
    checkBoolean("dryRun", dryRun);
    checkBoolean("resetAttempts", resetAttempts);
    if (delay !== undefined) checkDuration("delay", delay);
    const names = this.#queue(queue);
    const rows = await this.#hub.call("findReplayable", { ...names, since: sinceMs(since), limit });
    const readable = rows.filter(isReadable);
    if (dryRun || readable.length === 0) return { entries: readable.map(toDeadLetterEntry), dryRun };
    const notBefore = delay === undefined ? null : new Date(this.#clock.now() + delay);
    const messages = readable.map((row) => {
      const { envelope } = toDeadLetterEntry(row);
      const next = copyEnvelope(envelope, { notBefore, attempt: resetAttempts ? 0 : envelope.attempt });
      return { seq: row.seq, message: this.#message(next) };
    });
    const moved = new Set(await this.#hub.call("replay", { ...names, messages }));
    return { entries: readable.filter(({ seq }) => moved.has(seq)).map(toDeadLetterEntry), dryRun: false };
  }

  async purge(queue: string, options?: PurgeOptions): Promise<number> {
    const { since, limit } = mergeOptions(PURGE_DEFAULTS, options);
    // SQLite takes a negative limit for none.
    const most = limit === undefined ? -1 : checkInteger("limit", limit, LIMITS);
    return this.#hub.call("purgeDeadLetters", { ...this.#queue(queue), since: sinceMs(since), limit: most });
  }

  /** Deletes what is past its retention, in bounded transactions so that nobody waits long. */
  async sweep(): Promise<void> {
    const { namespace, deadLetterRetention } = this.#options;
    if (deadLetterRetention === 0) return;
    const before = Math.floor(this.#clock.now() - deadLetterRetention);
    while ((await this.#hub.call("sweepDeadLetters", { namespace, before })) > 0);
  }

  #queue(queue: string): Readonly<{ namespace: string; queue: string }> {
    return { namespace: this.#options.namespace, queue: checkName("queue", queue) };
  }

  #message(envelope: Envelope): ReturnType<typeof toStoredMessage> {
    return toStoredMessage(envelope, Number.POSITIVE_INFINITY);
  }
}

function isReadable(row: DeadLetterRow): boolean {
  return !Object.hasOwn(toDeadLetterEntry(row).meta, "stem.rawEnvelope");
}

function sinceMs(since: Date | undefined): number {
  return since === undefined ? 0 : checkDate("since", since).getTime();
}
