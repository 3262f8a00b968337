import { describe, expect, it } from "vitest";
import { measurePage, measureSizes } from "../scripts/sizes.mjs";

/** Bytes with `gzip -9`. Whoever needs more raises a limit, and so sees what it costs every page. */
const LIMITS = { engine: 407_291, worker: 52_000, inline: 590_000, enqueues: 56_000, works: 74_000 };

describe("what a page loads", () => {
  it("is as small as it was", async () => {
    const sizes = await measureSizes();
    const tooLarge = Object.entries(sizes).filter(([name, size]) => size > LIMITS[name as keyof typeof LIMITS]);
    expect(tooLarge).toEqual([]);
    expect(sizes.works).toBeGreaterThan(10_000);
  });

  it("has only what the page uses", async () => {
    const names = ["SqliteBroker", "Stem"];
    const memory = (await measurePage([...names, "InMemoryBroker"])) - (await measurePage(names));
    const runtime = (await measurePage([...names, "Worker"])) - (await measurePage(names));
    expect(memory).toBeGreaterThan(2_000);
    expect(runtime).toBeGreaterThan(8_000);
  });
});
