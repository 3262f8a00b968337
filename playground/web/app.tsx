import { ChartsPanel } from "./panels/charts.tsx";
import { DeadLettersPanel } from "./panels/dead-letters.tsx";
import { EnqueuePanel } from "./panels/enqueue.tsx";
import { EventsPanel } from "./panels/events.tsx";
import { ExamplesPanel } from "./panels/examples.tsx";
import { Header } from "./panels/header.tsx";
import { QueuesPanel } from "./panels/queues.tsx";
import { ResultsPanel } from "./panels/results.tsx";
import { RunningPanel } from "./panels/running.tsx";
import { SqlPanel } from "./panels/sql.tsx";
import { StoragePanel } from "./panels/storage.tsx";
import { TabsPanel } from "./panels/tabs.tsx";
import { WorkersPanel } from "./panels/workers.tsx";
import { WorkflowsPanel } from "./panels/workflows.tsx";
import { Dialogs } from "./parts/dialogs.tsx";
import { Notices } from "./parts/notices.tsx";
import { SpokenSummary } from "./parts/spoken-summary.tsx";

const PLACES = [
  ["enqueue", "Enqueue"],
  ["queues", "Queues"],
  ["charts", "Throughput"],
  ["running", "Running"],
  ["workflows", "Workflows"],
  ["tabs", "Tabs"],
  ["workers", "Workers"],
  ["dead-letters", "Dead letters"],
  ["results", "Results"],
  ["storage", "Storage"],
  ["sql", "SQL"],
  ["events", "Events"],
  ["examples", "Examples"],
] as const;

/** The whole page. `failure` is why the database could not be opened. */
export function App({ failure }: { readonly failure: string | undefined }) {
  return (
    <>
      <a class="skip" href="#enqueue">
        Skip to the panels
      </a>
      <Header failure={failure} />
      <nav aria-label="Panels">
        <ul>
          {PLACES.map(([id, name]) => (
            <li key={id}>
              <a href={`#${id}`}>{name}</a>
            </li>
          ))}
        </ul>
      </nav>
      <main>
        <EnqueuePanel />
        <QueuesPanel />
        <ChartsPanel />
        <RunningPanel />
        <WorkflowsPanel />
        <TabsPanel />
        <WorkersPanel />
        <DeadLettersPanel />
        <ResultsPanel />
        <StoragePanel />
        <SqlPanel />
        <EventsPanel />
        <ExamplesPanel />
      </main>
      <Notices />
      <SpokenSummary />
      <Dialogs />
    </>
  );
}
