import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Page } from "playwright";
import { confirm, enqueue, Playground, press, pressKind, ready, says, type Visitor } from "./support/playground.ts";

let playground: Playground;
let visitor: Visitor;
let page: Page;

beforeAll(async () => {
  playground = await Playground.build();
});
afterAll(async () => playground.close());

beforeEach(async () => {
  visitor = await playground.visitor();
  page = await visitor.open();
});
afterEach(async () => {
  await playground.clear();
  expect(visitor.faults).toEqual([]);
});

const count = (queue: string, number: string): string => `tr[data-queue="${queue}"] td[data-count="${number}"]`;

describe("jobs in the playground", () => {
  it("runs each kind of job and shows how it ended", async () => {
    for (const kind of ["Quick", "Flaky", "Failing", "Urgent", "Linked"]) await pressKind(page, kind);
    await says(page, "#results tr", /demo\.quick.*succeeded.*"doubled"/);
    await says(page, "#results tr", /card\.charge.*succeeded.*charged 30/);
    await says(page, "#results tr", /mail\.receipt.*succeeded.*receipt to ada/);
    await says(page, "#results tr", /demo\.flaky.*retried/);
    await says(page, "#results tr", /demo\.flaky.*succeeded.*at attempt 2/);
    await says(page, "#results tr", /server\.call.*failed.*connection refused/);
    await says(page, "#dead-letters tr", /server\.call.*max-retries-exhausted.*connection refused/);
  });

  it("waits with a delayed job", async () => {
    await pressKind(page, "Delayed");
    await says(page, count("default", "delayed"), "1");
    await says(page, "#results tr", /demo\.quick.*queued/);
  });

  it("takes a burst of a thousand jobs and works it off", async () => {
    await pressKind(page, "Burst of 1,000");
    await says(page, ".notices", /Stored 1,000 jobs/);
    await says(page, "#charts .now", /[1-9][\d,]*\/s at most/);
    await page.locator(count("default", "ready")).filter({ hasText: /^0$/ }).waitFor({ timeout: 120_000 });
    expect(await page.locator("#results tbody tr").count()).toBe(50);
  });

  it("shows a running job with its progress and its lease, and revokes it", async () => {
    await pressKind(page, "Slow");
    const row = page.locator("#running tbody tr").filter({ hasText: "demo.slow" });
    await row.filter({ hasText: "this tab" }).filter({ hasText: /\d+ %/ }).waitFor();
    expect(await row.locator("meter").getAttribute("max")).toBe("12000");
    await row.getByRole("button", { name: /^Revoke job/ }).click();
    await says(page, "#results tr", /demo\.slow.*cancelled/);
  });
});

describe("dead letters in the playground", () => {
  it("replays a dead letter once the server is up", async () => {
    await pressKind(page, "Failing");
    await says(page, "#dead-letters tr", /server\.call/);
    await page.getByLabel(/pretended server is up/).check();
    await press(page, "Replay all");
    await says(page, ".notices", "Replayed 1 dead letters");
    await says(page, "#results tr", /server\.call.*succeeded.*200 OK/);
    await says(page, "#dead-letters td", "No dead letters");
  });

  it("asks before it purges dead letters, and leaves them when told so", async () => {
    await pressKind(page, "Failing");
    await says(page, "#dead-letters tr", /server\.call/);
    await press(page, "Purge all");
    await confirm(page, "Cancel");
    await says(page, "#dead-letters tr", /server\.call/);
    await press(page, "Purge all");
    await confirm(page, "Purge");
    await says(page, "#dead-letters td", "No dead letters");
  });
});

describe("queues and workers in the playground", () => {
  it("pauses a queue and resumes it; a pause outlives a reload", async () => {
    await press(page, "Pause queue default");
    await says(page, '#queues tr[data-queue="default"]', "paused");
    await pressKind(page, "Quick");
    await says(page, count("default", "ready"), "1");
    await page.reload();
    await ready(page);
    await says(page, '#queues tr[data-queue="default"]', "paused");
    await says(page, count("default", "ready"), "1");
    await press(page, "Resume queue default");
    await says(page, "#results tr", /demo\.quick.*succeeded/);
  });

  it("keeps jobs over a reload", async () => {
    await press(page, "Stop this tab's worker");
    await page.getByRole("button", { name: "Start this tab's worker" }).waitFor();
    await pressKind(page, "Quick");
    await says(page, count("default", "ready"), "1");
    await page.reload();
    await says(page, "#results tr", /demo\.quick.*succeeded/);
  });

  it("shows what the library has against a job of the visitor's own", async () => {
    await enqueue(page, { args: '{ "text": "hello" }' });
    await says(page, "#results tr", /demo\.echo.*succeeded.*"hello"/);
    await enqueue(page, { args: "[1]" });
    await says(page, ".notices", /STEM_PAYLOAD_NOT_SERIALIZABLE/);
    await enqueue(page, { task: "demo.nobody", args: "{}" });
    await says(page, ".notices", /STEM_UNKNOWN_TASK/);
    await enqueue(page, { queue: "two words", args: "{}" });
    await says(page, ".notices", /STEM_INVALID_NAME/);
    await enqueue(page, { args: "{" });
    await says(page, ".notices", /SyntaxError/);
  });

  it("pings workers and stops one", async () => {
    await press(page, "Ping all");
    await says(page, ".notices", /tab-[0-9a-f]{4}\.1 answered in/);
    await page.getByRole("button", { name: /^Stop worker tab-/ }).click();
    await confirm(page, "Shut down");
    await page.getByRole("button", { name: "Start this tab's worker" }).click();
    await says(page, "#workers th", /tab-[0-9a-f]{4}\.2/);
  });
});

describe("the playground's examples", () => {
  it("run as expected, where a page can run them", async () => {
    const items = page.locator("#examples li");
    expect(await items.filter({ hasText: "Node only" }).count()).toBe(1);
    const runnable = items.filter({ has: page.getByRole("button", { name: /^Run example/ }) });
    expect(await runnable.count()).toBe((await items.count()) - 1);
    // One after the other: each takes its time, and they share one thread.
    for (const item of await runnable.all()) {
      await item.getByRole("button", { name: /^Run example/ }).click();
      await item.locator('[data-outcome="as expected"]').waitFor();
    }
    await items.first().locator("summary").click();
    await says(page, "#examples li pre", /import \{ defineTask, SqliteBroker/);
  });
});
