import { readFile } from "node:fs/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Page } from "playwright";
import { confirm, Playground, press, pressKind, says, type Visitor } from "./support/playground.ts";

let playground: Playground;
let visitor: Visitor;

beforeAll(async () => {
  playground = await Playground.build();
});
afterAll(async () => playground.close());

beforeEach(async () => {
  visitor = await playground.visitor();
});
afterEach(async () => playground.clear());

const role = (page: Page, expected: string): Promise<void> =>
  page.locator(`dd[data-fact="This tab"][data-mark="${expected}"]`).waitFor();

async function query(page: Page, sql: string): Promise<void> {
  await page.getByLabel("Statement").fill(sql);
  await press(page, "Run");
}

describe("the playground's database", () => {
  it("answers statements that read, and refuses those that write", async () => {
    const page = await visitor.open();
    await pressKind(page, "Quick");
    await says(page, "#results tr", /succeeded/);
    await query(page, "select state, count(*) as results from task_results group by state");
    await says(page, "#sql tr", /succeeded.*1/);
    await query(page, "delete from task_results");
    await says(page, "#sql .fault", /STEM_/);
    await query(page, "select count(*) as results from task_results");
    await says(page, "#sql td", "1");
    expect(visitor.faults).toEqual([]);
  });

  it("is downloaded as a file that can be imported in another browser", async () => {
    const page = await visitor.open();
    await pressKind(page, "Failing");
    await says(page, "#dead-letters tr", /server\.call/);
    const download = page.waitForEvent("download");
    await press(page, "Download the database");
    const bytes = await readFile(await (await download).path());
    expect(bytes.subarray(0, 15).toString()).toBe("SQLite format 3");
    const other = await playground.visitor();
    const elsewhere = await other.open();
    await choose(elsewhere, "jobs.sqlite", bytes);
    await says(elsewhere, ".notices", "This is jobs.sqlite now");
    await says(elsewhere, "#dead-letters tr", /server\.call/);
    expect([...visitor.faults, ...other.faults]).toEqual([]);
  });

  it("is not replaced by a foreign file", async () => {
    const page = await visitor.open();
    await pressKind(page, "Failing");
    await says(page, "#dead-letters tr", /server\.call/);
    await choose(page, "photo.jpg", Buffer.from("no database at all ".repeat(500)));
    await says(page, ".notices", /Nothing was changed\. .*STEM_NOT_A_QUEUE_DATABASE/);
    await says(page, "#dead-letters tr", /server\.call/);
    await pressKind(page, "Quick");
    await says(page, "#results tr", /demo\.quick.*succeeded/);
  });

  it("is not replaced while another tab has it open", async () => {
    const [page] = [await visitor.open(), await visitor.open()];
    await choose(page, "jobs.sqlite", Buffer.from("no database at all ".repeat(500)));
    await says(page, ".notices", /Nothing was changed/);
    await pressKind(page, "Quick");
    await says(page, "#results tr", /demo\.quick.*succeeded/);
  });

  it("says where it is kept", async () => {
    const page = await visitor.open();
    await says(page, 'dd[data-fact="Driver"]', "opfs");
    await says(page, 'dd[data-fact="Durability"]', "full: survives a power cut");
    const other = await visitor.open("?database=other.sqlite&storage=indexeddb");
    await says(other, 'dd[data-fact="Driver"]', "indexeddb");
    await pressKind(other, "Quick");
    await says(other, "#results tr", /demo\.quick.*succeeded/);
  });
});

describe("the owner of the playground's database", () => {
  it("is replaced when its engine crashes", async () => {
    const page = await visitor.open();
    await pressKind(page, "Slow");
    await says(page, "#running tr", /demo\.slow/);
    await press(page, "Crash this tab's engine");
    await says(page, ".notices", "Crashed 1 engine");
    await says(page, 'dd[data-fact="Last change of owner"]', /a call under way waited/);
    await pressKind(page, "Quick");
    await says(page, "#results tr", /demo\.quick.*succeeded/);
    await says(page, "#results tr", /demo\.slow.*succeeded/);
  });

  it("is replaced when its engine hangs", async () => {
    const page = await visitor.open();
    await press(page, "Have it hang");
    await says(page, 'dd[data-fact="Last change of owner"]', /a call under way waited/);
    await pressKind(page, "Quick");
    await says(page, "#results tr", /demo\.quick.*succeeded/);
  });

  it("is one of the tabs; another one takes over when it is closed", async () => {
    const one = await visitor.open();
    const two = await visitor.open();
    await role(one, "owner");
    await role(two, "member");
    await pressKind(two, "Quick");
    await says(one, "#results tr", /demo\.quick.*succeeded/);
    expect(await one.locator("#workers tbody tr").count()).toBe(2);
    await one.close();
    await role(two, "owner");
    await says(two, 'dd[data-fact="Last change of owner"]', /a call under way waited/);
    await pressKind(two, "Linked");
    await says(two, "#results tr", /mail\.receipt.*succeeded/);
  });
});

/** Chooses a file for the import, and agrees. */
async function choose(page: Page, name: string, bytes: Buffer): Promise<void> {
  await page
    .getByLabel("Database to import")
    .setInputFiles({ name, mimeType: "application/octet-stream", buffer: bytes });
  await confirm(page, "Replace");
}
