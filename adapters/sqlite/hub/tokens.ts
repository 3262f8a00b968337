import type { SqlSession } from "../../../src/contracts/sql-database.ts";
import { RAISE_EPOCH } from "../sql/engine.ts";

/** Tokens per epoch; with 2^29 seconds in the high part, a token stays a safe integer until the year 2042. */
const TOKENS_PER_EPOCH = 2 ** 24;
const EPOCH_START_MS = Date.UTC(2025, 0, 1);

/**
 * Fencing tokens: each greater than every one before it, across restarts. The high part is an epoch that each owner
 * raises durably before its first claim, to the present second at least, so that an old copy of the file that is put
 * back does not repeat tokens either.
 */
export class TokenSource {
  #epoch = 0;
  #count = TOKENS_PER_EPOCH;

  /** The next token; stores a new epoch through `sql`, inside the transaction of the claim, when one is used up. */
  next(sql: SqlSession, now: number): number {
    if (this.#count >= TOKENS_PER_EPOCH) this.raiseEpoch(sql, now);
    return this.#epoch * TOKENS_PER_EPOCH + this.#count++;
  }

  /** Begins a new epoch. */
  raiseEpoch(sql: SqlSession, now: number): void {
    const atLeast = Math.max(this.#epoch + 1, Math.floor((now - EPOCH_START_MS) / 1_000));
    const row = sql.get<{ epoch: number }>(RAISE_EPOCH, { atLeast });
    this.#epoch = row?.epoch ?? atLeast;
    this.#count = 0;
  }
}
