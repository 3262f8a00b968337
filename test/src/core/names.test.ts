import { assert, property } from "fast-check";
import { describe, expect, it } from "vitest";
import { checkName } from "../../../src/core/names.ts";
import { InvalidNameError } from "../../../src/errors.ts";
import { anyText } from "./any-text.ts";
import { NAUGHTY, ODD_NAMES } from "./naughty-strings.ts";
import { replayable } from "./replay.ts";
import { thrownBy } from "./thrown-by.ts";

describe("core/names", () => {
  it.each(NAUGHTY)("refuses %j", (text) => {
    const error = thrownBy(() => checkName("queue", text));
    expect(error).toBeInstanceOf(InvalidNameError);
    expect(error).toMatchObject({ code: "STEM_INVALID_NAME", details: { kind: "queue" } });
  });

  it.each(ODD_NAMES)("accepts %j, unaltered", (text) => {
    expect(checkName("queue", text)).toBe(text);
  });

  it.each([
    undefined,
    null,
    0,
    1,
    Number.NaN,
    true,
    1n,
    Symbol("x"),
    {},
    [],
    ["mail"],
    () => "mail",
    new String("mail"),
  ])("refuses what is no string (case %#)", (value) => {
    expect(thrownBy(() => checkName("task", value))).toBeInstanceOf(InvalidNameError);
  });

  it("takes 200 characters and refuses 201", () => {
    expect(checkName("queue", "x".repeat(200))).toHaveLength(200);
    expect(thrownBy(() => checkName("queue", "x".repeat(201)))).toMatchObject({
      details: { reason: expect.stringContaining("200") },
    });
    expect(thrownBy(() => checkName("queue", "é".repeat(201)))).toBeInstanceOf(InvalidNameError);
  });

  it("refuses a text of a hundred million characters by its length, with a short message", () => {
    const error = thrownBy(() => checkName("queue", "x".repeat(100_000_000)));
    expect((error as Error).message.length).toBeLessThan(250);
  });

  it("refuses a name that is not in normal form C, and says so", () => {
    expect(thrownBy(() => checkName("queue", "e\u0301"))).toMatchObject({
      details: { reason: expect.stringContaining("form C") },
    });
    expect(checkName("queue", "e\u0301".normalize("NFC"))).toBe("\u00e9");
  });

  it("accepts a text exactly when it is letters, digits, marks and . _ : / @ - in normal form C", () => {
    assert(
      property(anyText(4), (text) => {
        const allowed = [...text].length > 0 && [...text].every((letter) => /^[\p{L}\p{N}\p{M}._:/@-]$/u.test(letter));
        return (thrownBy(() => checkName("queue", text)) === undefined) === (allowed && text.normalize("NFC") === text);
      }),
      replayable("test/src/core/names.test.ts", 3_000),
    );
  });
});
