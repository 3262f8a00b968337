import { signal } from "@preact/signals";
import type { DatabaseHealth } from "stem-sqlite";
import { poll, type Reading } from "./polling.ts";

/** A change of the owner, as this tab saw it. */
export interface OwnerChange {
  readonly at: number;
  readonly description: string;
  /** How long the call waited that was under way meanwhile. */
  readonly waitedMs: number;
}

/** The last change of the owner since the page was opened. */
export const ownerChange = signal<OwnerChange | undefined>(undefined);
/** How long the last question to the owner took, in milliseconds. */
export const roundTripMs = signal<number | undefined>(undefined);

let ownerId: string | undefined;

/** Asks without a pause worth mentioning, so that a change of owner always has a call under way to measure it by. */
export const health: Reading<DatabaseHealth> = poll(250, async ({ broker }) => {
  const began = performance.now();
  const answer = await broker.health();
  const tookMs = performance.now() - began;
  if (ownerId !== undefined && answer.owner.id !== ownerId) {
    ownerChange.value = { at: Date.now(), description: answer.owner.description, waitedMs: tookMs };
  }
  ownerId = answer.owner.id;
  roundTripMs.value = tookMs;
  return answer;
});
