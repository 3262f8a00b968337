/// <reference lib="dom" />
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import axe from "axe-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { BrowserContextOptions, Page } from "playwright";
import { SOME_HOSTILE_TEXTS } from "./support/hostile.ts";
import { confirm, Playground, press, ready, says, SCREENSHOTS, type Visitor } from "./support/playground.ts";

const LOOKS: Readonly<Record<string, BrowserContextOptions>> = {
  light: { colorScheme: "light" },
  dark: { colorScheme: "dark" },
  phone: { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true, colorScheme: "light" },
};

/** The rows of a saga that has failed. */
const UNDONE = ["book-flight", "book-hotel", "pay", "/failure", "book-hotel/compensation", "book-flight/compensation"];

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

/** Starts a sample, and waits until its run is the one that is shown. */
async function start(on: Page, sample: string): Promise<void> {
  const shown = await shownRun(on);
  await on
    .locator("#workflows button.kind")
    .filter({ hasText: new RegExp(`^${sample}`) })
    .click();
  await on.waitForFunction((before) => {
    const run = document.querySelector("#workflows .run")?.getAttribute("data-run") ?? "";
    return run !== "" && run !== before;
  }, shown);
}

const shownRun = (on: Page): Promise<string> =>
  on.evaluate(() => document.querySelector("#workflows .run")?.getAttribute("data-run") ?? "");

/** Waits until the run that is shown has this status. */
async function status(on: Page, expected: string): Promise<void> {
  await on.locator(`#workflows .run[data-status="${expected}"]`).waitFor();
}

const row = (step: string): string => `#workflows .timeline li[data-step="${step}"]`;

/** The names of the rows, from top to bottom. */
const rows = (on: Page): Promise<string[]> =>
  on.locator("#workflows .timeline li").evaluateAll((all) => all.map((each) => each.getAttribute("data-step") ?? ""));

async function emit(on: Page, topic: string, payload: string): Promise<void> {
  const form = on.getByRole("form", { name: "Emit an event" });
  await form.getByLabel("Topic").fill(topic);
  await form.getByLabel("Payload").fill(payload);
  await form.getByRole("button", { name: "Emit" }).click();
}

/** Starts an approval and waits until it waits. */
async function startApproval(on: Page): Promise<void> {
  await start(on, "Approval");
  await says(on, `${row("decision")}[data-state="suspended"]`, /waits for an event of approval; gives up in 9 min/);
}

describe("sample workflows of the playground", () => {
  it("tries a step again, and shows the steps in their order", async () => {
    await start(page, "Three steps");
    await says(page, `${row("charge-card")}[data-state="suspended"]`, /fails on purpose; tried again in/);
    await status(page, "completed");
    expect(await rows(page)).toEqual(["check-stock", "charge-card", "send-receipt"]);
    await says(page, row("check-stock"), /completed in \d.*step · 1 attempt.*\{"inStock":3\}/);
    await says(page, row("charge-card"), /2 attempts/);
    await says(page, "#workflows .outcome-lines", /Result: \{"sent":true,"after":\{"charged":30\}\}/);
  });

  it("undoes the steps of a run that fails; resumed with the server up, it completes", async () => {
    await start(page, "Saga");
    await status(page, "failed");
    expect(await rows(page)).toEqual(UNDONE);
    await says(page, "#workflows .outcome-lines", /connection refused: the server is down/);
    await page.getByLabel(/pretended server is up/).check();
    await press(page, "Resume run");
    await status(page, "completed");
    expect(await rows(page)).toEqual(["book-flight", "book-hotel", "pay"]);
  });

  it("waits for twenty tasks of the page", async () => {
    await start(page, "Fan-out");
    await status(page, "completed");
    expect(await rows(page)).toEqual(["charge-cards", "report"]);
    await says(page, row("charge-cards"), "20 tasks have ended, 0 of them failed");
    await says(page, "#workflows .outcome-lines", '{"charged":20,"of":20}');
    await says(page, "#results tr", /card\.charge.*succeeded/);
  });

  it("waits for a child, which can be looked at from its parent, and the parent from there", async () => {
    await start(page, "Child");
    const parent = await shownRun(page);
    await page
      .locator(row("deliver"))
      .getByRole("button", { name: /show run/ })
      .click();
    await page.locator(`#workflows .run:not([data-run="${parent}"])`).getByText("Child of").waitFor();
    await page
      .locator("#workflows .run dl")
      .getByRole("button", { name: `show run ${parent}` })
      .click();
    await page.locator(`#workflows .run[data-run="${parent}"][data-status="completed"]`).waitFor();
    expect(await rows(page)).toEqual(["take-order", "deliver/start", "deliver", "close-order"]);
    await says(page, "#workflows .outcome-lines", /"delivered":\{"delivered":"tea"\}/);
  });

  it("starts a hundred runs, which can be filtered by their status", async () => {
    await start(page, "Start 100");
    await says(page, ".notices", /Started 100 runs in/);
    await startApproval(page);
    const filter = page.locator("#workflows .runs select");
    await filter.selectOption("suspended");
    await says(page, "#workflows .runs tbody", /^(?!.*completed).*approval/);
    expect(await page.locator("#workflows .runs tbody tr").count()).toBe(1);
    await filter.selectOption("completed");
    await says(page, "#workflows caption", "the 50 that changed last");
    await says(page, "#workflows .runs tbody", /^(?!.*suspended).*small/);
    expect(await page.locator("#workflows .runs tbody tr").count()).toBe(50);
    const query = "select count(*) || ' ended' as n from wf_runs where status = 'completed'";
    await page.getByLabel("Statement").fill(query);
    await expect
      .poll(
        async () => {
          await press(page, "Run");
          return page.locator("#sql td").first().textContent();
        },
        { timeout: 60_000 },
      )
      .toBe("100 ended");
  });
});

describe("runs that are told what to do", () => {
  it("go on with an event, and say how often it woke", async () => {
    await startApproval(page);
    await emit(page, "nobody", "1");
    await says(page, ".notices", "Emitted nobody; no run waits for it");
    await emit(page, "approval", '{ "approved": true, "by": "ada" }');
    await says(page, ".notices", "Emitted approval; woke 1 of the runs");
    await status(page, "completed");
    expect(await rows(page)).toEqual(["ask", "decision", "publish"]);
    await says(page, row("decision"), 'event: {"approved":true,"by":"ada"}');
  });

  it("go back to a step, once that was confirmed, and wait again", async () => {
    await startApproval(page);
    await emit(page, "approval", '{ "approved": false }');
    await status(page, "failed");
    await says(page, "#workflows .outcome-lines", 'not approved: {"approved":false}');
    await press(page, "Rewind to decision");
    await page.getByRole("dialog").waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await status(page, "failed");
    await press(page, "Rewind to decision");
    await confirm(page, "Rewind");
    await says(page, `${row("decision")}[data-state="suspended"]`, /waits for an event/);
    expect(await rows(page)).toEqual(["ask", "decision"]);
    await emit(page, "approval", '{ "approved": true }');
    await status(page, "completed");
  });

  it("are cancelled at once, and resumed", async () => {
    await startApproval(page);
    await press(page, "Cancel run");
    await status(page, "cancelled");
    expect(await rows(page)).toEqual(["ask"]);
    await says(page, "#workflows .outcome-lines", "cancelled in the playground");
    await press(page, "Resume run");
    await says(page, `${row("decision")}[data-state="suspended"]`, /waits for an event/);
  });

  it("are undone before they are cancelled", async () => {
    await startApproval(page);
    await press(page, "Cancel and undo");
    await status(page, "cancelled");
    expect((await rows(page)).at(-1)).toBe("ask/compensation");
    await says(page, row("ask/compensation"), "the question is taken back");
  });
});

describe("runs whose page or engine ends", () => {
  const STEPS = ["welcome-mail", "first-day", "tips-mail", "first-week", "survey-mail"];

  it("go on after a reload in the middle of a sleep", async () => {
    await start(page, "Onboarding");
    const run = await shownRun(page);
    await says(page, `${row("first-day")}[data-state="suspended"]`, /goes on in \d/);
    const began = await page.locator(row("welcome-mail")).textContent();
    await page.reload();
    await ready(page);
    await page.locator(`#workflows .run[data-run="${run}"]`).waitFor();
    await status(page, "completed");
    expect(await rows(page)).toEqual(STEPS);
    expect(await page.locator(row("welcome-mail")).textContent()).toBe(began);
  });

  it("go on after the engine has crashed in the middle of a step", async () => {
    await start(page, "Saga");
    await says(page, "#workflows .timeline li", "step under way");
    await press(page, "Crash this tab's engine");
    await says(page, ".notices", "Crashed 1 engine");
    await status(page, "failed");
    expect(await rows(page)).toEqual(UNDONE);
  });

  it("go on in another tab when theirs is closed in the middle of a step", async () => {
    const other = await visitor.open();
    await press(other, "Stop this tab's worker");
    await other.getByRole("button", { name: "Start this tab's worker" }).waitFor();
    await start(page, "Saga");
    await says(page, "#workflows .run dd", /, this tab/);
    await page.close();
    await press(other, "Start this tab's worker");
    await status(other, "failed");
    expect(await rows(other)).toEqual(UNDONE);
  });
});

describe("the panel of workflows", () => {
  it("shows hostile texts as texts", async () => {
    await startApproval(page);
    for (const text of SOME_HOSTILE_TEXTS) {
      await emit(page, text, "1");
      await emit(page, "approval", text);
    }
    await says(page, ".notices", /SyntaxError/);
    await emit(page, "approval", JSON.stringify({ [SOME_HOSTILE_TEXTS[0] ?? ""]: SOME_HOSTILE_TEXTS }));
    await status(page, "failed");
    await says(page, row("decision"), /<script>globalThis\.pwned=1/);
    await says(page, "#workflows .outcome-lines", /not approved: .*<img src=x/);
    await page
      .locator(row("decision"))
      .getByRole("button", { name: /show checkpoint/ })
      .click();
    await says(page, "dialog pre", "<script>globalThis.pwned=1");
    await page.keyboard.press("Escape");
    const foreign = "script, img, iframe, object, embed, style, link, base, meta, audio, video, math, template";
    expect(await page.locator("#app").locator(foreign).count()).toBe(0);
    expect(await page.evaluate(() => "pwned" in globalThis)).toBe(false);
    // What the browser says of events that are no JSON is shown, not logged.
    expect(visitor.faults).toEqual([]);
  });

  it.each(Object.entries(LOOKS))(
    "fits, is fine for whoever cannot see it well, and has its picture taken, in %s",
    async (name, look) => {
      const folder = join(SCREENSHOTS, name);
      await mkdir(folder, { recursive: true });
      const other = await playground.visitor(look);
      const on = await other.open();
      for (const sample of ["Start 100", "Saga", "Onboarding", "Approval", "Fan-out", "Child"]) await start(on, sample);
      await status(on, "completed");
      await take(on, join(folder, "workflows-child.png"));
      for (const workflow of ["trip", "approval", "onboarding"]) {
        await on.locator("#workflows .runs tr").filter({ hasText: workflow }).getByRole("button").click();
        await says(on, "#workflows h3", workflow);
        await take(on, join(folder, workflow === "trip" ? "workflows.png" : `workflows-${workflow}.png`));
      }
      await on.evaluate(axe.source);
      const violations = await on.evaluate(async () => {
        const found = await (globalThis as unknown as { axe: typeof axe }).axe.run("#workflows");
        return found.violations.map(({ id, impact, nodes }) => `${impact}: ${id} at ${nodes[0]?.html}`);
      });
      expect(violations.filter((violation) => /^(?:serious|critical)/.test(violation))).toEqual([]);
      expect(await on.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
      expect(other.faults).toEqual([]);
    },
  );
});

async function take(on: Page, path: string): Promise<void> {
  await on.locator("#workflows").screenshot({ path });
}
