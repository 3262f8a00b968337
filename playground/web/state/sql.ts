import { signal } from "@preact/signals";
import { describeError } from "./notices.ts";
import { currentSession } from "./session.ts";

/** Statements to begin with. */
export const STATEMENTS: readonly { readonly name: string; readonly sql: string }[] = [
  {
    name: "Jobs by queue and state",
    sql: `select queue, case state when 0 then 'ready' when 1 then 'delayed' else 'leased' end as state, count(*) as jobs
from queue_jobs
group by queue, state
order by queue, state`,
  },
  {
    name: "Results by task and state",
    sql: `select meta ->> '$.task' as task, state, count(*) as results
from task_results
group by task, state
order by results desc`,
  },
  {
    name: "Latest dead letters",
    sql: `select id, queue, reason, datetime(dead_at / 1000, 'unixepoch') as died
from dead_letters
order by dead_at desc
limit 20`,
  },
  {
    name: "Runs by workflow and status",
    sql: `select workflow, status, count(*) as runs
from wf_runs
group by workflow, status
order by runs desc`,
  },
  { name: "Leases", sql: "select id, consumer, token, deliveries, lease_ms from queue_jobs where state = 2" },
  { name: "Tables", sql: "select name, sql from sqlite_schema where type = 'table' order by name" },
];

const ROWS = 50;

/** What a statement answered. */
export type SqlAnswer =
  | {
      readonly rows: readonly (readonly unknown[])[];
      readonly columns: readonly string[];
      readonly truncated: boolean;
      readonly tookMs: number;
    }
  | { readonly error: string };

export const statement = signal(STATEMENTS[0]?.sql ?? "");
export const answer = signal<SqlAnswer | undefined>(undefined);

export async function runStatement(): Promise<void> {
  const began = performance.now();
  try {
    const { rows, columns, truncated } = await currentSession().database.query(statement.value, { maxRows: ROWS });
    answer.value = { rows, columns, truncated, tookMs: performance.now() - began };
  } catch (error) {
    answer.value = { error: describeError(error) };
  }
}

/** Numbers and texts as they are; bytes by their length. */
export function formatCell(value: unknown): string {
  if (value === null) return "null";
  if (value instanceof Uint8Array) return `${value.byteLength} bytes`;
  return String(value);
}
