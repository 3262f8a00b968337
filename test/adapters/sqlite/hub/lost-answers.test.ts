import { describe, expect, it } from "vitest";
import { expectError } from "../../../contract/support.ts";
import { anEnvelope } from "../../../support/an-envelope.ts";
import { RETURN, take, type ThreeBrokers, threeContexts } from "./three-contexts.ts";

describe("hub: a call whose answer the owner takes with it", () => {
  /** Has member one make a call that takes effect and is not answered; then the owner dies, another one answers. */
  async function unanswered<T>(
    prepare: (brokers: ThreeBrokers) => Promise<() => Promise<T>>,
    meanwhile: (brokers: ThreeBrokers) => Promise<void> = async () => undefined,
  ): Promise<{ answer: T; brokers: ThreeBrokers }> {
    const { owner, one, brokers, clock } = await threeContexts();
    const call = await prepare(brokers);
    one.deafen();
    let isSettled = false;
    const answer = call().finally(() => (isSettled = true));
    await clock.advance(0);
    await meanwhile(brokers);
    expect(isSettled).toBe(false);
    await owner.kill();
    await clock.advance(RETURN);
    return { answer: await answer, brokers };
  }

  it("publishes once, also when the message was consumed in between", async () => {
    const envelope = anEnvelope();
    const { answer, brokers } = await unanswered(
      async ([, one]) =>
        () =>
          one.publish(envelope),
      async ([, , two]) => {
        const delivery = await take(two.consume({ queues: ["default"] }));
        await two.ack(delivery);
      },
    );
    expect(answer).toEqual({ id: envelope.id, outcome: "stored" });
    expect(await brokers[2].pendingCount("default")).toBe(0);
  });

  it("acks once, and says so", async () => {
    const { brokers } = await unanswered(async ([, one, two]) => {
      await two.publish(anEnvelope());
      const delivery = await take(one.consume({ queues: ["default"] }));
      return () => one.ack(delivery);
    });
    expect(await brokers[2].pendingCount("default")).toBe(0);
    expect(await brokers[2].inflightCount("default")).toBe(0);
  });

  it("replays dead letters once", async () => {
    const { answer, brokers } = await unanswered(async ([, one, two]) => {
      await two.publish(anEnvelope());
      await one.deadLetter(await take(one.consume({ queues: ["default"] })));
      return () => one.replayDeadLetters("default");
    });
    expect(answer.entries).toHaveLength(1);
    expect((await brokers[2].listDeadLetters("default")).entries).toEqual([]);
  });

  it("purges once, and tells how many there were", async () => {
    const { answer, brokers } = await unanswered(
      async ([, one, two]) => {
        await two.publishAll([anEnvelope(), anEnvelope()]);
        return () => one.purge("default");
      },
      async ([, , two]) => {
        await two.publish(anEnvelope());
      },
    );
    expect(answer).toBe(2);
    expect(await brokers[2].pendingCount("default")).toBe(1);
  });

  it("repeats an error too", async () => {
    const { owner, one, brokers, clock } = await threeContexts();
    const envelope = anEnvelope();
    await brokers[2].publish(envelope);
    one.deafen();
    const refused = expectError(() => brokers[1].publish({ ...envelope, args: { other: 1 } }), "STEM_DUPLICATE_ID");
    await clock.advance(0);
    // The new owner would take it.
    expect(await brokers[2].purge("default")).toBe(1);
    await owner.kill();
    await clock.advance(RETURN);
    await refused;
    expect(await brokers[2].pendingCount("default")).toBe(0);
  });

  it("is answered through two changes of the owner", async () => {
    const { owner, one, two, brokers, clock, add } = await threeContexts();
    const third = await add().broker();
    one.deafen();
    const envelope = anEnvelope();
    const published = brokers[1].publish(envelope);
    await clock.advance(0);
    await owner.kill();
    if (two.isOwner) await two.kill();
    await clock.advance(RETURN);
    await clock.advance(RETURN);
    expect((await published).outcome).toBe("stored");
    expect(await third.pendingCount("default")).toBe(1);
  });
});
