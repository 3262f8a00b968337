import type { RunState, WorkflowStatus } from "stem-sqlite";
import { Panel } from "../parts/panel.tsx";
import { RunButton } from "../parts/run-button.tsx";
import { StateMark } from "../parts/state-mark.tsx";
import { Table } from "../parts/table.tsx";
import { now } from "../state/clock.ts";
import { formatAge, formatMs } from "../state/format.ts";
import { ROWS } from "../state/live.ts";
import { act } from "../state/notices.ts";
import { refreshAll } from "../state/polling.ts";
import { type Sample, SAMPLES } from "../state/sample-workflows.ts";
import { currentSession } from "../state/session.ts";
import { runs, runStatus, selectedRun, selectRun } from "../state/workflows.ts";
import { WorkflowRun } from "./workflow-run.tsx";

const STATUSES: readonly WorkflowStatus[] = ["running", "suspended", "completed", "failed", "cancelled"];

export function WorkflowsPanel() {
  return (
    <Panel
      id="workflows"
      title="Workflows"
      wide
      about="Runs that record each step before the next one: reload the page or crash its engine in the middle of one, and it goes on from where it was."
    >
      <ul class="kinds">
        {SAMPLES.map((sample) => (
          <li key={sample.title}>
            <StartButton sample={sample} />
          </li>
        ))}
      </ul>
      <div class="workflows">
        <RunList />
        <WorkflowRun />
      </div>
    </Panel>
  );
}

function StartButton({ sample: { title, explanation, start } }: { readonly sample: Sample }) {
  const click = (): void =>
    act(async () => {
      const began = performance.now();
      const [first = "", ...others] = await start(currentSession().workflows);
      const took = formatMs(performance.now() - began);
      selectRun(first);
      refreshAll();
      return others.length === 0 ? undefined : `Started ${others.length + 1} runs in ${took}`;
    });
  return (
    <button type="button" class="kind" onClick={click}>
      <strong>{title}</strong> <span>{explanation}</span>
    </button>
  );
}

function RunList() {
  const choose = (status: string): void => {
    runStatus.value = STATUSES.find((known) => known === status);
    runs.refresh();
  };
  const page = runs.value.value;
  const rest = page?.nextOffset === undefined ? "" : `; the ${ROWS} that changed last`;
  return (
    <div class="runs">
      <div class="toolbar">
        <label>
          Status{" "}
          <select value={runStatus.value ?? ""} onChange={(event) => choose(event.currentTarget.value)}>
            <option value="">all runs</option>
            {STATUSES.map((status) => (
              <option key={status} value={status}>
                {status}
              </option>
            ))}
          </select>
        </label>
      </div>
      <Table
        caption={`Runs, the newest first${rest}`}
        columns={["Run", "Workflow", "Status", "Steps", "Started"]}
        empty={runStatus.value === undefined ? "No run yet. Start one above." : "No run has this status."}
      >
        {(page?.runs ?? []).map((run) => (
          <RunRow key={run.runId} run={run} />
        ))}
      </Table>
    </div>
  );
}

function RunRow({ run }: { readonly run: RunState }) {
  const { runId, workflow, status, cursor, createdAt } = run;
  const isSelected = selectedRun.value === runId;
  return (
    <tr data-run={runId} data-selected={isSelected}>
      <th scope="row">
        <RunButton runId={runId} isShown={isSelected} />
      </th>
      <td>{workflow}</td>
      <td>
        <StateMark state={status} />
      </td>
      <td class="number">{cursor}</td>
      <td class="number">{formatAge(now.value - createdAt.getTime())}</td>
    </tr>
  );
}
