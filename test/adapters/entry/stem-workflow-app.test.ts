import { existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import {
  InMemoryBroker,
  InMemoryResultBackend,
  InMemoryWorkflowStore,
  StemWorkflowApp,
} from "../../../adapters/entry/node.ts";
import { Flow } from "../../../src/workflow/flow.ts";
import { useTempDirectory } from "../../support/temp-directory.ts";

const flow = new Flow<number>({ name: "flow", build: (steps) => steps.step("one", () => 1) });
const OPTIONS = { workflows: [flow] } as const;

async function runIn(app: StemWorkflowApp): Promise<unknown> {
  await app.start();
  const result = await flow.waitFor(app, await flow.start(app));
  await app.close();
  return result?.value;
}

describe("StemWorkflowApp", () => {
  it("runs workflows in memory, in one file, and by a URL", async () => {
    const directory = useTempDirectory();
    expect(await runIn(await StemWorkflowApp.inMemory(OPTIONS))).toBe(1);
    const file = join(directory, "app.sqlite");
    expect(await runIn(await StemWorkflowApp.open(file, OPTIONS))).toBe(1);
    const again = await StemWorkflowApp.fromUrl(pathToFileURL(file).href, OPTIONS);
    expect(again.store.dispatchTo(again.broker)).toBe(true);
    expect((await again.listRunViews()).runs).toHaveLength(1);
    await again.close();
  });

  it("keeps stores in files of their own when it is told to", async () => {
    const directory = useTempDirectory();
    const [file, broker] = [join(directory, "app.sqlite"), join(directory, "broker.sqlite")];
    const app = await StemWorkflowApp.open(file, { ...OPTIONS, overrides: { broker } });
    expect(app.store.dispatchTo(app.broker)).toBe(false);
    expect(await runIn(app)).toBe(1);
    expect(existsSync(broker)).toBe(true);
  });

  it("leaves open what it did not open", async () => {
    const [broker, backend, store] = [new InMemoryBroker(), new InMemoryResultBackend(), new InMemoryWorkflowStore()];
    expect(await runIn(StemWorkflowApp.create({ ...OPTIONS, broker, backend, store }))).toBe(1);
    expect((await store.listRuns()).runs).toHaveLength(1);
    for (const each of [broker, backend, store]) await each.close();
  });

  it("refuses bad options", async () => {
    const file = join(useTempDirectory(), "app.sqlite");
    const bad = [
      { ...OPTIONS, overrides: { brokr: "x" } },
      { ...OPTIONS, overrides: { broker: 1 } },
      { ...OPTIONS, wrkflows: [] },
      { workflows: [flow, new Flow({ name: "flow", build: (steps) => steps.step("other", () => 1) })] },
      null,
    ];
    for (const options of bad) {
      await expect(StemWorkflowApp.open(file, options as never)).rejects.toMatchObject({
        code: expect.stringMatching(/^STEM_/),
      });
    }
  });
});
