import { hasRunEnded, type RunDetail, type RunState } from "stem-sqlite";
import { Button, InspectButton } from "../parts/button.tsx";
import { RunButton } from "../parts/run-button.tsx";
import { StateMark } from "../parts/state-mark.tsx";
import { now } from "../state/clock.ts";
import { formatJson, formatMs, formatTime, shortId } from "../state/format.ts";
import { currentSession } from "../state/session.ts";
import { TAB } from "../state/tab.ts";
import { emitEvent, eventPayload, eventTopic, runDetail, selectedRun } from "../state/workflows.ts";
import { act } from "../state/notices.ts";
import { refreshAll } from "../state/polling.ts";
import { Fact } from "./tabs.tsx";
import { Timeline } from "./workflow-timeline.tsx";

const REASON = "cancelled in the playground";

/** The run that was chosen: what it is, what can be done with it, and its steps. */
export function WorkflowRun() {
  const detail = runDetail.value.value;
  if (selectedRun.value === undefined) return <p class="run none">The steps of a run are shown here.</p>;
  if (detail === undefined || detail.run.runId !== selectedRun.value) return <p class="run none">Reading…</p>;
  return <Shown detail={detail} />;
}

function Shown({ detail }: { readonly detail: RunDetail }) {
  const { run } = detail;
  return (
    <div class="run" role="region" aria-labelledby="run-title" data-run={run.runId} data-status={run.status}>
      <div class="toolbar">
        <h3 id="run-title">
          {run.workflow} {shortId(run.runId)}
        </h3>
        <StateMark state={run.status} />
        <InspectButton title={`run ${run.runId}`} value={run}>
          as JSON
        </InspectButton>
      </div>
      <Facts run={run} />
      <Outcome run={run} />
      <Actions run={run} />
      <Timeline detail={detail} />
      <EmitForm />
    </div>
  );
}

function Facts({ run }: { readonly run: RunState }) {
  const { createdAt, endedAt, ownerId, leaseExpiresAt, parentRunId } = run;
  const end = endedAt?.getTime() ?? now.value;
  return (
    <dl class="facts grid">
      <Fact name="Started" value={formatTime(createdAt)} />
      <Fact
        name={endedAt === undefined ? "Takes so far" : "Took"}
        value={formatMs(Math.max(0, end - createdAt.getTime()))}
      />
      <Fact name="Held by" value={ownerId === undefined ? "nobody" : ownerId === TAB ? `${TAB}, this tab` : ownerId} />
      <Fact name="Lease" value={leaseExpiresAt === undefined ? "none" : leaseLeft(leaseExpiresAt)} />
      {parentRunId === undefined ? null : (
        <div>
          <dt>Child of</dt>
          <dd>
            <RunButton runId={parentRunId} />
          </dd>
        </div>
      )}
    </dl>
  );
}

function leaseLeft(expiresAt: Date): string {
  const left = expiresAt.getTime() - now.value;
  return left <= 0 ? "lapsed" : `${(left / 1_000).toFixed(1)} s left`;
}

function Outcome({
  run: { result, lastError, cancellationData, cancelRequested, status },
}: {
  readonly run: RunState;
}) {
  const lines: string[] = [];
  if (result !== undefined) lines.push(`Result: ${formatJson(result)}`);
  if (lastError !== undefined) lines.push(`${lastError.type}: ${lastError.message}`);
  if (status === "cancelled" && cancellationData !== undefined)
    lines.push(`Cancelled: ${formatJson(cancellationData)}`);
  if (cancelRequested === true && !hasRunEnded(status)) lines.push("Is cancelled: its steps are undone first");
  if (lines.length === 0) return null;
  return (
    <ul class="outcome-lines" data-status={status}>
      {lines.map((line) => (
        <li key={line}>{line}</li>
      ))}
    </ul>
  );
}

function Actions({ run: { runId, status } }: { readonly run: RunState }) {
  const hasEnded = hasRunEnded(status);
  const cancel = async (compensate: boolean): Promise<string> => {
    const isDone = await currentSession().workflows.cancelWorkflow(runId, { compensate, reason: REASON });
    if (!isDone) return "The run has ended already";
    return compensate ? "The run is undone, then cancelled" : "The run is cancelled";
  };
  const resume = async (): Promise<string> =>
    (await currentSession().workflows.resumeRun(runId))
      ? "The run goes on"
      : "Only what failed or was cancelled goes on";
  return (
    <div class="toolbar">
      <Button disabled={hasEnded} run={() => cancel(false)}>
        Cancel run
      </Button>
      <Button disabled={hasEnded} run={() => cancel(true)}>
        Cancel and undo
      </Button>
      <Button disabled={status !== "failed" && status !== "cancelled"} run={resume}>
        Resume run
      </Button>
    </div>
  );
}

function EmitForm() {
  const submit = (event: Event): void => {
    event.preventDefault();
    act(async () => {
      const done = await emitEvent();
      refreshAll();
      return done;
    });
  };
  return (
    <form class="emit" aria-label="Emit an event" onSubmit={submit}>
      <label>
        Topic
        <input value={eventTopic.value} onInput={(event) => (eventTopic.value = event.currentTarget.value)} />
      </label>
      <label>
        Payload, as JSON
        <input
          spellcheck={false}
          value={eventPayload.value}
          onInput={(event) => (eventPayload.value = event.currentTarget.value)}
        />
      </label>
      <button type="submit" class="primary">
        Emit
      </button>
    </form>
  );
}
