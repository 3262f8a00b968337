import { stringifyObjectWithin } from "../../src/core/json.ts";
import type { Delivery } from "../../src/contracts/broker.ts";
import type { DeliveryEnd, DeliveryOutcome, DeliverySettler } from "../../src/contracts/delivery-settler.ts";
import type { ResultBackend, StatusWrite } from "../../src/contracts/result-backend.ts";
import { checkEnvelope } from "../../src/core/envelope.ts";
import { checkName } from "../../src/core/names.ts";
import { checkOneOf, checkText } from "../../src/core/options.ts";
import { InvalidOptionError } from "../../src/errors.ts";
import { toDeliveryRef } from "./messages.ts";
import type { HubClient } from "./hub/hub-client.ts";
import type { HubHandle } from "./open-hub.ts";
import type { StoredStatusWrite } from "./operations/results.ts";
import type { StoredDeliveryEnd } from "./operations/settle-task.ts";
import { toStoredMessage } from "./operations/stored-message.ts";
import { SqliteResultBackend } from "./sqlite-result-backend.ts";
import { type StatusBounds, toStoredStatusWrite } from "./status-json.ts";

const END_KINDS: readonly DeliveryEnd["kind"][] = ["ack", "retry", "dead-letter"];

/**
 * What ends deliveries of the broker in one transaction with `backend`; `undefined` unless they share a database.
 * `hub` throws once the broker is closed.
 */
export function createSqliteSettler(
  handle: HubHandle,
  hub: () => HubClient,
  backend: ResultBackend,
  options: Readonly<{ maxPayloadBytes: number; namespace: string }>,
): DeliverySettler | undefined {
  if (!(backend instanceof SqliteResultBackend) || !backend.sharesDatabase(handle)) return undefined;
  const { maxPayloadBytes, namespace } = options;
  return {
    async settle(
      delivery: Delivery,
      { end, status, groupId, publish = [], queued = [] }: DeliveryOutcome,
    ): Promise<void> {
      const ref = toDeliveryRef(delivery) ?? null;
      const write = toStoredStatusWrite(status, backend.bounds);
      await hub().call("settleTask", {
        delivery: ref,
        end: toStoredEnd(delivery, end, maxPayloadBytes),
        backendNamespace: backend.namespace,
        status: ref === null ? write : { ...write, fence: ref.token },
        groupId: groupId === undefined ? null : checkName("group id", groupId),
        brokerNamespace: namespace,
        publish: publish.map((envelope) => toStoredMessage(checkEnvelope(envelope), maxPayloadBytes)),
        queued: queued.map((each) => toStoredQueued(each, backend.bounds)),
      });
    },
  };
}

function toStoredQueued(write: StatusWrite, bounds: StatusBounds): StoredStatusWrite {
  if (write?.state !== "queued") throw new InvalidOptionError("queued.state", write?.state, `"queued"`);
  return toStoredStatusWrite(write, bounds);
}

function toStoredEnd(delivery: Delivery, end: DeliveryEnd, maxPayloadBytes: number): StoredDeliveryEnd {
  checkOneOf("end.kind", end.kind, END_KINDS);
  if (end.kind === "ack") return { kind: "ack" };
  if (end.kind === "dead-letter") {
    const meta = stringifyObjectWithin(end.meta ?? {}, "meta", maxPayloadBytes);
    return { kind: "dead-letter", reason: checkText("reason", end.reason), meta };
  }
  const { id } = delivery.envelope;
  if (end.next?.id !== id) throw new InvalidOptionError("next.id", end.next?.id, "the id of the delivered message");
  return { kind: "retry", next: toStoredMessage(checkEnvelope(end.next), maxPayloadBytes) };
}
