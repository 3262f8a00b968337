import type { Clock } from "../../../src/contracts/clock.ts";
import type { Randomness } from "../../../src/contracts/identity.ts";
import type { Logger } from "../../../src/contracts/logger.ts";
import type { EngineHost } from "../../../src/contracts/platform.ts";
import type { OpenedDatabase, SqlEngine } from "../../../src/contracts/sql-engine.ts";
import type { StorageFacts, StorageLease } from "../../../src/contracts/storage-driver.ts";
import { EngineError, StemError } from "../../../src/errors.ts";
import { openDatabase, type OpenDatabaseOptions } from "../database/open-database.ts";
import type { VfsDefects } from "../database/vfs.ts";
import type { Durability } from "../durability.ts";
import type { MemberBatch } from "./protocol.ts";

/** What an owner is made of. */
export interface OwnerParts {
  readonly host: EngineHost;
  readonly lease: StorageLease;
  /** The driver that has the bytes of `lease`. */
  readonly driver: StorageFacts;
  readonly clock: Clock;
  readonly randomness: Randomness;
  readonly logger: Logger;
  readonly durability: Durability;
  /** Where this owner, and the engine with it, runs. */
  readonly place: "thread" | "inline";
  /** @defaultValue the package's own, on the host */
  readonly sqlEngine?: SqlEngine | undefined;
  /** For tests: other settings of our own engine, and deliberate defects. */
  readonly engine?: Partial<Omit<OpenDatabaseOptions, "now" | "monotonic" | "randomBytes">> & {
    readonly defects?: VfsDefects;
  };
}

/** A member's line to the owner. */
export interface OwnerMember {
  /** `answered`: the greatest id up to which the member has received all answers. */
  receive(batch: MemberBatch, answered?: number): void;
  /** The member has gone: its leases end. With `forget` it will not come back to ask for answers. */
  close(forget: boolean): void;
}

/** Opens the database of these parts. */
export function openParts(parts: OwnerParts): Promise<OpenedDatabase> {
  const { host, lease, sqlEngine } = parts;
  const options: OpenDatabaseOptions = {
    synchronous: parts.durability,
    ...parts.engine,
    now: () => Math.floor(parts.clock.now()),
    monotonic: () => parts.clock.monotonic(),
    randomBytes: (into) => parts.randomness.fill(into),
  };
  return sqlEngine === undefined ? openDatabase(host, lease, options) : sqlEngine.open(lease, options);
}

/** What was thrown, as one of our errors. */
export function asStemError(error: unknown): StemError {
  return error instanceof StemError ? error : new EngineError("unexpected fault", { cause: error });
}
