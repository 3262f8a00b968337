import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { chromium } from "playwright";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BROWSER_ARGUMENTS, findBrowser } from "../scripts/find-browser.mjs";

describe("a page from file:// and a sandboxed frame in it", () => {
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "stem-sqlite-sandboxed-"));
    await build({
      entryPoints: [resolve(import.meta.dirname, "pages/sandboxed.mjs")],
      outfile: join(folder, "queue.js"),
      bundle: true,
      format: "iife",
      platform: "browser",
      // Its build that needs no second file.
      alias: { "sql.js": "sql.js/dist/sql-wasm-inline.js" },
      // What sql.js asks Node for, and what the package would load from beside itself.
      external: ["fs", "crypto", "path", "node:*"],
      logOverride: { "empty-import-meta": "silent" },
    });
    const told = "<script>addEventListener('message', ({ data }) => { globalThis.told = data; });</script>";
    await writeFile(
      join(folder, "page.html"),
      `<!doctype html><meta charset="utf-8">${told}<script src="queue.js"></script>`,
    );
    const script = `<script>${await readFile(join(folder, "queue.js"), "utf8")}</script>`;
    const source = script.replaceAll("&", "&amp;").replaceAll('"', "&quot;");
    const frame = `<iframe sandbox="allow-scripts" srcdoc="${source}"></iframe>`;
    await writeFile(join(folder, "framed.html"), `<!doctype html><meta charset="utf-8">${told}${frame}`);
  });
  afterAll(async () => rm(folder, { recursive: true, force: true }));

  it.each(["page.html", "framed.html"])("run a queue in sql.js, without a worker and any storage: %s", async (name) => {
    const executablePath = findBrowser();
    if (executablePath === undefined) throw new Error("No browser was found.");
    const browser = await chromium.launch({ executablePath, args: [...BROWSER_ARGUMENTS] });
    try {
      const page = await browser.newPage();
      await page.goto(pathToFileURL(join(folder, name)).href);
      await page.waitForFunction(() => "told" in globalThis);
      const told = await page.evaluate(() => (globalThis as unknown as { told: unknown }).told);
      expect(told).toEqual({ origin: "null", result: "Hello sandbox", engine: "sql.js", storage: "memory" });
    } finally {
      await browser.close();
    }
  });
});
