import type { InflightPage, PendingPage, QueueSummary } from "../../src/contracts/broker.ts";
import { checkName } from "../../src/core/names.ts";
import { type PageOptions, resolvePage } from "../../src/core/page-options.ts";
import type { HubClient } from "./hub/hub-client.ts";
import { readStoredEnvelope } from "./messages.ts";
import type { ListArgs, Page } from "./operations/listings.ts";

/** Looks at the queues of a broker's namespace; changes nothing. */
export class SqliteInspection {
  readonly #hub: HubClient;
  readonly #namespace: string;

  constructor(hub: HubClient, namespace: string) {
    this.#hub = hub;
    this.#namespace = namespace;
  }

  async queues(): Promise<readonly QueueSummary[]> {
    const rows = await this.#hub.call("listQueues", { namespace: this.#namespace });
    return rows
      .toSorted((one, other) => (one.queue < other.queue ? -1 : 1))
      .map(({ oldestReadyAt, ...counts }) => ({
        ...counts,
        ...(oldestReadyAt === null ? {} : { oldestReadyAt: new Date(oldestReadyAt) }),
      }));
  }

  async pending(queue: string, options?: PageOptions): Promise<PendingPage> {
    const page = await this.#page(queue, options, (args) => this.#hub.call("listPending", args));
    return {
      ...page,
      entries: page.entries.map((row) => ({
        envelope: readStoredEnvelope(row, queue),
        ...(row.isDelayed ? { visibleAt: new Date(row.dueAt) } : {}),
      })),
    };
  }

  async inflight(queue: string, options?: PageOptions): Promise<InflightPage> {
    const page = await this.#page(queue, options, (args) => this.#hub.call("listInflight", args));
    return {
      ...page,
      entries: page.entries.map((row) => ({
        envelope: readStoredEnvelope(row, queue),
        token: row.token,
        deliveries: row.deliveries,
        leaseExpiresAt: new Date(row.dueAt),
        leaseMs: row.leaseMs,
        consumerName: row.consumer,
      })),
    };
  }

  async #page<Row>(
    queue: string,
    options: PageOptions | undefined,
    list: (args: ListArgs) => Promise<Page<Row>>,
  ): Promise<Readonly<{ entries: readonly Row[]; nextOffset?: number }>> {
    const { limit, offset } = resolvePage(options);
    const names = { namespace: this.#namespace, queue: checkName("queue", queue) };
    if (limit === 0) return { entries: [] };
    const { rows, hasMore } = await list({ ...names, limit, offset });
    return hasMore ? { entries: rows, nextOffset: offset + rows.length } : { entries: rows };
  }
}
