import type { WorkerHeartbeat } from "stem-sqlite";
import { Button } from "../parts/button.tsx";
import { Panel } from "../parts/panel.tsx";
import { Table } from "../parts/table.tsx";
import { now } from "../state/clock.ts";
import { formatAge, formatMs } from "../state/format.ts";
import { heartbeats } from "../state/live.ts";
import { currentSession } from "../state/session.ts";
import { concurrency, HEARTBEAT_MS, startTabWorker, stopTabWorker, tabWorker } from "../state/tab-worker.ts";
import { TAB } from "../state/tab.ts";

const CONCURRENCIES = [1, 4, 16, 64];

export function WorkersPanel() {
  const isRunning = tabWorker.value !== undefined;
  return (
    <Panel
      id="workers"
      title="Workers"
      about="Every tab runs a worker that tells every two seconds that it is alive; commands reach all of them as broadcasts."
    >
      <div class="toolbar">
        <Button run={isRunning ? stopTabWorker : startTabWorker}>
          {isRunning ? "Stop this tab's worker" : "Start this tab's worker"}
        </Button>
        <label>
          Jobs at once{" "}
          <select
            value={String(concurrency.value)}
            disabled={isRunning}
            onChange={(event) => (concurrency.value = Number(event.currentTarget.value))}
          >
            {CONCURRENCIES.map((count) => (
              <option key={count} value={String(count)}>
                {count}
              </option>
            ))}
          </select>
        </label>
        <Button run={pingAll}>Ping all</Button>
      </div>
      <Table
        caption="Workers of all tabs, by heartbeat"
        columns={["Worker", "Heartbeat", "Runs", "Queues", "Renewed", "Action"]}
        empty="No worker is alive."
      >
        {(heartbeats.value.value ?? []).map((heartbeat) => (
          <WorkerRow key={heartbeat.workerId} heartbeat={heartbeat} />
        ))}
      </Table>
    </Panel>
  );
}

function WorkerRow({ heartbeat }: { readonly heartbeat: WorkerHeartbeat }) {
  const { workerId, timestamp, inflight, queues, lastLeaseRenewal } = heartbeat;
  const age = now.value - timestamp.getTime();
  const isLate = age > 3 * HEARTBEAT_MS;
  return (
    <tr>
      <th scope="row">
        {workerId} {workerId.startsWith(`${TAB}.`) ? <span class="badge">this tab</span> : null}
      </th>
      <td>
        <span class="beat" data-late={isLate}>
          {isLate ? "late, " : ""}
          {formatAge(Math.max(0, age))}
        </span>
      </td>
      <td class="number">{inflight}</td>
      <td>{queues.map(({ name }) => name).join(", ")}</td>
      <td class="number">{lastLeaseRenewal === undefined ? "" : formatAge(now.value - lastLeaseRenewal.getTime())}</td>
      <td>
        <Button
          kind="small"
          label={`Stop worker ${workerId}`}
          question={{
            title: `Shut down ${workerId}?`,
            text: "It ends its running jobs and takes no others, in whatever tab it is.",
            action: "Shut down",
          }}
          run={() => shutDown(workerId)}
        >
          Stop
        </Button>
      </td>
    </tr>
  );
}

async function pingAll(): Promise<string> {
  const began = performance.now();
  const expect = Math.max(1, heartbeats.value.peek()?.length ?? 1);
  const replies = await currentSession().control.ping({ expect });
  const names = replies.map(({ workerId }) => workerId).join(", ");
  return replies.length === 0 ? "Nobody answered" : `${names} answered in ${formatMs(performance.now() - began)}`;
}

async function shutDown(workerId: string): Promise<string> {
  const [reply] = await currentSession().control.shutdown({ targets: [workerId], mode: "soft" });
  if (reply === undefined) throw new Error(`${workerId} did not answer.`);
  return `${workerId} shuts down`;
}
