import type { ErrorDescription } from "../../../src/error-transfer.ts";
import type { Durability } from "../durability.ts";
import type { MemberBatch, OwnerBatch } from "./protocol.ts";

/** What an engine's thread opens, and for whom. */
export interface EngineOpening {
  readonly database: string;
  readonly durability: Durability;
  readonly session: string;
  /** The platform's name for the context that opens. */
  readonly context: string;
  /** The opening thread may outlive this one, and repeat its calls to another. */
  readonly repeatsCalls: boolean;
}

/** From the opening thread to the engine's thread. */
export type ToEngine =
  /** Loads the engine, so that a later `open` is quick. */
  | { readonly type: "prepare" }
  | ({ readonly type: "open" } & EngineOpening)
  /** Is answered with `pong` as soon as the thread comes to it. */
  | { readonly type: "ping" }
  /** Makes a database of the bytes of another one, without opening it. */
  | { readonly type: "import"; readonly database: string; readonly bytes: Uint8Array; readonly replace: boolean }
  | { readonly type: "calls"; readonly batch: MemberBatch; readonly answered: number }
  | { readonly type: "close" };

/** From the engine's thread to the opening thread. */
export type FromEngine =
  /** Answers `open`: this thread owns the database; somebody else does. */
  | { readonly type: "opened" }
  | { readonly type: "taken" }
  /** Answers `import`. */
  | { readonly type: "imported" }
  /** Answers both. */
  | { readonly type: "failed"; readonly error: ErrorDescription }
  | { readonly type: "batch"; readonly batch: OwnerBatch }
  | { readonly type: "pong" }
  | { readonly type: "log"; readonly level: "debug" | "info" | "warn" | "error"; readonly message: string }
  | { readonly type: "closed"; readonly error?: ErrorDescription };
