import { signal } from "@preact/signals";
import {
  SqliteBroker,
  SqliteDatabase,
  SqliteResultBackend,
  SqliteRevokeStore,
  SqliteWorkflowStore,
  Stem,
  WorkerControl,
  WorkflowRuntime,
} from "stem-sqlite";
import { indexedDbStorage } from "stem-sqlite/storage/indexeddb";
import { WORKFLOWS } from "./sample-workflows.ts";
import { TAB } from "./tab.ts";
import { TASKS, WORKFLOW_QUEUE } from "./tasks.ts";

const query = new URLSearchParams(location.search);

/** The file that the page works on; another one with `?database=name`. */
export const DATABASE = query.get("database") ?? "playground.sqlite";
/** Short, so that leases can be seen to end and to be renewed. */
const LEASE_MS = 12_000;

/** How this page reaches its database; IndexedDB by choice with `?storage=indexeddb`. */
export const CONNECTION = query.get("storage") === "indexeddb" ? { storage: indexedDbStorage() } : {};

/** Everything that is open on the database. */
export interface Session {
  readonly broker: SqliteBroker;
  readonly backend: SqliteResultBackend;
  readonly revokeStore: SqliteRevokeStore;
  readonly database: SqliteDatabase;
  readonly workflowStore: SqliteWorkflowStore;
  readonly stem: Stem;
  readonly control: WorkerControl;
  /** Its store shares the database of the broker: a change of a run and its message are one commit. */
  readonly workflows: WorkflowRuntime;
  close(): Promise<void>;
}

export const session = signal<Session | undefined>(undefined);

/** What is open, for what a button does. */
export function currentSession(): Session {
  if (session.value === undefined) throw new Error("The database is not open.");
  return session.value;
}

/** Opens all stores, or none. */
export async function openSession(): Promise<void> {
  const opened: { close(): Promise<void> }[] = [];
  const keep = <T extends { close(): Promise<void> }>(store: T): T => {
    opened.unshift(store);
    return store;
  };
  const close = async (): Promise<void> => {
    session.value = undefined;
    for (const store of opened) await store.close();
  };
  try {
    const broker = keep(await SqliteBroker.open(DATABASE, { ...CONNECTION, defaultVisibilityTimeout: LEASE_MS }));
    const backend = keep(await SqliteResultBackend.open(DATABASE, { ...CONNECTION, heartbeatTtl: 20_000 }));
    const revokeStore = keep(await SqliteRevokeStore.open(DATABASE, CONNECTION));
    const database = keep(await SqliteDatabase.open(DATABASE, CONNECTION));
    const workflowStore = keep(await SqliteWorkflowStore.open(DATABASE, CONNECTION));
    const stem = keep(new Stem({ broker, backend, tasks: TASKS }));
    const control = keep(new WorkerControl({ broker, defaultTimeout: 2_000 }));
    const workflows = keep(
      new WorkflowRuntime({
        stem,
        broker,
        backend,
        store: workflowStore,
        workflows: WORKFLOWS,
        queue: WORKFLOW_QUEUE,
        runLeaseDuration: LEASE_MS,
        runtimeId: TAB,
      }),
    );
    await workflows.start();
    session.value = { broker, backend, revokeStore, database, workflowStore, stem, control, workflows, close };
  } catch (error) {
    await close();
    throw error;
  }
}
