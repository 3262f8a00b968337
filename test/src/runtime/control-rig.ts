import { expect, onTestFinished } from "vitest";
import type { InMemoryBroker } from "../../../adapters/memory/index.ts";
import type { Broker } from "../../../src/contracts/broker.ts";
import type { Clock } from "../../../src/contracts/clock.ts";
import type { AnyTaskHandler } from "../../../src/contracts/task-handler.ts";
import { commandEnvelope, controlChannel, replyChannel } from "../../../src/core/control-message.ts";
import { buildEnvelope, type Envelope } from "../../../src/core/envelope.ts";
import type { JsonObject } from "../../../src/core/json.ts";
import { broadcastRoute } from "../../../src/core/routing.ts";
import { type ControlReply, WorkerControl } from "../../../src/runtime/worker-control.ts";
import { createSequentialIds } from "../../../src/testing/sequential-ids.ts";
import { aWorkerRig, type RigOptions, type WorkerRig } from "./worker-rig.ts";

/** A worker, not started, and who controls it. */
export interface ControlRig extends WorkerRig {
  readonly control: WorkerControl;
}

/** The rig of workers, with a control on the same broker and clock; closed after the test. */
export function aControlRig(tasks: readonly AnyTaskHandler[] = [], options: RigOptions = {}): ControlRig {
  const rig = aWorkerRig(tasks, options);
  return { ...rig, control: aControl(rig.broker, rig.clock, rig.logger) };
}

/** A control, closed after the test. */
export function aControl(broker: Broker, clock: Clock, logger: WorkerRig["logger"]): WorkerControl {
  const control = new WorkerControl({ broker, clock, logger, ids: createSequentialIds("request") });
  onTestFinished(() => control.close());
  return control;
}

/** The payload of the one answer; throws when there are others or when it is an error. */
export function only<Payload>(replies: readonly ControlReply<Payload>[]): Payload {
  expect(replies.map(({ status }) => status)).toEqual(["ok"]);
  const [reply] = replies;
  if (reply?.status !== "ok") throw new Error("There is no answer.");
  return reply.payload;
}

/** Sends args as a command of nobody's making; the answers that come without time passing. */
export async function sendRaw(
  { broker, clock }: Pick<WorkerRig, "broker" | "clock">,
  args: JsonObject,
  changes: Partial<Envelope> = {},
): Promise<JsonObject[]> {
  const plain = { requestId: "raw-1", type: "ping", targets: ["*"], payload: {} };
  const channel = controlChannel("stem");
  const envelope = buildEnvelope({ ...commandEnvelope(plain, channel, clock.now()), args, ...changes }, "raw", 0);
  const consumer = broker.consume({ broadcastChannels: [replyChannel("stem", "raw-1")] });
  const answers: JsonObject[] = [];
  const reading = (async () => {
    for await (const { envelope: answer } of { [Symbol.asyncIterator]: () => consumer }) answers.push(answer.args);
  })();
  await broker.publish(envelope, { routing: broadcastRoute(channel) });
  await clock.advance(0);
  await consumer.return();
  await reading;
  return answers;
}

/** The same broker as one that has no broadcasts. */
export function withoutBroadcasts(broker: InMemoryBroker): InMemoryBroker {
  const capabilities = { ...broker.capabilities, supportsBroadcastFanout: false };
  return new Proxy(broker, {
    get(target, key) {
      if (key === "capabilities") return capabilities;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
