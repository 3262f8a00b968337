import { describe, expect, it } from "vitest";
import { stringifyJson, utf8Length } from "../../../src/core/json.ts";
import { describeThrown, encodeTaskError } from "../../../src/core/task-error.ts";
import { ClosedError } from "../../../src/errors.ts";
import { throwables } from "./throwables.ts";

describe("describeThrown", () => {
  it.each(throwables())("describes $label", ({ make, type, message }) => {
    const facts = describeThrown(make());

    expect(facts.type).toBe(type);
    if (message !== undefined) expect(facts.message).toBe(message);
    expect(utf8Length(facts.type)).toBeLessThanOrEqual(256);
    expect(utf8Length(facts.message)).toBeLessThanOrEqual(8_192);
    expect(utf8Length(facts.stack ?? "")).toBeLessThanOrEqual(32_768);
    expect(JSON.parse(stringifyJson(facts, "facts"))).toEqual(facts);
  });

  it("keeps a message of exactly the limit and cuts one byte more", () => {
    expect(describeThrown("x".repeat(8_192)).message).toBe("x".repeat(8_192));
    expect(describeThrown("x".repeat(8_193)).message).toBe(`${"x".repeat(8_189)}...`);
  });

  it("cuts between characters, never inside a surrogate pair", () => {
    for (const before of ["", "a", "ab", "abc"]) {
      const { message } = describeThrown(before + "\u{1f600}".repeat(3_000));
      expect(utf8Length(message)).toBeLessThanOrEqual(8_192);
      expect(message).toMatch(/^[abc]*(\u{1f600})+\.\.\.$/u);
    }
  });

  it("adds the stacks of the causes", () => {
    const root = new RangeError("root");
    const { stack } = describeThrown(new Error("top", { cause: new TypeError("middle", { cause: root }) }));

    expect(stack).toMatch(/^Error: top[\s\S]*Caused by: TypeError: middle[\s\S]*Caused by: RangeError: root/);
  });

  it("keeps the error's code", () => {
    expect(describeThrown(new ClosedError("It")).meta).toEqual({ code: "STEM_CLOSED" });
    expect(describeThrown(Object.assign(new Error("no"), { code: 7 })).meta).toEqual({});
  });
});

describe("core/task-error encoding", () => {
  const error = { type: "Error", message: "no", retryable: false, meta: {} };

  it("keeps every field", () => {
    expect(JSON.parse(encodeTaskError({ ...error, stack: "at a" }, 1_000))).toEqual({ ...error, stack: "at a" });
  });

  it.each([
    ["nothing", null, "STEM_INVALID_OPTION"],
    ["a type that is no text", { ...error, type: 1 }, "STEM_INVALID_OPTION"],
    ["a meta that is no object", { ...error, meta: [] }, "STEM_INVALID_OPTION"],
    ["a meta with undefined", { ...error, meta: { x: undefined } }, "STEM_PAYLOAD_NOT_SERIALIZABLE"],
    ["a message beyond the limit", { ...error, message: "x".repeat(2_000) }, "STEM_PAYLOAD_TOO_LARGE"],
  ])("refuses %s", (_, value, code) => {
    expect(() => encodeTaskError(value as never, 1_000)).toThrow(expect.objectContaining({ code }));
  });
});
