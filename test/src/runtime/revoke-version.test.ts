import { describe, expect, it } from "vitest";
import { generateRevokeVersion } from "../../../src/runtime/revoke-version.ts";
import { FakeClock } from "../../../src/testing/fake-clock.ts";

describe("generateRevokeVersion", () => {
  it("is the time in microseconds, and greater each time, whatever the clock says", async () => {
    const start = Date.UTC(2200, 0, 1);
    const clock = new FakeClock(start);
    const first = generateRevokeVersion(clock);
    const versions = [first, generateRevokeVersion(clock)];
    await clock.advance(1);
    versions.push(generateRevokeVersion(clock), generateRevokeVersion(new FakeClock(start - 5_000)));

    expect(versions).toEqual([start * 1_000, start * 1_000 + 1, start * 1_000 + 1_000, start * 1_000 + 1_001]);
    expect(versions.every(Number.isSafeInteger)).toBe(true);
  });
});
