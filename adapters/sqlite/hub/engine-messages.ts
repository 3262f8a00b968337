import type { ErrorDescription } from "../../../src/error-transfer.ts";
import type { Durability } from "../durability.ts";
import type { MemberBatch, OwnerBatch } from "./protocol.ts";

/** From the opening thread to the engine's thread. */
export type ToEngine =
  | { readonly type: "open"; readonly database: string; readonly durability: Durability }
  | { readonly type: "calls"; readonly batch: MemberBatch }
  | { readonly type: "close" };

/** From the engine's thread to the opening thread. */
export type FromEngine =
  | { readonly type: "opened" }
  | { readonly type: "batch"; readonly batch: OwnerBatch }
  | { readonly type: "log"; readonly level: "debug" | "info" | "warn" | "error"; readonly message: string }
  | { readonly type: "closed"; readonly error?: ErrorDescription };
