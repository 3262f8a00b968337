import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { memoryStorage } from "../../../adapters/storage/memory.ts";
import { nodeStorage } from "../../../adapters/storage/node.ts";
import { browserStorage } from "../../../adapters/storage/web/browser.ts";
import { indexedDbStorage } from "../../../adapters/storage/web/indexeddb.ts";
import { opfsStorage } from "../../../adapters/storage/web/opfs.ts";

const README = readFileSync(new URL("../../../adapters/storage/README.md", import.meta.url), "utf8");
const COLUMNS = ["persistent", "durableFlush", "exclusiveAcrossContexts"] as const;

describe("the README of the storage drivers", () => {
  const drivers = [memoryStorage(), nodeStorage(), opfsStorage(), indexedDbStorage(), browserStorage()];

  it("has the capability table that the drivers declare", () => {
    const rows = drivers.map(({ name, capabilities }) => {
      const cells = COLUMNS.map((column) => (capabilities[column] ? "yes" : "no"));
      return `| \`${name}\` | ${cells.join(" | ")} |`;
    });
    const header = `| driver | ${COLUMNS.map((column) => `\`${column}\``).join(" | ")} |`;
    expect(README).toContain([header, "| --- | --- | --- | --- |", ...rows, ""].join("\n"));
  });

  it.each(drivers.map(({ name }) => name))("describes %s", (name) => {
    expect(README).toContain(`\n## \`${name}\`\n`);
  });

  it("leaves out no capability", () => {
    for (const { capabilities } of drivers)
      expect(Object.keys(capabilities).toSorted()).toEqual([...COLUMNS].toSorted());
  });
});
