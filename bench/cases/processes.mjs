import { SHARING_CONTENDERS } from "../contenders/index.mjs";
import { withParticipants } from "../lib/participants.mjs";
import { sharedNow } from "../lib/roles.mjs";
import { percentile } from "../lib/statistics.mjs";

/** Until all have been told when to begin. */
const START_MS = 100;

/** Who takes part, the owner of the file first. */
function cast(entry, directory, clients) {
  const contender = entry.name;
  const publishers = Array.from({ length: clients }, () => ({ role: "publisher", contender, directory }));
  if (entry.firstIsOwner) return publishers;
  return [{ role: "worker", contender, directory, options: { queue: "idle" } }, ...publishers];
}

const inMs = (us) => us / 1_000;

function summary(seen) {
  const latencies = seen.flatMap((one) => one.latencies);
  const counts = seen.map(({ count }) => count);
  return {
    jobs: counts.reduce((sum, count) => sum + count, 0),
    p50: inMs(percentile(latencies, 0.5)),
    p99: inMs(percentile(latencies, 0.99)),
    longest: inMs(percentile(latencies, 1)),
    fairness: Math.min(...counts) / Math.max(...counts),
  };
}

/** `clients` processes publish into one file, each with `outstanding` calls at a time, all through the same time. */
function processesCase(clients, outstanding) {
  const what = `${clients} ${clients === 1 ? "process" : "processes"} x ${outstanding}`;
  const ours = ["stem-owner-apart", "stem-owner-client"];
  return {
    name: `processes-${clients}x${outstanding}`,
    group: "processes",
    rounds: 3,
    contenders: SHARING_CONTENDERS,
    metrics: {
      rate: {
        title: `publish, ${what}`,
        unit: "jobs/s",
        better: "higher",
        goal: outstanding > 1 ? { contender: ours, timesPeer: 4 } : undefined,
      },
      latency: { title: `publish, ${what}: a call, p50`, unit: "ms", better: "lower" },
      longest: { title: `publish, ${what}: the longest call`, unit: "ms", better: "lower" },
      ...(clients === 1
        ? {}
        : {
            fairness: {
              title: `publish, ${what}: fairness`,
              unit: "least / most",
              better: "higher",
              goal: { contender: ours, atLeast: 0.9 },
            },
          }),
    },
    sizes: { full: { warmup: 1_000, ms: 2_000 }, quick: { warmup: 400, ms: 600 } },
    run: (_contender, directory, { warmup, ms }, entry) =>
      withParticipants(cast(entry, directory, clients), async (participants) => {
        const start = sharedNow() + START_MS;
        const from = start + warmup;
        const seen = await Promise.all(
          participants.slice(-clients).map((one) => one.call("publishBetween", start, from, from + ms, outstanding)),
        );
        const { jobs, p50, p99, longest, fairness } = summary(seen);
        return {
          rate: { value: (jobs * 1_000) / ms },
          latency: { value: p50, p99: `${p99.toFixed(2)} ms` },
          longest: { value: longest },
          fairness: { value: fairness },
        };
      }),
  };
}

export const processesCases = [1, 2, 4].flatMap((clients) => [1, 16].map((calls) => processesCase(clients, calls)));
