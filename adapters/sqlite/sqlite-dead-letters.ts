import type {
  DeadLetterEntry,
  DeadLetterPage,
  DeadLetterReplayOptions,
  DeadLetterReplayResult,
} from "../../src/contracts/broker.ts";
import { checkDuration } from "../../src/core/duration.ts";
import { checkName } from "../../src/core/names.ts";
import { checkBoolean, checkDate, checkInteger, mergeOptions } from "../../src/core/options.ts";
import { LIMIT_BOUNDS, type PageOptions, resolvePage } from "../../src/core/page-options.ts";
import type { HubClient } from "./hub/hub-client.ts";
import { toDeadLetterEntry } from "./messages.ts";
import type { ResolvedSqliteBrokerOptions } from "./sqlite-broker-options.ts";

type PurgeOptions = Readonly<{ since?: Date; limit?: number }>;
type ReplayDefaults = Required<Omit<DeadLetterReplayOptions, "since" | "delay">> &
  Pick<DeadLetterReplayOptions, "since" | "delay">;

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

  constructor(hub: HubClient, options: ResolvedSqliteBrokerOptions) {
    this.#hub = hub;
    this.#options = options;
  }

  async list(queue: string, options?: PageOptions): Promise<DeadLetterPage> {
    const { limit, offset } = resolvePage(options);
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
    checkInteger("limit", limit, LIMIT_BOUNDS);
    checkBoolean("dryRun", dryRun);
    checkBoolean("resetAttempts", resetAttempts);
    if (delay !== undefined) checkDuration("delay", delay);
    const args = { ...this.#queue(queue), since: sinceMs(since), limit, resetAttempts, dryRun };
    const rows = await this.#hub.call("replay", { ...args, delay: delay === undefined ? null : Math.ceil(delay) });
    return { entries: rows.map(toDeadLetterEntry), dryRun };
  }

  async purge(queue: string, options?: PurgeOptions): Promise<number> {
    const { since, limit } = mergeOptions(PURGE_DEFAULTS, options);
    // SQLite takes a negative limit for none.
    const most = limit === undefined ? -1 : checkInteger("limit", limit, LIMIT_BOUNDS);
    return this.#hub.call("purgeDeadLetters", { ...this.#queue(queue), since: sinceMs(since), limit: most });
  }

  /** Deletes what is past its retention, in bounded transactions so that nobody waits long. */
  async sweep(): Promise<void> {
    const { namespace, deadLetterRetention } = this.#options;
    while ((await this.#hub.call("sweepDeadLetters", { namespace, retention: deadLetterRetention })) > 0);
  }

  #queue(queue: string): Readonly<{ namespace: string; queue: string }> {
    return { namespace: this.#options.namespace, queue: checkName("queue", queue) };
  }
}

function sinceMs(since: Date | undefined): number {
  return since === undefined ? 0 : checkDate("since", since).getTime();
}
