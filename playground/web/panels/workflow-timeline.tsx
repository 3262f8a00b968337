import type { ComponentChildren } from "preact";
import { hasRunEnded, type RunDetail, type RunState, type WorkflowStepEntry, type WorkflowWait } from "stem-sqlite";
import { Button, InspectButton } from "../parts/button.tsx";
import { RunButton } from "../parts/run-button.tsx";
import { StateMark } from "../parts/state-mark.tsx";
import { now } from "../state/clock.ts";
import { formatMs } from "../state/format.ts";
import { currentSession } from "../state/session.ts";
import { describeCheckpoint, describeWait, isRewindable, startedChild } from "../state/workflow-words.ts";

/** A run's time, from its start to its end or now. */
interface Axis {
  readonly from: number;
  readonly to: number;
}

/** Where the axis has its lines, and what they are from the start. */
const PARTS = [0, 0.25, 0.5, 0.75, 1];

/** A row for each checkpoint, in order, then one for each thing that goes on or is waited for. */
export function Timeline({ detail: { run, steps } }: { readonly detail: RunDetail }) {
  const axis = axisOf(run, steps);
  return (
    <figure class="timeline">
      <div class="axis" aria-hidden="true">
        {PARTS.map((part) => (
          <span key={part}>{part === 0 ? "0 s" : formatMs((axis.to - axis.from) * part)}</span>
        ))}
      </div>
      <ol aria-label="Steps of the run, in order">
        {steps.map((step) => (
          <CheckpointRow key={step.name} run={run} step={step} axis={axis} />
        ))}
        {run.waits.map((wait) => (
          <WaitRow key={wait.step} wait={wait} axis={axis} />
        ))}
        {run.status === "running" ? <UnderWay run={run} steps={steps} axis={axis} /> : null}
      </ol>
      <figcaption>
        <span class="sign" data-sign="work" /> work <span class="sign" data-sign="wait" /> waiting{" "}
        <span class="sign" data-sign="undo" /> undoing, on the time since the run was started
      </figcaption>
    </figure>
  );
}

function axisOf({ createdAt, endedAt }: RunState, steps: readonly WorkflowStepEntry[]): Axis {
  const from = createdAt.getTime();
  const last = steps.reduce((latest, step) => Math.max(latest, step.endedAt.getTime()), from + 1);
  return { from, to: Math.max(last, endedAt?.getTime() ?? now.value) };
}

function CheckpointRow({ run, step, axis }: { run: RunState; step: WorkflowStepEntry; axis: Axis }) {
  const { name, kind, attempts, startedAt, endedAt, error } = step;
  const [from, to] = [startedAt.getTime(), endedAt.getTime()];
  return (
    <Row
      name={name}
      shown={
        <InspectButton title={`checkpoint ${name}`} value={step}>
          {name}
        </InspectButton>
      }
      state={error === undefined ? "completed" : "failed"}
      takes={`in ${formatMs(Math.max(0, to - from))}`}
      facts={[kind, attempts === 1 ? "1 attempt" : `${attempts} attempts`]}
      bar={{ sign: signOf(kind), from, to }}
      axis={axis}
      text={describeCheckpoint(step)}
      action={<CheckpointAction run={run} step={step} />}
    />
  );
}

function CheckpointAction({ run, step }: { readonly run: RunState; readonly step: WorkflowStepEntry }) {
  const child = startedChild(step);
  if (child !== undefined) return <RunButton runId={child} />;
  if (!isRewindable(step)) return null;
  return <Rewind runId={run.runId} step={step.name} hasEnded={hasRunEnded(run.status)} />;
}

function Rewind({ runId, step, hasEnded }: { runId: string; step: string; hasEnded: boolean }) {
  return (
    <Button
      kind="small"
      label={`Rewind to ${step}`}
      question={{
        title: `Rewind to ${step}?`,
        text: `This step and all after it are forgotten and done again. The run ${hasEnded ? "has ended; it goes on" : "goes on"} from there.`,
        action: "Rewind",
      }}
      run={async () =>
        (await currentSession().workflows.rewindToStep(runId, step))
          ? `The run goes on from ${step}`
          : `The run has no ${step} any more`
      }
    >
      Rewind
    </Button>
  );
}

function WaitRow({ wait, axis }: { readonly wait: WorkflowWait; readonly axis: Axis }) {
  const { step, kind, topic, createdAt } = wait;
  return (
    <Row
      name={step}
      shown={<span class="name">{step}</span>}
      state="suspended"
      takes={`for ${formatMs(Math.max(0, now.value - createdAt.getTime()))}`}
      facts={[kind]}
      bar={{ sign: "wait", from: createdAt.getTime(), to: now.value }}
      axis={axis}
      text={describeWait(wait, now.value)}
      action={kind === "child" && topic !== undefined ? <RunButton runId={topic} /> : null}
    />
  );
}

/** What has no checkpoint yet. */
function UnderWay({ run, steps, axis }: { run: RunState; steps: readonly WorkflowStepEntry[]; axis: Axis }) {
  const { ownerId, createdAt } = run;
  const from = steps.at(-1)?.endedAt.getTime() ?? createdAt.getTime();
  return (
    <Row
      name="(under way)"
      shown={<span class="name">{ownerId === undefined ? "next step" : "step under way"}</span>}
      state={ownerId === undefined ? "queued" : "running"}
      takes={`for ${formatMs(Math.max(0, now.value - from))}`}
      facts={[]}
      bar={{ sign: ownerId === undefined ? "wait" : "work", from, to: now.value }}
      axis={axis}
      text={ownerId === undefined ? "waits for a worker" : `in the hands of ${ownerId}`}
      action={null}
    />
  );
}

interface RowProps {
  readonly name: string;
  readonly shown: ComponentChildren;
  readonly state: string;
  /** How long it took, or takes so far. */
  readonly takes: string;
  readonly facts: readonly string[];
  readonly bar: { readonly sign: string; readonly from: number; readonly to: number };
  readonly axis: Axis;
  readonly text: string;
  readonly action: ComponentChildren;
}

function Row({ name, shown, state, takes, facts, bar, axis, text, action }: RowProps) {
  const share = (at: number): number => Math.min(1, Math.max(0, (at - axis.from) / (axis.to - axis.from)));
  const percent = (part: number): string => `${(part * 100).toFixed(2)}%`;
  const from = share(bar.from);
  // What has only just begun may begin after the time that is shown as now.
  const to = Math.max(from, share(bar.to));
  return (
    <li data-step={name} data-state={state}>
      <div class="what">
        {shown}
        <div class="facts-lines">
          <span>
            <StateMark state={state} /> {takes}
          </span>
          <span>{facts.join(" · ")}</span>
        </div>
      </div>
      <div class="track">
        <svg width="100%" height="14" aria-hidden="true" data-sign={bar.sign} data-state={state}>
          <rect x={percent(from)} y="2" width="3" height="10" rx="1.5" />
          <rect x={percent(from)} y="2" width={percent(to - from)} height="10" rx="2" />
        </svg>
        <p class="value">{text}</p>
      </div>
      <div class="action">{action}</div>
    </li>
  );
}

function signOf(kind: WorkflowStepEntry["kind"]): string {
  if (kind === "step" || kind === "task" || kind === "patch") return "work";
  return kind === "compensation" || kind === "failure" ? "undo" : "wait";
}
