import type { RevokeEntry, RevokeStore } from "../contracts/revoke-store.ts";
import type { Clock } from "../contracts/clock.ts";
import type { RevocationRequest, RevokeReply } from "../core/control-payloads.ts";
import type { LocalRevocations } from "./local-revocations.ts";
import { applyRevocation, isInForce } from "./revocation-watch.ts";
import { generateRevokeVersion } from "./revoke-version.ts";
import type { TaskPool } from "./task-pool.ts";

/** What revoking works with. */
export interface ControlRevocationsParts {
  readonly store: RevokeStore | undefined;
  /** Used without a store. */
  readonly local: LocalRevocations;
  /** The broker's. */
  readonly namespace: string;
  readonly clock: Clock;
  readonly pool: TaskPool;
}

/** Stores revocations where there is a store, and applies them to this worker's tasks at once. */
export async function revokeByControl(
  requests: readonly RevocationRequest[],
  parts: ControlRevocationsParts,
): Promise<RevokeReply> {
  const { store, local, namespace, clock, pool } = parts;
  const entries = requests.map((request) => toEntry(request, namespace, clock));
  const stored = store === undefined ? entries.map((entry) => local.offer(entry)) : await store.upsertAll(entries);
  const now = clock.now();
  const own = stored.filter((entry) => entry.namespace === namespace);
  for (const entry of own) applyRevocation(entry, pool.runs, now);
  const revoked = new Set(stored.filter((entry) => isInForce(entry, now)).map(({ taskId }) => taskId));
  const newer = stored.filter((entry, index) => entry.version > (entries[index]?.version ?? 0));
  const isOver = (entry: RevokeEntry): boolean => !isInForce(entry, now);
  return {
    namespace,
    tasks: entries.length,
    revoked: [...revoked],
    inflight: [...pool.held].map(({ envelope }) => envelope.id).filter((id) => revoked.has(id)),
    ignored: idsOf(newer),
    expired: idsOf(stored.filter(isOver)),
    latestVersion: Math.max(...stored.map(({ version }) => version)),
    persisted: store !== undefined,
  };
}

/** The revocations in force that the worker knows of, newest first, at most `limit`. */
export async function revocationsInForce(
  { store, local, namespace, clock }: ControlRevocationsParts,
  limit: number,
): Promise<readonly RevokeEntry[]> {
  const entries = store === undefined ? [...local.all] : await store.list(namespace);
  return entries
    .filter((entry) => isInForce(entry, clock.now()))
    .sort((one, other) => other.version - one.version)
    .slice(0, limit);
}

function toEntry(request: RevocationRequest, namespace: string, clock: Clock): RevokeEntry {
  const { version = generateRevokeVersion(clock), issuedAt = new Date(clock.now()) } = request;
  return { namespace, ...request, version, issuedAt };
}

function idsOf(entries: readonly RevokeEntry[]): readonly string[] {
  return [...new Set(entries.map(({ taskId }) => taskId))];
}
