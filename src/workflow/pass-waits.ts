import type { WorkflowWait } from "../contracts/workflow-store.ts";
import { checkDuration, type Milliseconds } from "../core/duration.ts";
import { DEFAULT_MAX_PAYLOAD_BYTES } from "../core/envelope.ts";
import { type JsonObject, type JsonValue, stringifyObjectWithin } from "../core/json.ts";
import { checkDate } from "../core/options.ts";
import { checkKnown } from "../runtime/check-ports.ts";
import { checkStepName } from "./step-names.ts";
import type { EventResume, ResumeData, WaitForOptions, WorkflowWaits } from "./workflow-definition.ts";
import { resumeDataOf } from "./wait-end.ts";
import type { WorkflowPass } from "./workflow-pass.ts";
import { topicOf, type WorkflowEventRef } from "./workflow-refs.ts";

/** Where the waits are: in the body of a workflow, or in the function of a step. */
export interface WaitPlace {
  /** Name of the next wait of one kind that has none of its own. */
  readonly nameOf: (what: "sleep" | "event") => string;
  /** Of the function of a step: called when the code is left at a wait. */
  readonly onPark?: () => void;
}

type SleepOptions = Readonly<{ name?: string; data?: JsonObject }>;
type EventOptions = WaitForOptions & Readonly<{ name?: string }>;

const SLEEP_OPTIONS: ReadonlySet<string> = new Set<keyof SleepOptions>(["name", "data"]);
const EVENT_OPTIONS: ReadonlySet<string> = new Set<keyof EventOptions>(["name", "data", "deadline", "timeout"]);

/** Builds the waits of one place. The functions need no `this`. */
export function createWaits(pass: WorkflowPass, { nameOf, onPark }: WaitPlace): WorkflowWaits {
  const nameFor = (what: "sleep" | "event", given: string | undefined): string => {
    if (onPark === undefined) pass.checkOutside();
    return given === undefined || onPark !== undefined ? nameOf(what) : checkStepName(given);
  };

  const sleep = async (duration: Milliseconds, options: SleepOptions = {}): Promise<ResumeData> => {
    checkDuration("duration", duration);
    checkKnown("", options, SLEEP_OPTIONS);
    const { name, data } = options;
    checkData(data);
    const step = nameFor("sleep", name);
    const entry = await pass.ask(step, "sleep");
    if (entry !== undefined) return resumeDataOf(entry);
    onPark?.();
    const known = pass.waitOf(step);
    const now = pass.parts.clock.now();
    const wait = { resumeAt: new Date(now + duration), ...(data === undefined ? {} : { data }) };
    const { resumeAt = wait.resumeAt } = known ?? wait;
    const parked = known === undefined ? ({ step, kind: "sleep", ...wait } as const) : undefined;
    if (onPark !== undefined) return pass.park(parked);
    await pass.parkUntil(resumeAt, parked);
    return endSleep(pass, { createdAt: new Date(now), ...(known ?? { ...wait, step }) });
  };

  const awaitEvent = async <T extends JsonValue>(
    topic: string | WorkflowEventRef<T>,
    options: EventOptions = {},
  ): Promise<EventResume<T>> => {
    const named = topicOf(topic);
    checkKnown("", options, EVENT_OPTIONS);
    const { name, data } = options;
    checkData(data);
    const resumeAt = (): Date | undefined => deadlineOf(options, pass.parts.clock.now());
    resumeAt();
    const step = nameFor("event", name);
    const entry = await pass.ask(step, "event");
    if (entry !== undefined) return resumeDataOf(entry) as EventResume<T>;
    onPark?.();
    if (pass.waitOf(step) !== undefined) return pass.park();
    const deadline = resumeAt();
    return pass.park({
      step,
      kind: "event",
      topic: named,
      ...(deadline === undefined ? {} : { resumeAt: deadline }),
      ...(data === undefined ? {} : { data }),
    });
  };

  return {
    sleep,
    suspendFor: sleep,
    awaitEvent,
    async waitForEvent<T extends JsonValue>(topic: string | WorkflowEventRef<T>, options?: EventOptions) {
      const resumed = await awaitEvent<T>(topic, options);
      return resumed.kind === "event" ? resumed.payload : undefined;
    },
  };
}

/** Records that a sleep is over which something else in the pass has lasted longer than. */
async function endSleep(
  pass: WorkflowPass,
  { step, createdAt, data }: Pick<WorkflowWait, "step" | "createdAt" | "data">,
): Promise<ResumeData> {
  const [baseName = step, iteration] = step.split("#");
  const value = { outcome: "due", ...(data === undefined ? {} : { data }) };
  const key = { name: step, baseName, ...(iteration === undefined ? {} : { iteration: Number(iteration) }) };
  await pass.save({ ...key, kind: "sleep", value, attempts: 1, startedAt: createdAt });
  return { kind: "timer", data: data ?? {} };
}

/** What is kept with a wait is refused where it is given: later, all that the pass waits for would be. */
function checkData(data: JsonObject | undefined): void {
  if (data !== undefined) stringifyObjectWithin(data, "data", DEFAULT_MAX_PAYLOAD_BYTES);
}

/** When a wait that begins at `now` is given up. Throws `InvalidOptionError` for what is no date or duration. */
export function deadlineOf({ deadline, timeout }: WaitForOptions, now: number): Date | undefined {
  if (deadline !== undefined) return checkDate("deadline", deadline);
  if (timeout === undefined) return undefined;
  return new Date(now + checkDuration("timeout", timeout));
}
