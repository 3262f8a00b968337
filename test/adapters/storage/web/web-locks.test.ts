import { afterEach, describe, expect, it, vi } from "vitest";
import { becomeWebOwner, meetWebOwner } from "../../../../adapters/storage/web/web-ownership.ts";

const PLACE = { driver: "test", database: "/refused" };

describe("web/web-locks", () => {
  afterEach(() => vi.unstubAllGlobals());

  it.each([
    ["SecurityError", "STEM_UNSUPPORTED_ENVIRONMENT"],
    ["InvalidStateError", "STEM_STORAGE_IO"],
  ])("tells of locks that are refused with %s by a typed error", async (name, code) => {
    const refuse = async (): Promise<never> => {
      throw new DOMException("refused", name);
    };
    vi.stubGlobal("navigator", { locks: { request: refuse, query: refuse } });
    await expect(becomeWebOwner(PLACE)).rejects.toMatchObject({ code });
    await expect(meetWebOwner(PLACE)).rejects.toMatchObject({ code });
  });
});
