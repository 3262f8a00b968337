import { Button } from "../parts/button.tsx";
import { Panel } from "../parts/panel.tsx";
import { type ExampleRun, EXAMPLES, exampleRuns, type ListedExample, runExample } from "../state/examples.ts";

export function ExamplesPanel() {
  return (
    <Panel
      id="examples"
      title="Examples"
      wide
      about="The numbered programs of the repository, to read and to run; each run makes files of its own and compares what it prints."
    >
      <ol class="examples">
        {EXAMPLES.map((example) => (
          <ExampleItem key={example.name} example={example} run={exampleRuns.value.get(example.name)} />
        ))}
      </ol>
    </Panel>
  );
}

function ExampleItem({ example, run }: { readonly example: ListedExample; readonly run: ExampleRun | undefined }) {
  const { name, explanation, nodeOnly, source } = example;
  return (
    <li data-example={name}>
      <div class="toolbar">
        <h3>{name}</h3>
        {nodeOnly === undefined ? (
          <Button
            kind="small"
            label={`Run example ${name}`}
            disabled={run?.state === "running"}
            run={() => runExample(example)}
          >
            Run
          </Button>
        ) : (
          <span class="badge">Node only: {nodeOnly}</span>
        )}
        {run === undefined ? null : (
          <span class="outcome" role="status" data-outcome={run.state}>
            {run.state}
          </span>
        )}
      </div>
      <p>{explanation}</p>
      {run === undefined || run.lines.length === 0 ? null : (
        <pre class="output" tabIndex={0} aria-label={`Output of ${name}`}>
          {run.lines.join("\n")}
        </pre>
      )}
      <details>
        <summary>Source</summary>
        <pre tabIndex={0} aria-label={`Source of ${name}`}>
          {source}
        </pre>
      </details>
    </li>
  );
}
