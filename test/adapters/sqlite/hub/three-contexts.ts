import { expect } from "vitest";
import type { SqliteBroker } from "../../../../adapters/entry/node.ts";
import type { Consumer, Delivery } from "../../../../src/contracts/broker.ts";
import { openContexts, type TestContext, type TestContexts } from "./open-contexts.ts";

/** Longer than it takes members to find, or to be, the next owner. */
export const RETURN = 2_000;

export type ThreeBrokers = readonly [ofOwner: SqliteBroker, ofOne: SqliteBroker, ofTwo: SqliteBroker];

/** An owner and two members, each with a broker. */
export interface ThreeContexts extends TestContexts {
  readonly owner: TestContext;
  readonly one: TestContext;
  readonly two: TestContext;
  readonly brokers: ThreeBrokers;
}

export async function threeContexts(): Promise<ThreeContexts> {
  const contexts = openContexts();
  const [owner, one, two] = [contexts.add(), contexts.add(), contexts.add()];
  const brokers = [await owner.broker(), await one.broker(), await two.broker()] as const;
  expect([owner.isOwner, one.isOwner, two.isOwner]).toEqual([true, false, false]);
  return { ...contexts, owner, one, two, brokers };
}

/** The next delivery of a consumer. */
export async function take(consumer: Consumer): Promise<Delivery> {
  const { value } = await consumer.next();
  if (value === undefined) throw new Error("The consumer has ended.");
  return value;
}
