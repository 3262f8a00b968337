import { onTestFinished, expect } from "vitest";
import type { TaskContext, TaskFunction } from "../../../src/contracts/task-handler.ts";
import { defineIsolatedTask, type IsolatedTaskOptions } from "../../../src/runtime/define-isolated-task.ts";
import { FakeIsolates } from "./fake-isolates.ts";
import { aGate, aWorkerRig, type Gate, type RigOptions, type WorkerRig } from "./worker-rig.ts";

export const MODULE = "file:///work.js";

/** A worker rig whose one task, `demo.a`, runs in fake threads. */
export interface IsolateRig extends WorkerRig {
  readonly isolates: FakeIsolates;
}

/** After the test no thread lives. */
export function anIsolateRig(
  work: TaskFunction,
  taskOptions: IsolatedTaskOptions = {},
  options: RigOptions = {},
): IsolateRig {
  const isolates = new FakeIsolates({ [MODULE]: { work } });
  onTestFinished(() => expect(isolates.living).not.toContain(true));
  const task = defineIsolatedTask("demo.a", MODULE, { exportName: "work", ...taskOptions });
  const rig = aWorkerRig([task], { isolates, ...options });
  return { ...rig, isolates };
}

/** A function that tells its context, and waits at a gate. */
export function aGatedFunction(): {
  readonly gate: Gate;
  readonly contexts: TaskContext[];
  readonly work: TaskFunction;
} {
  const gate = aGate();
  const contexts: TaskContext[] = [];
  const work = async (context: TaskContext): Promise<string> => {
    contexts.push(context);
    await gate.passed;
    return "late";
  };
  return { gate, contexts, work };
}
