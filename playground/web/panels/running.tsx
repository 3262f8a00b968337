import type { InflightEntry } from "stem-sqlite";
import { Button, InspectButton } from "../parts/button.tsx";
import { Panel } from "../parts/panel.tsx";
import { Table } from "../parts/table.tsx";
import { now } from "../state/clock.ts";
import { progress } from "../state/event-log.ts";
import { shortId } from "../state/format.ts";
import { inflight } from "../state/live.ts";
import { revoke } from "../state/revoke.ts";
import { TAB } from "../state/tab.ts";

export function RunningPanel() {
  return (
    <Panel
      id="running"
      title="Running"
      wide
      about="Jobs in the hands of workers of all tabs; a lease counts down until its worker renews it, and lapses if that is gone."
    >
      <Table
        caption="Running jobs and their leases, the earliest end first"
        columns={["Job", "Task", "Lease", "Progress", "Worker", "Delivery", "Action"]}
        empty="Nothing runs. Enqueue a slow job to see its lease."
      >
        {(inflight.value.value ?? []).map((entry) => (
          <RunningRow key={entry.token} entry={entry} />
        ))}
      </Table>
    </Panel>
  );
}

function RunningRow({ entry }: { readonly entry: InflightEntry }) {
  const { envelope, consumerName, deliveries } = entry;
  const fraction = progress.value.get(envelope.id);
  return (
    <tr>
      <th scope="row">
        <InspectButton title={`job ${envelope.id}`} value={envelope}>
          {shortId(envelope.id)}
        </InspectButton>
      </th>
      <td>{envelope.name}</td>
      <td>
        <Lease entry={entry} />
      </td>
      <td>{fraction === undefined ? "" : <Progress fraction={fraction} of={envelope.id} />}</td>
      <td>
        {consumerName} {consumerName.startsWith(TAB) ? <span class="badge">this tab</span> : null}
      </td>
      <td class="number">
        {deliveries} of attempt {envelope.attempt}
      </td>
      <td>
        <Button kind="small" label={`Revoke job ${envelope.id}`} run={() => revoke(envelope.id)}>
          Revoke
        </Button>
      </td>
    </tr>
  );
}

function Progress({ fraction, of }: { readonly fraction: number; readonly of: string }) {
  return (
    <span class="progress">
      <progress value={fraction} max={1} aria-label={`Progress of job ${of}`} />
      {Math.round(fraction * 100)} %
    </span>
  );
}

/** What is left of a lease: a bar that gets shorter, and seconds. */
function Lease({ entry: { leaseExpiresAt, leaseMs, envelope } }: { readonly entry: InflightEntry }) {
  const left = Math.max(0, leaseExpiresAt.getTime() - now.value);
  return (
    <span class="lease">
      <meter
        value={Math.min(left, leaseMs)}
        max={leaseMs}
        low={leaseMs / 3}
        aria-label={`Lease of job ${envelope.id}`}
      />
      {left === 0 ? "lapsed" : `${(left / 1_000).toFixed(1)} s`}
    </span>
  );
}
