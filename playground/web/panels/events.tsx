import { Panel } from "../parts/panel.tsx";
import { Table } from "../parts/table.tsx";
import { isLogPaused, logLines } from "../state/event-log.ts";
import { formatTime } from "../state/format.ts";

export function EventsPanel() {
  return (
    <Panel
      id="events"
      title="Events"
      wide
      about="What this tab's worker tells, as it happens; the newest event comes first."
    >
      <div class="toolbar">
        <label class="check">
          <input
            type="checkbox"
            checked={isLogPaused.value}
            onChange={(event) => (isLogPaused.value = event.currentTarget.checked)}
          />
          Hold
        </label>
      </div>
      <Table caption="Events, newest first" columns={["Time", "Event", "What"]} empty="Nothing has happened yet.">
        {logLines.value.map(({ id, at, type, text }) => (
          <tr key={id}>
            <td class="number">{formatTime(at)}</td>
            <th scope="row">{type}</th>
            <td class="text">{text}</td>
          </tr>
        ))}
      </Table>
    </Panel>
  );
}
