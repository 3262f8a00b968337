import { describe, expect, it } from "vitest";
import { resolveTaskOptions, type TaskOptions } from "../../../src/core/task-options.ts";
import { StemError } from "../../../src/errors.ts";
import { STRANGERS } from "./bad-values.ts";
import { thrownBy } from "./thrown-by.ts";

const FIELDS = [
  "queue",
  "maxRetries",
  "softTimeLimit",
  "hardTimeLimit",
  "priority",
  "visibilityTimeout",
  "retryPolicy",
] as const;
const HANDLER: TaskOptions = {
  queue: "mail",
  maxRetries: 3,
  softTimeLimit: 10,
  hardTimeLimit: 20,
  priority: 5,
  visibilityTimeout: 30,
};

describe("core/task-options", () => {
  it("has Stem's defaults", () => {
    expect(resolveTaskOptions()).toEqual({
      queue: "default",
      maxRetries: 0,
      softTimeLimit: undefined,
      hardTimeLimit: undefined,
      priority: 0,
      visibilityTimeout: undefined,
      retryPolicy: undefined,
    });
  });

  it("takes the handler's options, and the call's over them", () => {
    expect(resolveTaskOptions(HANDLER)).toMatchObject(HANDLER);
    expect(resolveTaskOptions(HANDLER, { priority: 9, softTimeLimit: 1 })).toMatchObject({
      ...HANDLER,
      priority: 9,
      softTimeLimit: 1,
    });
  });

  it("lets a call's value win even when it equals the default", () => {
    expect(resolveTaskOptions(HANDLER, { queue: "default", maxRetries: 0, priority: 0 })).toMatchObject({
      queue: "default",
      maxRetries: 0,
      priority: 0,
    });
  });

  it("takes undefined on the call for nothing said", () => {
    expect(resolveTaskOptions(HANDLER, { queue: undefined, priority: undefined } as never)).toMatchObject(HANDLER);
  });

  it("resolves a retry policy as one, without mixing two", () => {
    const handler = { retryPolicy: { backoff: true, defaultDelay: 5 } };
    expect(resolveTaskOptions(handler).retryPolicy).toMatchObject({ backoff: true, defaultDelay: 5, jitter: true });
    expect(resolveTaskOptions(handler, { retryPolicy: { defaultDelay: 7 } }).retryPolicy).toMatchObject({
      backoff: false,
      defaultDelay: 7,
    });
  });

  it.each(FIELDS)("refuses strangers as %s, of the handler and of the call", (field) => {
    const good: Record<string, readonly unknown[]> = { queue: ["5", "NaN"], priority: [-1, -1e9] };
    for (const [index, value] of STRANGERS.entries()) {
      if ((good[field] ?? []).includes(value)) continue;
      if (
        field === "retryPolicy" &&
        typeof value === "object" &&
        value !== null &&
        Object.keys(value).length === 0 &&
        !Array.isArray(value)
      )
        continue;
      expect(
        thrownBy(() => resolveTaskOptions({ [field]: value })),
        `${index}`,
      ).toBeInstanceOf(StemError);
      expect(
        thrownBy(() => resolveTaskOptions({}, { [field]: value })),
        `${index}`,
      ).toBeInstanceOf(StemError);
    }
  });

  it("refuses an unknown option, by name", () => {
    expect(thrownBy(() => resolveTaskOptions({ timeout: 5 } as never))).toMatchObject({
      details: { option: "timeout" },
    });
    expect(thrownBy(() => resolveTaskOptions({}, { maxretries: 5 } as never))).toMatchObject({
      details: { option: "maxretries" },
    });
    for (const value of [null, 5, "x", []])
      expect(thrownBy(() => resolveTaskOptions(value as never))).toBeInstanceOf(StemError);
  });
});
