import { describe, expect, it } from "vitest";
import type { BroadcastGap, Delivery } from "../../../../src/contracts/broker.ts";
import { broadcastRoute } from "../../../../src/core/routing.ts";
import { expectError } from "../../../contract/support.ts";
import { anEnvelope } from "../../../support/an-envelope.ts";
import { collect } from "../../../support/collect.ts";
import { openContexts } from "./open-contexts.ts";
import { RETURN, take, threeContexts } from "./three-contexts.ts";

const LEASE = 30_000;

describe("hub: a change of the owner", () => {
  it.each(["is closed", "is killed"])("lets members go on when the owner %s", async (how) => {
    const { owner, one, two, brokers, clock } = await threeContexts();
    const consumer = brokers[1].consume({ queues: ["default"] });
    const next = take(consumer);
    await clock.advance(0);
    if (how === "is closed") await brokers[0].close();
    else await owner.kill();
    await clock.advance(RETURN);
    expect([one.isOwner, two.isOwner].filter(Boolean)).toHaveLength(1);
    const envelope = anEnvelope();
    await brokers[2].publish(envelope);
    const delivery = await next;
    expect(delivery.envelope).toEqual(envelope);
    await brokers[1].ack(delivery);
    expect(await brokers[2].pendingCount("default")).toBe(0);
  });

  it("keeps what a living member holds for it, and gives back at once what the dead owner held", async () => {
    const { owner, brokers, clock } = await threeContexts();
    const [ownEnvelope, membersEnvelope] = [anEnvelope({ queue: "a" }), anEnvelope({ queue: "b" })];
    await brokers[2].publishAll([ownEnvelope, membersEnvelope]);
    const ofOwner = await take(brokers[0].consume({ queues: ["a"] }));
    const ofMember = await take(brokers[1].consume({ queues: ["b"] }));
    await owner.kill();
    await clock.advance(100);
    const other = brokers[2].consume({ queues: ["a", "b"] }, { prefetch: 5 });
    const again = await take(other);
    expect(again).toMatchObject({ envelope: { id: ownEnvelope.id }, deliveries: 2 });
    expect(again.token).toBeGreaterThan(ofOwner.token);
    await brokers[2].ack(again);
    const seen: Delivery[] = [];
    void other.next().then(({ value }) => value !== undefined && seen.push(value));
    await clock.advance(LEASE / 2);
    expect(seen).toEqual([]);
    await brokers[1].extendLease(ofMember, LEASE);
    await clock.advance(LEASE - 1);
    expect(seen).toEqual([]);
    await brokers[1].ack(ofMember);
    await clock.advance(LEASE);
    expect(seen).toEqual([]);
  });

  it("holds to a consumer's prefetch after the change", async () => {
    const { owner, brokers, clock } = await threeContexts();
    await brokers[2].publishAll([anEnvelope(), anEnvelope(), anEnvelope()]);
    const consumer = brokers[1].consume({ queues: ["default"] }, { prefetch: 2 });
    const held = [await take(consumer), await take(consumer)];
    await owner.kill();
    await clock.advance(RETURN);
    const arrived: Delivery[] = [];
    void take(consumer).then((delivery) => arrived.push(delivery));
    await clock.advance(RETURN);
    expect(arrived).toEqual([]);
    await brokers[1].ack(held[0] as Delivery);
    await clock.advance(0);
    expect(arrived).toHaveLength(1);
  });

  it("gives back what a member of the last owner held that does not come to the new one", async () => {
    const { owner, one, brokers, clock } = await threeContexts();
    await brokers[2].publish(anEnvelope());
    await take(brokers[1].consume({ queues: ["default"] }));
    await Promise.all([owner.kill(), one.kill()]);
    const next = take(brokers[2].consume({ queues: ["default"] }));
    await clock.advance(RETURN);
    expect(await next).toMatchObject({ deliveries: 2 });
  });

  it("keeps what a member holds that is only paused, as long as its lease lasts", async () => {
    const { owner, one, two, brokers, clock } = await threeContexts();
    await brokers[2].publish(anEnvelope());
    const delivery = await take(brokers[1].consume({ queues: ["default"] }));
    const resume = one.pause();
    await owner.kill();
    const given: Delivery[] = [];
    const waiting = take(brokers[2].consume({ queues: ["default"] })).then((next) => given.push(next));
    await clock.advance(LEASE / 2);
    expect(two.isOwner).toBe(true);
    expect(given).toEqual([]);
    resume();
    await clock.advance(100);
    await brokers[1].extendLease(delivery, LEASE);
    await clock.advance(LEASE - 1);
    expect(given).toEqual([]);
    await clock.advance(1);
    await waiting;
    expect(given).toMatchObject([{ deliveries: 2 }]);
  });

  it("delivers again, uncounted, what the last owner sent and a member never got", async () => {
    const { owner, one, brokers, clock } = await threeContexts();
    const consumer = brokers[1].consume({ queues: ["default"] });
    const next = take(consumer);
    await clock.advance(0);
    one.deafen();
    await brokers[2].publish(anEnvelope());
    await clock.advance(0);
    expect(await brokers[2].inflightCount("default")).toBe(1);
    await owner.kill();
    await clock.advance(RETURN);
    expect(await next).toMatchObject({ deliveries: 1 });
  });

  it("gives back, uncounted, what was sent to a consumer that ends before it hears of it", async () => {
    const { owner, one, brokers, clock } = await threeContexts();
    const consumer = brokers[1].consume({ queues: ["default"] });
    void consumer.next();
    await clock.advance(0);
    one.deafen();
    await brokers[2].publish(anEnvelope());
    const ended = consumer.return?.();
    await clock.advance(0);
    await owner.kill();
    await clock.advance(RETURN);
    await ended;
    const next = take(brokers[2].consume({ queues: ["default"] }));
    await clock.advance(0);
    expect(await next).toMatchObject({ deliveries: 1 });
  });

  it("gives back what a member held when its context ends", async () => {
    const { one, brokers, clock } = await threeContexts();
    await brokers[2].publishAll([anEnvelope(), anEnvelope()]);
    await take(brokers[1].consume({ queues: ["default"] }, { prefetch: 2 }));
    expect(await brokers[2].inflightCount("default")).toBe(2);
    await one.kill();
    await clock.advance(0);
    expect(await brokers[2].inflightCount("default")).toBe(0);
    expect(await brokers[2].pendingCount("default")).toBe(2);
  });

  it("gives back what a member held when it closes", async () => {
    const { brokers } = await threeContexts();
    await brokers[2].publish(anEnvelope());
    await take(brokers[1].consume({ queues: ["default"] }));
    await brokers[1].close();
    expect(await brokers[2].pendingCount("default")).toBe(1);
  });
});

describe("hub: what is pushed, over a change of the owner", () => {
  it("goes on with watches of statuses, and tells what happened in between", async () => {
    const contexts = openContexts();
    const [owner, one, two] = [contexts.add(), contexts.add(), contexts.add()];
    await owner.backend();
    const [watching, writing] = [await one.backend(), await two.backend()];
    const seen = collect(watching.watch("task"));
    await writing.set("task", "running");
    await contexts.clock.advance(0);
    one.deafen();
    await writing.set("task", "running", { attempt: 1 });
    await owner.kill();
    await contexts.clock.advance(RETURN);
    await writing.set("task", "succeeded", { attempt: 1 });
    expect((await seen).map(({ state, attempt }) => `${state} ${attempt}`)).toEqual([
      "running 0",
      "running 1",
      "succeeded 1",
    ]);
  });

  it("does not tell a status again that was told before", async () => {
    const contexts = openContexts();
    const [owner, one, two] = [contexts.add(), contexts.add(), contexts.add()];
    await owner.backend();
    const [watching, writing] = [await one.backend(), await two.backend()];
    const seen = collect(watching.watch("task"));
    await contexts.clock.advance(0);
    await writing.set("task", "running");
    await owner.kill();
    await contexts.clock.advance(RETURN);
    await writing.set("task", "succeeded");
    expect((await seen).map(({ state }) => state)).toEqual(["running", "succeeded"]);
  });

  it("goes on with watches of revocations, and tells what was stored in between", async () => {
    const contexts = openContexts();
    const [owner, one, two] = [contexts.add(), contexts.add(), contexts.add()];
    await owner.revokeStore();
    const [watching, writing] = [await one.revokeStore(), await two.revokeStore()];
    const revoke = (version: number) =>
      writing.upsertAll([
        { namespace: "stem", taskId: `task-${version}`, version, issuedAt: new Date(0), terminate: true },
      ]);
    await revoke(1);
    const seen = collect(watching.watch("stem"), 3);
    await contexts.clock.advance(0);
    await revoke(2);
    await contexts.clock.advance(0);
    one.deafen();
    await revoke(3);
    await owner.kill();
    await contexts.clock.advance(RETURN);
    await revoke(4);
    expect((await seen).map(({ version }) => version)).toEqual([2, 3, 4]);
  });

  it("numbers broadcasts on, and reports the ones that were missed", async () => {
    const { owner, one, brokers, clock } = await threeContexts();
    const gaps: BroadcastGap[] = [];
    const consumer = brokers[1].consume({ broadcastChannels: ["news"] }, { onGap: (gap) => gaps.push(gap) });
    const say = () => brokers[2].publish(anEnvelope(), { routing: broadcastRoute("news") });
    const first = take(consumer);
    await clock.advance(0);
    await say();
    expect((await first).sequence).toBe(1);
    one.deafen();
    await say();
    await say();
    await owner.kill();
    await clock.advance(RETURN);
    expect(gaps).toEqual([{ channel: "news", missed: 2 }]);
    const next = take(consumer);
    await say();
    expect((await next).sequence).toBe(4);
    expect(gaps).toHaveLength(1);
  });
});

describe("hub: an owner that does not answer", () => {
  it("is reported to who waits for it, keeps its place, and serves again when it can", async () => {
    const contexts = openContexts();
    const [owner, one] = [contexts.add(), contexts.add()];
    await owner.broker();
    const broker = await one.broker({ ownerTimeout: 5_000 });
    const resume = one.pause();
    const waiting = expectError(() => broker.publish(anEnvelope()), "STEM_OWNER_UNRESPONSIVE");
    await contexts.clock.advance(5_999);
    await contexts.clock.advance(1);
    await waiting;
    expect(one.isOwner).toBe(false);
    resume();
    expect(await broker.pendingCount("default")).toBe(1);
  });

  it("is not suspected by a member that was paused itself", async () => {
    const contexts = openContexts();
    const [owner, one] = [contexts.add(), contexts.add()];
    await owner.broker();
    const broker = await one.broker({ ownerTimeout: 5_000 });
    const resume = one.pause();
    const counting = broker.pendingCount("default");
    await contexts.clock.advance(5_500);
    resume();
    expect(await counting).toBe(0);
  });

  it("is refused to a newcomer with a typed error", async () => {
    const contexts = openContexts();
    const [owner, one] = [contexts.add(), contexts.add()];
    await owner.broker();
    one.deafen();
    const opening = expectError(() => one.broker({ ownerTimeout: 5_000 }), "STEM_OWNER_UNRESPONSIVE");
    await contexts.clock.advance(5_000);
    await opening;
  });
});

describe("hub: what an owner has against a member", () => {
  it("refuses other durability than its own", async () => {
    const contexts = openContexts();
    await contexts.add().broker();
    await expectError(() => contexts.add().broker({ durability: "relaxed" }), "STEM_INVALID_OPTION");
  });
});
