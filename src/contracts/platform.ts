import type { Clock } from "./clock.ts";
import type { OriginStorage } from "./database-health.ts";
import type { Milliseconds } from "../core/duration.ts";
import type { StorageDriver } from "./storage-driver.ts";

/** Copies text between JavaScript and a byte array that may be WebAssembly memory. */
export interface TextCodec {
  /** Writes `text` as UTF-8 at `at` and returns the number of bytes; there is room for three per UTF-16 unit. */
  write(text: string, into: Uint8Array, at: number): number;
  read(from: Uint8Array, at: number, length: number): string;
}

/** What one context (a thread, a tab, a worker) offers to the database engine that runs in it. */
export interface EngineHost {
  /** The compiled SQLite engine. */
  loadEngine(): Promise<WebAssembly.Module>;
  readonly text: TextCodec;
  /** What error messages in other contexts call this one, such as `process 4711`. */
  readonly contextName?: string;
  /** Names this context for `hasEnded` of others; unlike any other, ever. Absent or empty where none can tell. */
  readonly contextId?: string;
  /** Whether the context of this name has certainly ended. False where that cannot be known. */
  hasEnded?(contextId: string): boolean;
  /** Learns anew which contexts there are, for `hasEnded`; never rejects. Absent where that is known without waiting. */
  lookForContexts?(): Promise<void>;
  /** Runs `callback` soon, after the input that has already arrived: what arrives until then shares a commit. */
  defer(callback: () => void): void;
}

/** A message channel to an engine that runs elsewhere. */
export interface EnginePort {
  postMessage(message: unknown): void;
  /** Called for each message, in order. */
  onMessage(listener: (message: unknown) => void): void;
  /** Called once when the engine's thread ended, with the fault if it ended by one. */
  onExit(listener: (fault: unknown) => void): void;
  /** Whether the port keeps the process alive; it does while calls wait for an answer. */
  keepAlive(on: boolean): void;
  /** Ends the engine's thread. */
  terminate(): Promise<void>;
}

/** Who is told when the platform puts this context aside, as a browser does with a page one may go back to. */
export interface SuspensionListener {
  /** It will not run for a while, perhaps never again: what others wait for must be let go now. */
  suspend(): void;
  resume(): void;
}

/** This context's presence among the others of its platform. */
export interface ContextStay {
  /** Its name for `hasEnded` of others, for as long as it stays and is not put aside. */
  readonly id: string;
  /** Sets who is told. To be called once. */
  watch(listener: SuspensionListener): void;
  /** Idempotent. */
  leave(): void;
}

/** What one runtime (Node, a browser) brings along. */
export interface Platform extends EngineHost {
  readonly name: string;
  /** The driver for a database that was named without one; throws `UnsupportedEnvironmentError` when there is none. */
  defaultStorage(): StorageDriver;
  /** A new driver that keeps its databases in memory. */
  memoryStorage(): StorageDriver;
  /** Silence after which an engine's thread counts as hung. @defaultValue it never does */
  readonly engineTimeout?: Milliseconds;
  /**
   * Engines may be replaced while the context that started them lives: the answers to its own calls are kept as those
   * to other contexts are, so that they can be repeated. @defaultValue `false`
   */
  readonly repeatsCalls?: boolean;
  /** Makes this context known to others. Absent where `contextId` says all there is, and nothing is put aside. */
  enter?(): Promise<ContextStay>;
  /**
   * How to start an engine thread that opens databases through the driver of this name, on `clock` where one is given;
   * `undefined` when there can be none.
   */
  engineThreads?(driver: StorageDriver, clock: Clock | undefined): (() => Promise<EnginePort>) | undefined;
  /** What the browser says of the storage of this page's origin. Absent where there are no origins. */
  originStorage?(): Promise<OriginStorage>;
}
