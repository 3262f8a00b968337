import { checkName } from "../core/names.ts";
import { InvalidNameError } from "../errors.ts";

/** Longest name of a step: what is built on it has to be a name as well. */
const MAX_STEP_NAME = 80;

/** What names one checkpoint: the step's name, with its iteration where it has several. */
export interface StepKey {
  readonly name: string;
  readonly baseName: string;
  readonly iteration?: number;
}

/** Returns `value` when it can name a step: a name of at most 80 characters without a slash. */
export function checkStepName(value: unknown): string {
  const name = checkName("step", value);
  if (name.includes("/")) throw new InvalidNameError("step", value, "may not hold a slash");
  if (name.length > MAX_STEP_NAME) {
    throw new InvalidNameError("step", value, `must not be longer than ${MAX_STEP_NAME} characters`);
  }
  return name;
}

/** Returns `value` when it is the name of a step, or of one iteration of it. */
export function checkVersionedStepName(value: unknown): string {
  if (typeof value !== "string") return checkStepName(value);
  const [, baseName = value] = /^([^#]*)#\d+$/.exec(value) ?? [];
  checkStepName(baseName);
  return value;
}

/** The key of a step with one checkpoint. */
export function plainKey(baseName: string): StepKey {
  return { name: baseName, baseName };
}

/** The key of one of several checkpoints of one name. */
export function versionedKey(baseName: string, iteration: number): StepKey {
  return { name: `${baseName}#${iteration}`, baseName, iteration };
}

/** Base name for something inside of a step, such as its waits; no step can have it. */
export function innerName(key: StepKey, what: string): string {
  const owner = key.iteration === undefined ? key.baseName : `${key.baseName}//${key.iteration}`;
  return `${owner}/${what}`;
}

/** What the ids of tasks of a run begin with: others after each rewinding, so that its steps enqueue them anew. */
export function taskPrefix({ runId, rewinds }: Readonly<{ runId: string; rewinds: number }>): string {
  return rewinds === 0 ? runId : `${runId}//${rewinds}`;
}
