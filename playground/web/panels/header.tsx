import { formatCount } from "../state/format.ts";
import { queues } from "../state/live.ts";
import { health } from "../state/owner.ts";
import { readingFault } from "../state/polling.ts";
import { DATABASE, session } from "../state/session.ts";
import { TAB } from "../state/tab.ts";
import { Counts } from "./queues.tsx";

/** What the page is about, and how its database is. */
export function Header({ failure }: { readonly failure: string | undefined }) {
  const found = health.value.value;
  const fault = failure ?? readingFault.value;
  const status = fault !== undefined ? "in trouble" : session.value === undefined ? "opening" : "open";
  return (
    <header class="top">
      <div>
        <h1>
          stem-sqlite <span>playground</span>
        </h1>
        <p>A durable job queue in SQLite, running in this page: reload, crash or close it, and the jobs stay.</p>
      </div>
      <dl class="facts">
        <div>
          <dt>Database</dt>
          <dd>
            {DATABASE}{" "}
            <span class="status" data-status={status}>
              {status}
            </span>
          </dd>
        </div>
        <div>
          <dt>Kept in</dt>
          <dd>{found === undefined ? "…" : `${found.storage.name}, durability ${found.durability}`}</dd>
        </div>
        <div>
          <dt>This tab</dt>
          <dd>{found === undefined ? TAB : `${TAB}, ${found.role} of ${formatCount(found.owner.members)}`}</dd>
        </div>
      </dl>
      <Counts summaries={queues.value.value ?? []} />
      {fault === undefined ? null : (
        <p role="alert" class="fault">
          {fault}
        </p>
      )}
    </header>
  );
}
