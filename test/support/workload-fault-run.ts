import { isDeepStrictEqual } from "node:util";
import type { StoredDelivery } from "../../adapters/sqlite/operations/operation.ts";
import type { DeliveryRef } from "../../adapters/sqlite/operations/settle.ts";
import { decodeEnvelope } from "../../src/core/envelope.ts";
import { LeaseLostError, StemError } from "../../src/errors.ts";
import type { History } from "./history.ts";
import { type DatabaseContent, tablesOf } from "./history-content.ts";
import type { SimDisk } from "./sim-disk.ts";
import type { SimFaultKind, SimFaultMode } from "./sim-faults.ts";
import { type SessionOptions, WorkloadSession } from "./workload-session.ts";

/** Where a fault strikes, and how. */
export interface FaultPoint {
  /** Index among the calls that change the disk or, with `call: "read"`, among the reads. */
  readonly index: number;
  readonly call: "change" | "read";
  readonly kind: SimFaultKind;
  readonly mode: SimFaultMode;
}

/** What a message that was published must be at the end. */
type Fate = "there" | "gone" | "either";

/** A persistent fault goes away after so many failed calls. */
const FAILURES_BEFORE_HEALING = 3;
const TYPED_FAULTS: ReadonlySet<string> = new Set(["STEM_STORAGE_FULL", "STEM_STORAGE_IO", "STEM_OUTCOME_UNKNOWN"]);

/**
 * One life of an owner while a storage call fails: what it answers has to be honest, and it has to go on. Problems are
 * collected, not thrown, so that a run tells all of them.
 */
export class FaultRun {
  readonly problems: string[] = [];
  readonly fates = new Map<string, Fate>();
  readonly session: WorkloadSession;
  readonly held: DeliveryRef[] = [];
  readonly #disk: SimDisk;
  readonly #point: FaultPoint | undefined;
  #failures = 0;
  #allowed: number;

  constructor(disk: SimDisk, history: History, options: SessionOptions, point?: FaultPoint) {
    this.#disk = disk;
    this.#point = point;
    this.session = new WorkloadSession(disk, history, 1, options);
    this.#allowed = point?.mode === "persistent" ? FAILURES_BEFORE_HEALING : 1;
    if (point?.call === "change") disk.failAt(point.index, point.kind, point.mode);
    if (point?.call === "read") disk.failReadAt(point.index, point.mode);
  }

  /** Runs a call; its failure must be typed, and there must be no more failures than the fault explains. */
  async attempt(name: string, work: () => Promise<unknown>): Promise<"done" | "not-applied" | "unknown"> {
    try {
      if (!this.session.isOpen && name !== "open") return "not-applied";
      await work();
      return "done";
    } catch (error) {
      return this.#failed(name, error);
    }
  }

  /** Opens, again after each failure. */
  async open(): Promise<void> {
    while (!this.session.isOpen && this.problems.length === 0) await this.attempt("open", () => this.session.open());
  }

  /** Notes what `outcome` means for a message whose fate it decides. */
  decide(id: string, outcome: "done" | "not-applied" | "unknown", done: Fate, before: Fate): void {
    this.fates.set(id, outcome === "done" ? done : outcome === "unknown" ? "either" : before);
  }

  /** Takes deliveries from now on. */
  async consume(namespace: string, queue: string): Promise<void> {
    const subscription = this.session.client.listen((events) => {
      for (const { seq, token, envelope } of events as StoredDelivery[]) {
        this.held.push({ seq, token, id: decodeEnvelope(envelope).id, queue });
      }
    });
    const settings = {
      consumerName: "consumer",
      defaultVisibilityTimeout: 30_000,
      maxDeliveries: 20,
      pollInterval: 1_000,
    };
    await this.attempt("consume", () =>
      this.session.call("consume", {
        ...settings,
        subscription,
        namespace,
        queues: [queue],
        channels: [],
        prefetch: 3,
      }),
    );
  }

  /** The disk is well again, if it was not. */
  heal(): void {
    this.#disk.clearFaults();
    if (this.#point?.mode === "persistent") this.#allowed = Math.min(this.#allowed, this.#failures + 1);
  }

  /** Compares what is stored at the end with what was answered. */
  checkFates(content: DatabaseContent): void {
    const tables = tablesOf(content);
    const stored = ["queue_jobs", "dead_letters"].flatMap((name) => tables[name] ?? []).map((row) => String(row["id"]));
    for (const [id, fate] of this.fates) {
      if (fate === "either" || stored.includes(id) === (fate === "there")) continue;
      this.problems.push(`${id} must be ${fate}, and is ${fate === "there" ? "gone" : "there"}`);
    }
    if (!isDeepStrictEqual(stored, [...new Set(stored)])) this.problems.push(`stored twice: ${stored.join(", ")}`);
  }

  #failed(name: string, error: unknown): "not-applied" | "unknown" {
    if (error instanceof LeaseLostError) return "not-applied";
    this.#failures += 1;
    const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    if (!(error instanceof StemError) || !TYPED_FAULTS.has(error.code)) this.problems.push(`${name} threw ${text}`);
    else if (this.#failures > this.#allowed) this.problems.push(`${name} failed although the fault was over: ${text}`);
    if (this.#point?.mode === "persistent" && this.#failures === FAILURES_BEFORE_HEALING) {
      this.heal();
      // The call that finds the disk well again makes the owner open it anew.
      this.#allowed = this.#failures + 1;
    }
    return error instanceof StemError ? error.outcome : "unknown";
  }
}
