import { SqliteResultBackend, SqliteRevokeStore } from "../../../adapters/entry/node.ts";
import type { ResultBackendFixture } from "../../contract/result-backend/index.ts";
import type { RevokeStoreFixture } from "../../contract/revoke-store/index.ts";
import { inPlace, onClock, type SqlitePlace } from "./open-sqlite.ts";

/** Result backends on one database in `place`, all on one fake clock. */
export function openSqliteResultBackends(place: () => SqlitePlace): () => ResultBackendFixture {
  return () => {
    const at = place();
    const { clock, engine, owner, remove } = at;
    const opened: SqliteResultBackend[] = [];
    let owning: Promise<SqliteResultBackend> | undefined;
    return {
      clock,
      // A memory driver keeps its databases as long as it lives itself.
      persistent: true,
      async open(options) {
        if (owner !== undefined) {
          await (owning ??= SqliteResultBackend.open("results.sqlite", onClock(clock, owner, engine)));
        }
        const backend = await SqliteResultBackend.open("results.sqlite", {
          ...inPlace(at),
          ...options,
        });
        opened.push(backend);
        return backend;
      },
      async close() {
        for (const backend of opened) await backend.close();
        await (await owning)?.close();
        remove();
      },
    };
  };
}

/** Revoke stores on one database in `place`, all on one fake clock. */
export function openSqliteRevokeStores(place: () => SqlitePlace): () => RevokeStoreFixture {
  return () => {
    const at = place();
    const { clock, engine, owner, remove } = at;
    const opened: SqliteRevokeStore[] = [];
    let owning: Promise<SqliteRevokeStore> | undefined;
    return {
      clock,
      persistent: true,
      async open() {
        if (owner !== undefined) {
          await (owning ??= SqliteRevokeStore.open("revocations.sqlite", onClock(clock, owner, engine)));
        }
        const store = await SqliteRevokeStore.open("revocations.sqlite", inPlace(at));
        opened.push(store);
        return store;
      },
      async close() {
        for (const store of opened) await store.close();
        await (await owning)?.close();
        remove();
      },
    };
  };
}
