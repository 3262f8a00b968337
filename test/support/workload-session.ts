import { nodeEngineHost } from "../../adapters/entry/node-platform.ts";
import type { Durability } from "../../adapters/sqlite/durability.ts";
import { acquireOwner } from "../../adapters/sqlite/hub/acquire-owner.ts";
import { HubClient, type OwnerLink } from "../../adapters/sqlite/hub/hub-client.ts";
import { inlineLink } from "../../adapters/sqlite/hub/inline-link.ts";
import type { OwnerParts } from "../../adapters/sqlite/hub/owner-parts.ts";
import type { OwnerBatch } from "../../adapters/sqlite/hub/protocol.ts";
import type { ArgsOf, OperationName, ResultOf } from "../../adapters/sqlite/operations/operation-table.ts";
import type { EngineHost } from "../../src/contracts/platform.ts";
import { FakeClock } from "../../src/testing/fake-clock.ts";
import { RecordingLogger } from "../../src/testing/recording-logger.ts";
import type { History } from "./history.ts";
import type { SimDisk } from "./sim-disk.ts";
import { createSimRandom, type SimRandom } from "./sim-random.ts";

/** The name of the database on its simulated disk. */
export const DATABASE = "jobs";

/** How the database under test is opened. */
export interface SessionOptions {
  readonly durability?: Durability;
  readonly engine?: OwnerParts["engine"];
}

/** An engine host whose calls share a commit exactly when they were made in one turn: the same in every run. */
export const simHost: EngineHost = { ...nodeEngineHost, defer: (callback) => queueMicrotask(callback) };

/** A client that tells the history of every answer, at the moment the owner gives it. */
class RecordedClient extends HubClient {
  readonly #history: History;

  constructor(connect: (client: HubClient) => OwnerLink, history: History) {
    super(connect);
    this.#history = history;
  }

  override receive(batch: OwnerBatch): void {
    const errors = batch.replies.flatMap(([, , error]) => (error === undefined ? [] : [error]));
    const isFault = ({ code }: { code: string }): boolean => FAULTS.has(code);
    if (batch.replies.some(([, , error]) => error === undefined) || batch.pushes.length > 0)
      this.#history.acknowledge();
    else if (errors.some((error) => isFault(error) && error.outcome === "not-applied")) this.#history.strike();
    super.receive(batch);
  }
}

/** Errors that stand for a transaction that could not be committed; others are answers of an operation. */
const FAULTS: ReadonlySet<string> = new Set(["STEM_STORAGE_FULL", "STEM_STORAGE_IO", "STEM_ENGINE"]);

/** A running owner with one member on a simulated disk, under a clock that only tests move. */
export class WorkloadSession {
  readonly clock: FakeClock;
  readonly random: SimRandom;
  readonly logger: RecordingLogger = new RecordingLogger();
  readonly #disk: SimDisk;
  readonly #history: History;
  readonly #options: SessionOptions;
  #client: HubClient | undefined;

  constructor(disk: SimDisk, history: History, seed: number, options: SessionOptions) {
    this.#disk = disk;
    this.#history = history;
    this.#options = options;
    this.random = createSimRandom(seed);
    this.clock = new FakeClock();
  }

  get client(): HubClient {
    if (this.#client === undefined) throw new Error("The session is not open.");
    return this.#client;
  }

  get isOpen(): boolean {
    return this.#client !== undefined;
  }

  /** Opens the database; that it is open is an acknowledgement too. */
  async open(): Promise<void> {
    const { durability = "full", engine } = this.#options;
    const random = createSimRandom(Math.floor(this.random() * 2 ** 32));
    const owner = await acquireOwner(this.#disk, DATABASE, {
      host: simHost,
      clock: this.clock,
      randomness: { number: random, fill: (into) => into.forEach((_, at) => (into[at] = random() * 256)) },
      logger: this.logger,
      durability,
      place: "inline",
      ...(engine === undefined ? {} : { engine }),
    });
    this.#history.acknowledge();
    if (owner === undefined) throw new Error("Somebody else owns the database of the workload.");
    this.#client = new RecordedClient(inlineLink(owner, this.clock), this.#history);
  }

  /** Closes cleanly; on failure the session is closed too. */
  async close(): Promise<void> {
    const client = this.client;
    this.#client = undefined;
    await client.close();
  }

  call<Name extends OperationName>(name: Name, args: ArgsOf<Name>): Promise<ResultOf<Name>> {
    return this.client.call(name, args);
  }

  /** A whole number from `low` to `high`, both included. */
  integer(low: number, high: number): number {
    return low + Math.floor(this.random() * (high - low + 1));
  }

  pick<T>(values: readonly T[]): T {
    return values[this.integer(0, values.length - 1)] as T;
  }

  chance(probability: number): boolean {
    return this.random() < probability;
  }
}
