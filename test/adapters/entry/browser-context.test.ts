import { afterEach, describe, expect, it, vi } from "vitest";
import {
  browserContextHasEnded,
  enterBrowserContext,
  lookForBrowserContexts,
} from "../../../adapters/entry/browser-context.ts";
import type { ContextStay } from "../../../src/contracts/platform.ts";

/** A page's globals, with locks whose release takes as long as the test says. */
class FakePage {
  fault: Error | undefined;
  releases: (() => void)[] = [];
  isSlow = false;
  readonly #held = new Set<string>();
  readonly #waiting: (() => void)[] = [];
  readonly #listeners = new Map<string, (event: object) => void>();

  readonly locks = {
    request: async (
      name: string,
      { ifAvailable }: Readonly<{ ifAvailable?: boolean }>,
      run: (lock: object | null) => unknown,
    ) => {
      if (this.fault !== undefined) throw this.fault;
      while (this.#held.has(name)) {
        if (ifAvailable === true) return run(null);
        await new Promise<void>((resolve) => this.#waiting.push(resolve));
      }
      this.#held.add(name);
      await run({ name });
      if (this.isSlow) await new Promise<void>((resolve) => this.releases.push(resolve));
      this.#held.delete(name);
      for (const wake of this.#waiting.splice(0)) wake();
      return undefined;
    },
    query: async () => ({ held: [...this.#held].map((name) => ({ name, mode: "exclusive" })) }),
  };

  constructor() {
    vi.stubGlobal("navigator", { locks: this.locks });
    vi.stubGlobal("addEventListener", (type: string, listener: (event: object) => void) =>
      this.#listeners.set(type, listener),
    );
    vi.stubGlobal("removeEventListener", (type: string) => this.#listeners.delete(type));
  }

  async fire(type: "pagehide" | "pageshow"): Promise<void> {
    this.#listeners.get(type)?.({ persisted: true });
    await aWhile();
  }

  get listens(): boolean {
    return this.#listeners.size > 0;
  }
}

const stays: ContextStay[] = [];

const aWhile = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function hasEnded(id: string): Promise<boolean> {
  await lookForBrowserContexts();
  return browserContextHasEnded(id);
}

describe("a page among the others of its origin", () => {
  afterEach(() => {
    for (const stay of stays.splice(0)) stay.leave();
    vi.unstubAllGlobals();
  });

  it("lives again when it is shown again, however late its lock became free", async () => {
    const page = new FakePage();
    const stay = await enterBrowserContext();
    stays.push(stay);
    const heard: string[] = [];
    stay.watch({ suspend: () => void heard.push("suspend"), resume: () => void heard.push("resume") });
    page.isSlow = true;
    await page.fire("pagehide");
    page.isSlow = false;
    await page.fire("pageshow");
    for (const release of page.releases.splice(0)) release();
    await aWhile();
    expect(heard).toEqual(["suspend", "resume"]);
    expect(await hasEnded(stay.id)).toBe(false);
  });

  it("goes on without its lock when that is refused, and hears nothing of it when it is put aside again", async () => {
    const page = new FakePage();
    const stay = await enterBrowserContext();
    stays.push(stay);
    const heard: string[] = [];
    stay.watch({ suspend: () => void heard.push("suspend"), resume: () => void heard.push("resume") });
    await page.fire("pagehide");
    page.fault = new Error("not now");
    await page.fire("pageshow");
    await page.fire("pagehide");
    page.fault = undefined;
    await page.fire("pageshow");
    expect(heard).toEqual(["suspend", "resume", "suspend", "resume"]);
    expect(await hasEnded(stay.id)).toBe(false);
  });

  it("is entered anew after a failure", async () => {
    const page = new FakePage();
    page.fault = new Error("not now");
    await expect(enterBrowserContext()).rejects.toMatchObject({ code: "STEM_STORAGE_IO" });
    expect(page.listens).toBe(false);
    page.fault = undefined;
    const stay = await enterBrowserContext();
    expect(await hasEnded(stay.id)).toBe(false);
    stay.leave();
    await aWhile();
    expect(await hasEnded(stay.id)).toBe(true);
  });
});
