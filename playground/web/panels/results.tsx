import type { TaskState, TaskStatusRecord } from "stem-sqlite";
import { InspectButton } from "../parts/button.tsx";
import { Panel } from "../parts/panel.tsx";
import { StateMark } from "../parts/state-mark.tsx";
import { Table } from "../parts/table.tsx";
import { now } from "../state/clock.ts";
import { formatAge, formatJson, shortId } from "../state/format.ts";
import { results, resultState, ROWS } from "../state/live.ts";

const STATES: readonly TaskState[] = ["queued", "running", "retried", "succeeded", "failed", "cancelled"];

export function ResultsPanel() {
  const choose = (state: string): void => {
    resultState.value = STATES.find((known) => known === state);
    results.refresh();
  };
  const page = results.value.value;
  return (
    <Panel
      id="results"
      title="Results"
      wide
      about={`The latest ${ROWS} statuses with what each job returned or how it failed, all shown as text.`}
    >
      <div class="toolbar">
        <label>
          State{" "}
          <select value={resultState.value ?? ""} onChange={(event) => choose(event.currentTarget.value)}>
            <option value="">all states</option>
            {STATES.map((state) => (
              <option key={state} value={state}>
                {state}
              </option>
            ))}
          </select>
        </label>
      </div>
      <Table
        caption="Statuses, latest change first"
        columns={["Job", "Task", "State", "Attempt", "Result or error", "Changed"]}
        empty="No job has a status yet."
      >
        {(page?.items ?? []).map((record) => (
          <ResultRow key={record.status.id} record={record} />
        ))}
      </Table>
    </Panel>
  );
}

function ResultRow({ record }: { readonly record: TaskStatusRecord }) {
  const { id, state, attempt, payload, error, meta } = record.status;
  const outcome =
    error === undefined ? (payload === undefined ? "" : formatJson(payload)) : `${error.type}: ${error.message}`;
  return (
    <tr>
      <th scope="row">
        <InspectButton title={`status of job ${id}`} value={record}>
          {shortId(id)}
        </InspectButton>
      </th>
      <td>{String(meta["task"] ?? "")}</td>
      <td>
        <StateMark state={state} />
      </td>
      <td class="number">{attempt}</td>
      <td class="text">{outcome}</td>
      <td class="number">{formatAge(now.value - record.updatedAt.getTime())}</td>
    </tr>
  );
}
