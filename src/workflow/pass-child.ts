import type { JsonValue } from "../core/json.ts";
import { WorkflowFailedError } from "../error-workflow.ts";
import { deadlineOf } from "./pass-waits.ts";
import { innerName, plainKey } from "./step-names.ts";
import { waitEndOf } from "./wait-end.ts";
import type { ChildOptions } from "./workflow-definition.ts";
import type { WorkflowPass } from "./workflow-pass.ts";
import type { WorkflowRef } from "./workflow-refs.ts";

/** Starts a child, in the transaction that records its id, and waits for it. */
export async function awaitChild(
  pass: WorkflowPass,
  name: string,
  ref: WorkflowRef<never>,
  params: unknown,
  options: ChildOptions = {},
): Promise<JsonValue> {
  const { clock } = pass.parts;
  const started = plainKey(innerName(plainKey(name), "start"));
  const known = (pass.recorded(started.name)?.value as { runId: string } | undefined)?.runId;
  const resumeAt = deadlineOf(options.timeout === undefined ? {} : { timeout: options.timeout }, clock.now());
  // What is wrong with the child is said before it is asked for: otherwise replays would expect something of it.
  const child = known === undefined ? pass.parts.newChild(ref, params, options) : undefined;
  const runId = child?.runId ?? String(known);
  const isNew = (await pass.ask(name, "child")) === undefined;
  if (child !== undefined) {
    const startedAt = new Date(clock.now());
    await pass.save({ ...started, kind: "child", value: { runId }, attempts: 1, startedAt }, child);
  }
  const entry = pass.recorded(name);
  if (isNew || entry === undefined) {
    const wait = { step: name, kind: "child", topic: runId, ...(resumeAt === undefined ? {} : { resumeAt }) } as const;
    return pass.park(pass.waitOf(name) === undefined ? wait : undefined);
  }
  const resumed = waitEndOf(entry);
  if (resumed.outcome !== "child")
    throw new WorkflowFailedError(runId, "not there in time", undefined, undefined, name);
  if (resumed.status === "completed") return resumed.result ?? null;
  throw new WorkflowFailedError(runId, resumed.status, resumed.error?.type, resumed.error?.message, name);
}
