import { describe, expect, it } from "vitest";
import type { StoredDelivery } from "../../../../adapters/sqlite/operations/operation.ts";
import { aPublish, NAMESPACE, openOwner } from "./open-owner.ts";

describe("hub: a consumer that subscribes again", () => {
  it("is one consumer, as its call to an owner that is gone may be repeated beside the one to the next", async () => {
    const { client } = await openOwner();
    const deliveries: StoredDelivery[] = [];
    const subscription = client.listen((events) => void deliveries.push(...(events as StoredDelivery[])));
    const settings = {
      subscription,
      namespace: NAMESPACE,
      queues: ["mail"],
      channels: ["news"],
      prefetch: 1,
      consumerName: "again",
      defaultVisibilityTimeout: 30_000,
      maxDeliveries: 5,
      pollInterval: 1e11,
    };
    await Promise.all([client.call("consume", settings), client.call("consume", settings)]);
    const { message } = aPublish();
    await client.call("publishBroadcast", { namespace: NAMESPACE, channel: "news", envelope: message.envelope });
    expect(deliveries).toHaveLength(1);
    await client.call("publish", aPublish());
    await client.call("publish", aPublish());
    expect(deliveries).toHaveLength(2);
  });

  it("begins after the broadcasts that came before it in the same transaction", async () => {
    const { client } = await openOwner();
    const heard: (number | undefined)[] = [];
    const subscription = client.listen((events) => {
      for (const { sequence } of events as StoredDelivery[]) heard.push(sequence);
    });
    const settings = {
      subscription,
      namespace: NAMESPACE,
      queues: [],
      channels: ["news"],
      prefetch: 1,
      consumerName: "late",
      defaultVisibilityTimeout: 30_000,
      maxDeliveries: 5,
      pollInterval: 1e11,
    };
    const { message } = aPublish();
    const say = () =>
      client.call("publishBroadcast", { namespace: NAMESPACE, channel: "news", envelope: message.envelope });
    const [, sequences] = await Promise.all([say(), client.call("consume", settings), say()]);
    expect(sequences).toEqual([1]);
    expect(heard).toEqual([2]);
  });
});
