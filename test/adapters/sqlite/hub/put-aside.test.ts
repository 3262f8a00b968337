import { describe, expect, it } from "vitest";
import { anEnvelope } from "../../../support/an-envelope.ts";
import { RETURN, take, threeContexts } from "./three-contexts.ts";

describe("hub: a context that is put aside", () => {
  it("leaves the database to others, and goes on as their member when it comes back", async () => {
    const { owner, one, two, brokers, clock } = await threeContexts();
    const own = take(brokers[0].consume({ queues: ["own"] }));
    await clock.advance(0);
    const resume = owner.putAside();
    await clock.advance(RETURN);
    expect([one.isOwner, two.isOwner].filter(Boolean)).toHaveLength(1);
    const envelope = anEnvelope({ queue: "own" });
    await brokers[1].publish(envelope);
    const late = brokers[0].publish(anEnvelope({ queue: "late" }));
    resume();
    await clock.advance(RETURN);
    expect((await own).envelope).toEqual(envelope);
    await late;
    expect(await brokers[2].pendingCount("late")).toBe(1);
  });

  it("gives what it holds to others, and is told when it ends it", async () => {
    const { owner, brokers, clock } = await threeContexts();
    await brokers[1].publish(anEnvelope());
    const held = await take(brokers[0].consume({ queues: ["default"] }));
    const resume = owner.putAside();
    const next = take(brokers[2].consume({ queues: ["default"] }));
    await clock.advance(RETURN);
    const again = await next;
    expect(again.deliveries).toBe(2);
    resume();
    await clock.advance(RETURN);
    await expect(brokers[0].ack(held)).rejects.toMatchObject({ code: "STEM_LEASE_LOST" });
    await brokers[2].ack(again);
  });

  it("as a member goes on with the owner it finds then", async () => {
    const { one, brokers, clock } = await threeContexts();
    const next = take(brokers[1].consume({ queues: ["default"] }));
    await clock.advance(0);
    const resume = one.putAside();
    const pending = brokers[1].publish(anEnvelope({ queue: "other" }));
    await clock.advance(RETURN);
    resume();
    await clock.advance(RETURN);
    await pending;
    await brokers[0].publish(anEnvelope());
    await brokers[1].ack(await next);
    expect(await brokers[0].pendingCount("other")).toBe(1);
  });

  it("can be closed while it is", async () => {
    const { owner, brokers, clock } = await threeContexts();
    owner.putAside();
    const closing = brokers[0].close();
    await clock.advance(RETURN);
    await closing;
    await brokers[1].publish(anEnvelope());
  });

  it("may be put aside and come back again and again", async () => {
    const { owner, brokers, clock } = await threeContexts();
    for (let round = 0; round < 5; round++) {
      const resume = owner.putAside();
      resume();
      owner.putAside()();
      const published = brokers[0].publish(anEnvelope());
      await clock.advance(RETURN);
      await published;
    }
    expect(await brokers[1].pendingCount("default")).toBe(5);
  });
});

describe("hub: an owner that lost its ownership", () => {
  it("steps down, and all go on with the next owner, whoever that is, with one effect of each call", async () => {
    const { owner, brokers, clock } = await threeContexts();
    const waiting = take(brokers[0].consume({ queues: ["wanted"] }));
    await clock.advance(0);
    owner.loseOwnership();
    const calls = brokers.map((broker) => broker.publish(anEnvelope()));
    await clock.advance(RETURN);
    await Promise.all(calls);
    expect(await brokers[0].pendingCount("default")).toBe(3);
    await brokers[1].publish(anEnvelope({ queue: "wanted" }));
    await brokers[0].ack(await waiting);
  });
});
