import type { WasmDatabase } from "../../adapters/sqlite/database/wasm-database.ts";
import { type CommitObserver } from "./history-commits.ts";
import { type DatabaseContent, readContent } from "./history-content.ts";
import type { SimDisk } from "./sim-disk.ts";

/** One state a database may be found in: what a commit made of it, or tried to. */
export interface HistoryState {
  readonly digest: string;
  readonly version: number;
  /** Changing disk calls made before its commit began: a crash before the next one cannot show this state. */
  readonly begunAt: number;
}

/** The states that a crash may leave, as positions in the history, both included. */
export interface PossibleStates {
  /** What was acknowledged last. */
  readonly from: number;
  /** What was begun last. */
  readonly to: number;
}

interface Acknowledgement {
  readonly at: number;
  readonly state: number;
}

/**
 * What a workload did to a database, commit by commit, and what of it was acknowledged when. Times are numbers of
 * changing disk calls. Written against the promise of the library, not against its code:
 *
 * - acknowledged means durable: a crash at a later call never goes back behind it;
 * - a transaction is there as a whole or not at all;
 * - a call refused as "not applied" has no effect, whatever happens later.
 */
export class History implements CommitObserver {
  readonly #disk: Pick<SimDisk, "operationCount">;
  readonly #states: HistoryState[];
  readonly #acknowledgements: Acknowledgement[] = [];
  readonly #struck = new Set<number>();
  #content: DatabaseContent;
  /** The state that the last successful commit made. */
  #present = 0;
  /** The commit that has just failed, until the turn ends: its answer is given in the same turn. */
  #failed: number | undefined;

  /** `initial` is what the database holds at the start, durably. */
  constructor(disk: Pick<SimDisk, "operationCount">, initial: DatabaseContent) {
    this.#disk = disk;
    this.#content = initial;
    this.#states = [{ digest: initial.digest, version: initial.version, begunAt: 0 }];
  }

  get states(): readonly HistoryState[] {
    return this.#states;
  }

  /** What the last commit that was begun held. */
  get content(): DatabaseContent {
    return this.#content;
  }

  before(database: WasmDatabase): void {
    this.begin(readContent(database));
  }

  /** A commit begins that makes this content durable. */
  begin(content: DatabaseContent): void {
    this.#content = content;
    if (this.#states.at(-1)?.digest === content.digest && !this.#struck.has(this.#states.length - 1)) return;
    this.#states.push({ digest: content.digest, version: content.version, begunAt: this.#disk.operationCount });
  }

  after(error: unknown): void {
    const last = this.#states.length - 1;
    if (error === undefined) this.#present = last;
    else {
      this.#failed = last;
      queueMicrotask(() => (this.#failed = undefined));
    }
  }

  /** An answer of success went out: everything committed until now has to survive from here on. */
  acknowledge(): void {
    this.#acknowledgements.push({ at: this.#disk.operationCount, state: this.#present });
  }

  /** An answer of failure without effect went out: the state of the commit that has just failed must not be found. */
  strike(): void {
    if (this.#failed !== undefined && this.#failed > this.#present) this.#struck.add(this.#failed);
  }

  /** What may be found after a crash before the changing disk call with this index. */
  possibleAt(index: number): PossibleStates {
    let from = 0;
    for (const { at, state } of this.#acknowledgements) if (at <= index) from = Math.max(from, state);
    let to = from;
    for (let state = from + 1; state < this.#states.length; state++) {
      const { begunAt } = this.#states[state] as HistoryState;
      if (begunAt < index) to = state;
    }
    return { from, to };
  }

  /** Whether a state was said to have had no effect. */
  isStruck(position: number): boolean {
    return this.#struck.has(position);
  }

  /** What opening makes of a state: migrations that are still missing run, and nothing else changes. */
  openedDigest(position: number): string {
    const newest = this.#states.at(-1)?.version;
    return this.#states.slice(position).find(({ version }) => version === newest)?.digest ?? "";
  }
}
