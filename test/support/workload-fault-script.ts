import type { StoredMessage } from "../../adapters/sqlite/operations/stored-message.ts";
import { buildEnvelope } from "../../src/core/envelope.ts";
import type { FaultRun } from "./workload-fault-run.ts";
import { toMessage } from "./workload-broker-steps.ts";

const NAMESPACE = "red";
const QUEUE = "q0";
const LONG_PAYLOAD = 9_000;

/** The calls whose every storage call fails once; each kind of transaction is among them. */
export async function runFaultScript(run: FaultRun, prefix: string): Promise<void> {
  const { session } = run;
  const message = (name: string, length = 100): StoredMessage => messageOf(`${prefix}-${name}`, length);
  await run.open();
  await publish(run, message("one"));
  const batch = [message("two"), message("three"), message("four")];
  const published = await run.attempt("publishAll", () =>
    session.call("publishAll", { namespace: NAMESPACE, messages: batch, replacePending: false }),
  );
  for (const { id } of batch) run.decide(id, published, "there", "gone");
  if (session.isOpen) await run.consume(NAMESPACE, QUEUE);
  await session.clock.advance(1);
  await end(run, "ack", (delivery) => session.call("ack", delivery), "gone");
  await end(
    run,
    "deadLetter",
    (delivery) => session.call("deadLetter", { delivery, reason: null, meta: "{}" }),
    "there",
  );
  await settleTask(run, message("five"));
  await publish(run, message("six", LONG_PAYLOAD));
  await run.attempt("upsertRevocations", () => session.call("upsertRevocations", [revocation]));
  await publish(run, message("seven"));
  await run.attempt("close", () => session.close());
  run.heal();
  await run.open();
  await publish(run, message("last"));
  await run.attempt("close", () => session.close());
}

/** Publishes; after an unknown outcome again under the same id, which has one effect. */
async function publish(run: FaultRun, message: StoredMessage): Promise<void> {
  const send = (): Promise<unknown> => run.session.call("publish", { namespace: NAMESPACE, message });
  const outcome = await run.attempt("publish", send);
  run.decide(message.id, outcome, "there", "gone");
  if (outcome !== "unknown") return;
  const again = await run.attempt("publish again", send);
  run.decide(message.id, again, "there", "either");
}

async function end(
  run: FaultRun,
  name: string,
  work: (delivery: FaultRun["held"][number]) => Promise<unknown>,
  fate: "gone" | "there",
): Promise<void> {
  const delivery = run.held.shift();
  if (delivery === undefined) return;
  run.decide(delivery.id, await run.attempt(name, () => work(delivery)), fate, "there");
}

async function settleTask(run: FaultRun, next: StoredMessage): Promise<void> {
  const delivery = run.held.shift();
  if (delivery === undefined) return;
  const status = {
    id: delivery.id,
    state: "succeeded",
    attempt: 0,
    payload: null,
    error: null,
    meta: "{}",
    fence: delivery.token,
    queue: null,
    ttl: 60_000,
  } as const;
  const outcome = await run.attempt("settleTask", () =>
    run.session.call("settleTask", {
      delivery,
      end: { kind: "ack" },
      backendNamespace: NAMESPACE,
      status,
      groupId: null,
      brokerNamespace: NAMESPACE,
      publish: [next],
      queued: [],
    }),
  );
  run.decide(delivery.id, outcome, "gone", "there");
  run.decide(next.id, outcome, "there", "gone");
}

function messageOf(id: string, length: number): StoredMessage {
  return toMessage(buildEnvelope({ id, name: "control", queue: QUEUE, args: { text: "x".repeat(length) } }, id, 0));
}

const revocation = {
  namespace: NAMESPACE,
  taskId: "revoked",
  version: 1,
  issuedAt: 1,
  terminate: 0,
  reason: null,
  requestedBy: null,
  expiresAt: null,
};
