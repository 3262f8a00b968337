import type { NewWait } from "../contracts/workflow-store.ts";
import { checkDuration, type Milliseconds } from "../core/duration.ts";
import type { JsonObject, JsonValue } from "../core/json.ts";
import { checkDate } from "../core/options.ts";
import { checkKnown } from "../runtime/check-ports.ts";
import { checkStepName } from "./step-names.ts";
import type { EventResume, ResumeData, WaitForOptions, WorkflowWaits } from "./workflow-definition.ts";
import type { WorkflowPass } from "./workflow-pass.ts";
import { topicOf, type WorkflowEventRef } from "./workflow-refs.ts";

/** Where the waits are: in the body of a workflow, or in the function of a step. */
export interface WaitPlace {
  /** Name of the next wait of one kind that has none of its own. */
  readonly nameOf: (what: "sleep" | "event") => string;
  /** Called when the code is left at a wait. */
  readonly onPark?: () => void;
}

type SleepOptions = Readonly<{ name?: string; data?: JsonObject }>;
type EventOptions = WaitForOptions & Readonly<{ name?: string }>;

const SLEEP_OPTIONS: ReadonlySet<string> = new Set<keyof SleepOptions>(["name", "data"]);
const EVENT_OPTIONS: ReadonlySet<string> = new Set<keyof EventOptions>(["name", "data", "deadline", "timeout"]);

/** Builds the waits of one place. The functions need no `this`. */
export function createWaits(pass: WorkflowPass, { nameOf, onPark }: WaitPlace): WorkflowWaits {
  const nameFor = (what: "sleep" | "event", given: string | undefined): string =>
    given === undefined || onPark !== undefined ? nameOf(what) : checkStepName(given);

  const wait = (
    name: string,
    kind: "sleep" | "event",
    make: () => Omit<NewWait, "step" | "kind">,
  ): Promise<ResumeData> => pass.wait(name, kind, make, onPark);

  const sleep = async (duration: Milliseconds, options: SleepOptions = {}): Promise<ResumeData> => {
    checkDuration("duration", duration);
    checkKnown("", options, SLEEP_OPTIONS);
    const { name, data } = options;
    return wait(nameFor("sleep", name), "sleep", () => ({
      resumeAt: new Date(pass.parts.clock.now() + duration),
      ...(data === undefined ? {} : { data }),
    }));
  };

  const awaitEvent = async <T extends JsonValue>(
    topic: string | WorkflowEventRef<T>,
    options: EventOptions = {},
  ): Promise<EventResume<T>> => {
    const named = topicOf(topic);
    checkKnown("", options, EVENT_OPTIONS);
    const { name, data } = options;
    const resumeAt = (): Date | undefined => deadlineOf(options, pass.parts.clock.now());
    resumeAt();
    const resumed = await wait(nameFor("event", name), "event", () => {
      const deadline = resumeAt();
      return {
        topic: named,
        ...(deadline === undefined ? {} : { resumeAt: deadline }),
        ...(data === undefined ? {} : { data }),
      };
    });
    return resumed as EventResume<T>;
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

/** When a wait that begins at `now` is given up. Throws `InvalidOptionError` for what is no date or duration. */
export function deadlineOf({ deadline, timeout }: WaitForOptions, now: number): Date | undefined {
  if (deadline !== undefined) return checkDate("deadline", deadline);
  if (timeout === undefined) return undefined;
  return new Date(now + checkDuration("timeout", timeout));
}
