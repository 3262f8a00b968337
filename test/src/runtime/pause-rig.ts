import type { WorkerOptions } from "../../../src/runtime/worker-options.ts";
import type { Worker } from "../../../src/runtime/worker.ts";
import { defineTask } from "../../../src/runtime/define-task.ts";
import { aControlRig, type ControlRig } from "./control-rig.ts";
import { aGate, type Gate } from "./worker-rig.ts";

/** Where pauses of the namespace "stem" are. */
export const PAUSES = "stem.paused-queues";

/** A rig whose tasks wait for a gate. */
export interface PauseRig extends ControlRig {
  readonly gate: Gate;
  /** Which tasks have begun, as `queue/id`. */
  readonly ran: string[];
  readonly enqueue: (queue: string, taskId: string) => Promise<string>;
}

/** Workers on the queues a and b, one task at a time, all with the same options. */
export function aPauseRig(options: Parameters<typeof aControlRig>[1] = {}): PauseRig {
  const gate = aGate();
  const ran: string[] = [];
  const task = defineTask("demo.a", async ({ queue, id }) => {
    ran.push(`${queue}/${id}`);
    await gate.passed;
  });
  const all = { subscription: { queues: ["a", "b"] }, concurrency: 1, prefetch: 4, ...options };
  const rig = aControlRig([task], all);
  const { maxDeliveries: _, ...ofWorkers } = all;
  const another = (more: Partial<WorkerOptions> = {}): Worker => rig.another({ ...ofWorkers, ...more });
  const enqueue = (queue: string, taskId: string): Promise<string> =>
    rig.stem.enqueue("demo.a", { options: { queue }, enqueueOptions: { taskId } });
  return { ...rig, another, gate, ran, enqueue };
}
