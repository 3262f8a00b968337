import { useSignal } from "@preact/signals";
import type { JsonObject } from "stem-sqlite";
import { Panel } from "../parts/panel.tsx";
import { type Kind, KINDS } from "../state/kinds.ts";
import { act } from "../state/notices.ts";
import { refreshAll } from "../state/polling.ts";
import { currentSession } from "../state/session.ts";
import { TASKS } from "../state/tasks.ts";

export function EnqueuePanel() {
  return (
    <Panel
      id="enqueue"
      title="Enqueue"
      tall
      about="Each button stores jobs on disk before it answers; workers in all tabs take them."
    >
      <ul class="kinds">
        {KINDS.map(({ name, explanation, enqueue }) => (
          <li key={name}>
            <KindButton name={name} explanation={explanation} enqueue={enqueue} />
          </li>
        ))}
      </ul>
      <CustomJob />
    </Panel>
  );
}

/** Says what it is called, and what it does. */
function KindButton({ name, explanation, enqueue }: Kind) {
  const click = (): void =>
    act(async () => {
      const done = await enqueue(currentSession().stem);
      refreshAll();
      return done;
    });
  return (
    <button type="button" class="kind" onClick={click}>
      <strong>{name}</strong> <span>{explanation}</span>
    </button>
  );
}

const SAMPLE = '{ "text": "hello" }';

/** A job of the user's own; what the library has against it is shown as it says it. */
function CustomJob() {
  const task = useSignal("demo.echo");
  const queue = useSignal("default");
  const args = useSignal(SAMPLE);
  const submit = (event: Event): void => {
    event.preventDefault();
    act(async () => {
      const given = JSON.parse(args.value) as JsonObject;
      const enqueueOptions = { queue: queue.value };
      const id = await currentSession().stem.enqueue(task.value, { args: given, enqueueOptions });
      refreshAll();
      return `Stored ${id}`;
    });
  };
  return (
    <form class="custom" aria-label="A job of your own" onSubmit={submit}>
      <label>
        Task
        <input list="tasks" value={task.value} onInput={(event) => (task.value = event.currentTarget.value)} />
      </label>
      <datalist id="tasks">
        {TASKS.map(({ name }) => (
          <option key={name} value={name} />
        ))}
      </datalist>
      <label>
        Queue
        <input value={queue.value} onInput={(event) => (queue.value = event.currentTarget.value)} />
      </label>
      <label class="whole">
        Arguments, as JSON
        <textarea
          rows={2}
          spellcheck={false}
          value={args.value}
          onInput={(event) => (args.value = event.currentTarget.value)}
        />
      </label>
      <button type="submit" class="primary">
        Enqueue
      </button>
    </form>
  );
}
