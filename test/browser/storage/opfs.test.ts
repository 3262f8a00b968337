import { describe, expect, it } from "vitest";
import { probeOpfs } from "../../../adapters/storage/web/opfs-probe.ts";
import { UnsupportedEnvironmentError } from "../../../src/errors.ts";
import { showWorkerTests } from "../support/worker-tests.ts";

await showWorkerTests(
  "opfs in a dedicated worker",
  new Worker(new URL("./opfs-contract-worker.ts", import.meta.url), { type: "module" }),
);
await showWorkerTests(
  "opfs, opened",
  new Worker(new URL("./opfs-opening-worker.ts", import.meta.url), { type: "module" }),
);

describe("the probe in a page", () => {
  it("says that files are for dedicated workers", async () => {
    const probe = await probeOpfs();
    if (probe.works) return expect.unreachable();
    expect(probe.reason).toBeInstanceOf(UnsupportedEnvironmentError);
    expect(probe.reason.message).toMatch(/dedicated workers only/);
  });
});
