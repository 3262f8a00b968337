import { useRef } from "preact/hooks";
import type { DatabaseHealth } from "stem-sqlite";
import { requestPersistence } from "stem-sqlite/browser";
import { Button } from "../parts/button.tsx";
import { Panel } from "../parts/panel.tsx";
import { confirmation } from "../state/confirmation.ts";
import { formatBytes } from "../state/format.ts";
import { act } from "../state/notices.ts";
import { health } from "../state/owner.ts";
import { refreshAll } from "../state/polling.ts";
import { downloadDatabase, replaceDatabase } from "../state/transfer.ts";
import { Fact } from "./tabs.tsx";

const SURVIVES: Readonly<Record<DatabaseHealth["survives"], string>> = {
  "power-cut": "a power cut",
  "process-crash": "a crash of the browser",
  nothing: "nothing",
};

export function StoragePanel() {
  const found = health.value.value;
  return (
    <Panel
      id="storage"
      title="Storage"
      about="Where the bytes are, what a stored job survives, and the file itself, which any SQLite program opens."
    >
      <div class="toolbar">
        <Button run={downloadDatabase}>Download the database</Button>
        <ImportButton />
        <Button run={askForPersistence}>Ask the browser to keep it</Button>
      </div>
      {found === undefined ? <p>Asking…</p> : <StorageFacts found={found} />}
    </Panel>
  );
}

function StorageFacts({ found }: { readonly found: DatabaseHealth }) {
  const { usage, quota, persisted } = found.origin ?? {};
  return (
    <dl class="facts grid">
      <Fact name="File" value={found.database} />
      <Fact name="Driver" value={`${found.storage.name}${found.storage.persistent ? "" : ", not persistent"}`} />
      <Fact name="Engine" value={`${found.engine.name} ${found.engine.version}, in a ${placeOf(found)}`} />
      <Fact name="Durability" value={`${found.durability}: survives ${SURVIVES[found.survives]}`} />
      <Fact name="Size" value={`${formatBytes(found.bytes)}, log ${formatBytes(found.logBytes)}`} />
      <Fact name="Engine's memory" value={formatBytes(found.memoryBytes)} />
      <Fact
        name="Origin's quota"
        value={
          usage === undefined || quota === undefined ? "not told" : `${formatBytes(usage)} of ${formatBytes(quota)}`
        }
      />
      <Fact
        name="Kept by the browser"
        value={persisted === undefined ? "not told" : persisted ? "until you delete it" : "unless it needs the space"}
      />
    </dl>
  );
}

function placeOf({ engine }: DatabaseHealth): string {
  return engine.place === "thread" ? "worker" : "page";
}

function ImportButton() {
  const input = useRef<HTMLInputElement>(null);
  const choose = (file: File | undefined): void => {
    if (input.current !== null) input.current.value = "";
    if (file === undefined) return;
    confirmation.value = {
      title: "Replace the database?",
      text: `All jobs and results of this page are replaced by those of ${file.name}. Other tabs have to be closed first.`,
      action: "Replace",
      run: () =>
        act(async () => {
          const done = await replaceDatabase(file);
          refreshAll();
          return done;
        }),
    };
  };
  return (
    <>
      <button type="button" onClick={() => input.current?.click()}>
        Import a database…
      </button>
      <input
        ref={input}
        type="file"
        hidden
        aria-label="Database to import"
        onChange={(event) => choose(event.currentTarget.files?.[0])}
      />
    </>
  );
}

async function askForPersistence(): Promise<string> {
  return (await requestPersistence())
    ? "The browser keeps the data until you delete it"
    : "The browser did not promise it";
}
