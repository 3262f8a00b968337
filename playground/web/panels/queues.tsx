import type { QueueSummary } from "stem-sqlite";
import { Button } from "../parts/button.tsx";
import { Panel } from "../parts/panel.tsx";
import { Table } from "../parts/table.tsx";
import { now } from "../state/clock.ts";
import { formatCount, formatMs } from "../state/format.ts";
import { heartbeats, queues } from "../state/live.ts";
import { currentSession } from "../state/session.ts";
import { pausedQueues } from "../state/tab-worker.ts";
import { TAB } from "../state/tab.ts";
import { QUEUES } from "../state/tasks.ts";

const NUMBERS = ["ready", "delayed", "leased", "dead"] as const;
const WORDS = { ready: "ready", delayed: "delayed", leased: "running", dead: "dead letters" } as const;

/** The numbers of all queues together. */
export function Counts({ summaries }: { readonly summaries: readonly QueueSummary[] }) {
  return (
    <ul class="counts" aria-label="Jobs in all queues">
      {NUMBERS.map((number) => (
        <li key={number} data-count={number}>
          <strong>{formatCount(summaries.reduce((sum, summary) => sum + summary[number], 0))}</strong> {WORDS[number]}
        </li>
      ))}
    </ul>
  );
}

export function QueuesPanel() {
  const summaries = withServed(queues.value.value ?? []);
  return (
    <Panel id="queues" title="Queues" about="How many jobs each queue holds, by state; a paused queue keeps its jobs.">
      <Table
        caption="Jobs per queue and state"
        columns={["Queue", "Ready", "Delayed", "Running", "Dead", "Oldest", "Work"]}
        empty="No queue holds a job."
      >
        {summaries.map((summary) => (
          <QueueRow key={summary.queue} summary={summary} />
        ))}
      </Table>
    </Panel>
  );
}

function QueueRow({ summary }: { readonly summary: QueueSummary }) {
  const { queue, oldestReadyAt } = summary;
  const isPaused = pausedQueues.value.includes(queue);
  const isServed = QUEUES.includes(queue);
  return (
    <tr data-queue={queue}>
      <th scope="row">
        {queue} {isPaused ? <span class="badge">paused</span> : null}
        {isServed ? null : <span class="badge">no worker here</span>}
      </th>
      {NUMBERS.map((number) => (
        <td key={number} class="number" data-count={number}>
          {formatCount(summary[number])}
        </td>
      ))}
      <td class="number">
        {oldestReadyAt === undefined ? "" : formatMs(Math.max(0, now.value - oldestReadyAt.getTime()))}
      </td>
      <td class="buttons">
        <Button
          kind="small"
          label={`${isPaused ? "Resume" : "Pause"} queue ${queue}`}
          run={() => changeQueue(queue, !isPaused)}
        >
          {isPaused ? "Resume" : "Pause"}
        </Button>
        <Button
          kind="small"
          label={`Purge queue ${queue}`}
          disabled={summary.ready + summary.delayed === 0}
          question={{
            title: `Purge queue ${queue}?`,
            text: `Its ${summary.ready + summary.delayed} waiting and delayed jobs are deleted. Running jobs and dead letters stay.`,
            action: "Purge",
          }}
          run={async () => `Deleted ${await currentSession().broker.purge(queue)} jobs`}
        >
          Purge
        </Button>
      </td>
    </tr>
  );
}

/** Workers are asked over the broker, as a program of its own would; one answer says that the pause is stored. */
async function changeQueue(queue: string, isPaused: boolean): Promise<string> {
  const { control } = currentSession();
  const options = { expect: Math.max(1, heartbeats.value.peek()?.length ?? 1), requestedBy: TAB };
  const replies = await (isPaused ? control.pauseQueue(queue, options) : control.resumeQueue(queue, options));
  if (replies.length === 0) throw new Error("No worker answered: start one first.");
  return `${isPaused ? "Paused" : "Resumed"} ${queue}; ${replies.length} of the workers answered`;
}

/** The queues of this page's workers are listed when they are empty, too. */
function withServed(summaries: readonly QueueSummary[]): readonly QueueSummary[] {
  const empty = { ready: 0, delayed: 0, leased: 0, dead: 0 };
  const missing = QUEUES.filter((queue) => !summaries.some((summary) => summary.queue === queue));
  const all = [...summaries, ...missing.map((queue) => ({ queue, ...empty }))];
  return all.sort((one, other) => (one.queue < other.queue ? -1 : 1));
}
