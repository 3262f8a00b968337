// Runs in a thread of its own; what it enqueues goes through the worker all the same.
import type { TaskContext } from "stem-sqlite";
import { audit } from "./audit.ts";

/** The function of `demo.isolate_child`. */
export async function isolateChild(context: TaskContext, { runId }: { runId: string }): Promise<string> {
  console.log(`[isolate_child] id=${context.id} attempt=${context.attempt} runId=${runId}`);
  await audit.enqueue(
    context,
    { runId, message: "isolate child used direct enqueue" },
    {
      headers: { "x-child": "isolate" },
      meta: { origin: "isolate-child" },
      notBefore: new Date(Date.now() + 200),
      enqueueOptions: { shadow: "audit-shadow" },
    },
  );
  return "isolate-ok";
}
