import { Chart, type Line } from "../parts/chart.tsx";
import { Panel } from "../parts/panel.tsx";
import { formatCount, formatMs } from "../state/format.ts";
import { samples } from "../state/samples.ts";

const RATE: readonly Line[] = [
  { label: "completed", colour: "--accent" },
  { label: "failed", colour: "--bad", isDashed: true },
];
const WAIT: readonly Line[] = [
  { label: "median", colour: "--accent" },
  { label: "longest", colour: "--muted", isDashed: true },
];

/** Round values of an axis, such as 50 ms and 2 s. */
function formatAxis(ms: number): string {
  return ms < 1_000 ? `${ms} ms` : `${ms / 1_000} s`;
}

export function ChartsPanel() {
  const all = samples.value;
  const at = all.map((sample) => sample.at);
  const last = all.at(-1);
  const peak = all.reduce((most, { completed }) => Math.max(most, completed), 0);
  const waited = all.findLast(({ medianWaitMs }) => medianWaitMs !== null);
  return (
    <Panel
      id="charts"
      title="Throughput and latency"
      about="What this tab's worker completes each second, and how long jobs that could run waited for it."
    >
      <div class="charts">
        <div>
          <h3>Jobs per second</h3>
          <Chart
            lines={RATE}
            data={[at, all.map(({ completed }) => completed), all.map(({ failed }) => failed)]}
            format={formatCount}
            description={`${formatCount(last?.completed ?? 0)}/s now, ${formatCount(peak)}/s at most in the last minute`}
          />
        </div>
        <div>
          <h3>Wait before the start</h3>
          <Chart
            lines={WAIT}
            data={[at, all.map(({ medianWaitMs }) => medianWaitMs), all.map(({ longestWaitMs }) => longestWaitMs)]}
            format={formatAxis}
            description={
              waited === undefined
                ? "nothing has started in the last minute"
                : `last: median ${formatMs(waited.medianWaitMs ?? 0)}, longest ${formatMs(waited.longestWaitMs ?? 0)}`
            }
          />
        </div>
      </div>
    </Panel>
  );
}
