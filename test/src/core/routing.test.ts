import { describe, expect, it } from "vitest";
import { broadcastRoute, checkRoute, queueRoute, resolveSubscription } from "../../../src/core/routing.ts";
import { StemError } from "../../../src/errors.ts";
import { STRANGERS } from "./bad-values.ts";
import { NAUGHTY } from "./naughty-strings.ts";
import { thrownBy } from "./thrown-by.ts";

const isBlankOnly = (text: string): boolean =>
  text.trim() !== text && text.trim() !== "" && thrownBy(() => queueRoute(text.trim())) === undefined;

describe("core/routing", () => {
  it("makes routes, trimming blanks around names", () => {
    expect(queueRoute(" mail\n")).toEqual({ type: "queue", queue: "mail", meta: {} });
    expect(queueRoute("mail", { priority: 5, meta: { a: 1 } })).toEqual({
      type: "queue",
      queue: "mail",
      priority: 5,
      meta: { a: 1 },
    });
    expect(broadcastRoute(" news ")).toEqual({
      type: "broadcast",
      broadcastChannel: "news",
      delivery: "at-most-once",
      meta: {},
    });
  });

  it.each(NAUGHTY.filter((text) => !isBlankOnly(text)))("refuses %j as queue and channel", (text) => {
    expect(thrownBy(() => queueRoute(text))).toBeInstanceOf(StemError);
    expect(thrownBy(() => broadcastRoute(text))).toBeInstanceOf(StemError);
    expect(thrownBy(() => resolveSubscription({ queues: ["ok", text] }))).toBeInstanceOf(StemError);
    expect(thrownBy(() => resolveSubscription({ broadcastChannels: [text] }))).toBeInstanceOf(StemError);
  });

  it("checks a route that was made by hand", () => {
    expect(checkRoute({ type: "queue", queue: " a ", meta: {} })).toMatchObject({ queue: "a" });
    STRANGERS.forEach((value, index) => {
      expect(
        thrownBy(() => checkRoute(value as never)),
        `${index}`,
      ).toBeInstanceOf(StemError);
      expect(
        thrownBy(() => checkRoute({ type: value } as never)),
        `type ${index}`,
      ).toBeInstanceOf(StemError);
      expect(
        thrownBy(() => checkRoute({ type: "broadcast", broadcastChannel: value } as never)),
        `${index}`,
      ).toSatisfy((error) => error instanceof StemError || value === "5" || value === "NaN");
    });
  });

  it("resolves a subscription without repeats, in order", () => {
    expect(resolveSubscription({ queues: ["b", " a", "b ", "a"], broadcastChannels: ["c"] })).toEqual({
      queues: ["b", "a"],
      broadcastChannels: ["c"],
    });
  });

  it.each([
    {},
    { queues: [] },
    { queues: [], broadcastChannels: [] },
    { queues: undefined },
    null,
    undefined,
    "mail",
    5,
    true,
  ])("refuses the subscription %j", (subscription) => {
    expect(thrownBy(() => resolveSubscription(subscription as never))).toMatchObject({ code: "STEM_INVALID_OPTION" });
  });

  it.each([["mail"], [5], [{}], [null], [{ 0: "a", length: 1 }]])(
    "refuses %j in the place of a list of names",
    (names) => {
      expect(thrownBy(() => resolveSubscription({ queues: names as string[] }))).toMatchObject({
        code: "STEM_INVALID_OPTION",
      });
    },
  );

  it.each([[[undefined]], [[null]], [[5]], [[[]]], [Array(1)], [Object.assign(Array(3), { 0: "a", 2: "b" })]])(
    "refuses a list with something else than names (case %#)",
    (names) => {
      expect(thrownBy(() => resolveSubscription({ queues: names as string[] }))).toBeInstanceOf(StemError);
    },
  );
});
