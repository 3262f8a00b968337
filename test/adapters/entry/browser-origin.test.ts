import { afterEach, describe, expect, it, vi } from "vitest";
import { originStorage } from "../../../adapters/entry/browser-origin.ts";
import { requestPersistence } from "../../../adapters/entry/browser-tools.ts";
import { UnsupportedEnvironmentError } from "../../../src/errors.ts";

describe("the storage of an origin", () => {
  afterEach(() => vi.unstubAllGlobals());
  const browserWith = (storage: object | undefined): void => void vi.stubGlobal("navigator", { storage });

  it("is what the browser says of it", async () => {
    browserWith({ estimate: async () => ({ usage: 1, quota: 2, usageDetails: {} }), persisted: async () => false });
    expect(await originStorage()).toEqual({ usage: 1, quota: 2, persisted: false });
  });

  it("leaves out what the browser does not tell", async () => {
    browserWith(undefined);
    expect(await originStorage()).toEqual({});
    browserWith({ estimate: async () => ({}), persisted: async () => true });
    expect(await originStorage()).toEqual({ persisted: true });
    browserWith({ estimate: () => Promise.reject(new TypeError("opaque origin")), persisted: async () => true });
    expect(await originStorage()).toEqual({ persisted: true });
  });

  it.each([true, false])("is kept from deletion where the browser agrees: %s", async (answer) => {
    browserWith({ persist: async () => answer });
    expect(await requestPersistence()).toBe(answer);
  });

  it("cannot be kept from deletion in a worker, nor outside of browsers", async () => {
    browserWith({ estimate: async () => ({}) });
    await expect(requestPersistence()).rejects.toThrow(UnsupportedEnvironmentError);
    vi.stubGlobal("navigator", undefined);
    await expect(requestPersistence()).rejects.toThrow(/only windows/);
  });
});
