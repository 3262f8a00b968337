import type { DeadLetterEntry } from "stem-sqlite";
import { Button, InspectButton } from "../parts/button.tsx";
import { Panel } from "../parts/panel.tsx";
import { Table } from "../parts/table.tsx";
import { now } from "../state/clock.ts";
import { formatAge, formatJson, shortId } from "../state/format.ts";
import { deadLetters, queues } from "../state/live.ts";
import { currentSession } from "../state/session.ts";
import { serverIsUp } from "../state/tasks.ts";

const MOST = 10_000;

export function DeadLettersPanel() {
  const buried = (queues.value.value ?? []).filter(({ dead }) => dead > 0).map(({ queue }) => queue);
  return (
    <Panel
      id="dead-letters"
      title="Dead letters"
      wide
      about="Jobs that failed for good are kept, with the reason, until they are replayed or purged."
    >
      <div class="toolbar">
        <label class="check">
          <input
            type="checkbox"
            checked={serverIsUp.value}
            onChange={(event) => (serverIsUp.value = event.currentTarget.checked)}
          />
          The pretended server is up: failing jobs succeed in this tab
        </label>
        <Button disabled={buried.length === 0} run={() => replay(buried, 1)}>
          Replay the oldest
        </Button>
        <Button disabled={buried.length === 0} run={() => replay(buried, MOST)}>
          Replay all
        </Button>
        <Button
          disabled={buried.length === 0}
          question={{
            title: "Purge all dead letters?",
            text: `The dead letters of ${buried.join(", ")} are deleted and cannot be replayed any more.`,
            action: "Purge",
          }}
          run={() => purge(buried)}
        >
          Purge all
        </Button>
      </div>
      <Table
        caption="Dead letters, newest first"
        columns={["Job", "Task", "Queue", "Reason", "Error", "Arguments", "Died"]}
        empty="No dead letters. Enqueue a failing job to see one."
      >
        {(deadLetters.value.value ?? []).map((entry) => (
          <DeadRow key={`${entry.envelope.queue} ${entry.envelope.id}`} entry={entry} />
        ))}
      </Table>
    </Panel>
  );
}

function DeadRow({ entry }: { readonly entry: DeadLetterEntry }) {
  const { envelope, reason, meta, deadAt } = entry;
  const error = meta["error"] ?? meta;
  return (
    <tr>
      <th scope="row">
        <InspectButton title={`dead letter ${envelope.id}`} value={entry}>
          {shortId(envelope.id)}
        </InspectButton>
      </th>
      <td>{envelope.name}</td>
      <td>{envelope.queue}</td>
      <td>{reason ?? ""}</td>
      <td class="text">{typeof error === "string" ? error : formatJson(error)}</td>
      <td class="text">{formatJson(envelope.args)}</td>
      <td class="number">{formatAge(now.value - deadAt.getTime())}</td>
    </tr>
  );
}

async function replay(names: readonly string[], limit: number): Promise<string> {
  const { broker } = currentSession();
  const moved = await Promise.all(names.map((queue) => broker.replayDeadLetters(queue, { limit })));
  return `Replayed ${moved.reduce((sum, { entries }) => sum + entries.length, 0)} dead letters`;
}

async function purge(names: readonly string[]): Promise<string> {
  const { broker } = currentSession();
  const counts = await Promise.all(names.map((queue) => broker.purgeDeadLetters(queue, { limit: MOST })));
  return `Deleted ${counts.reduce((sum, count) => sum + count, 0)} dead letters`;
}
