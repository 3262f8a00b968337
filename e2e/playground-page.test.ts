/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import axe from "axe-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Page } from "playwright";
import { HOSTILE_TEXTS, SOME_HOSTILE_TEXTS } from "./support/hostile.ts";
import { enqueue, Playground, press, pressKind, says, SCREENSHOTS } from "./support/playground.ts";

const PHONE = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true } as const;
const LOOKS = {
  light: { colorScheme: "light" },
  dark: { colorScheme: "dark" },
  phone: { ...PHONE, colorScheme: "light" },
} as const;

let playground: Playground;

beforeAll(async () => {
  playground = await Playground.build();
});
afterAll(async () => playground.close());
afterEach(async () => playground.clear());

/** Something in every panel. */
async function fill(page: Page): Promise<void> {
  for (const kind of ["Slow", "Flaky", "Failing", "Linked", "Delayed", "Burst of 1,000"]) await pressKind(page, kind);
  await says(page, "#dead-letters tr", /server\.call/);
  await says(page, "#running tr", /demo\.slow/);
  await press(page, "Run example 01-enqueue-and-wait");
  await page.locator('#examples [data-outcome="as expected"]').waitFor();
  await press(page, "Run");
  await page.locator("#sql table").waitFor();
}

describe("the playground's page", () => {
  it("shows hostile texts as texts, wherever they come from", async () => {
    const visitor = await playground.visitor();
    const page = await visitor.open();
    await enqueue(page, { args: JSON.stringify({ texts: HOSTILE_TEXTS }) });
    await says(page, "#results tr", /demo\.echo.*succeeded.*<script>/);
    await page.locator("#results th button").first().click();
    await says(page, "dialog pre", HOSTILE_TEXTS[3] ?? "");
    await page.keyboard.press("Escape");
    for (const text of SOME_HOSTILE_TEXTS) {
      await enqueue(page, { task: "demo.fail", args: JSON.stringify({ message: text, [text]: text }) });
      await enqueue(page, { task: text, args: "{}" });
      await enqueue(page, { queue: text, args: "{}" });
      await enqueue(page, { args: text });
    }
    await says(page, "#results tr", /demo\.fail.*failed.*<img src=x/);
    await says(page, "#dead-letters tr", /demo\.fail.*<img src=x/);
    await says(page, ".notices", /SyntaxError/);
    await page.getByLabel("Statement").fill("select envelope, meta from dead_letters");
    await press(page, "Run");
    await says(page, "#sql td", /<script>/);
    const foreign = "script, img, iframe, object, embed, style, link, base, meta, audio, video, math, template";
    expect(await page.locator("#app").locator(foreign).count()).toBe(0);
    expect(await page.evaluate(() => "pwned" in globalThis)).toBe(false);
    expect(visitor.faults).toEqual([]);
  });

  it.each(Object.entries(LOOKS))("is fine for whoever cannot see it well, in %s", async (_name, look) => {
    const visitor = await playground.visitor(look);
    const page = await visitor.open();
    await fill(page);
    await page.evaluate(axe.source);
    const violations = await page.evaluate(async () => {
      const found = await (globalThis as unknown as { axe: typeof axe }).axe.run();
      return found.violations.map(({ id, impact, nodes }) => `${impact}: ${id} at ${nodes[0]?.html}`);
    });
    expect(violations.filter((violation) => /^(?:serious|critical)/.test(violation))).toEqual([]);
  });

  it.each(Object.entries(LOOKS))("fits, and has its picture taken, in %s", async (name, look) => {
    const folder = join(SCREENSHOTS, name);
    await mkdir(folder, { recursive: true });
    const page = await (await playground.visitor(look)).open();
    await fill(page);
    const tooWide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect(tooWide).toBeLessThanOrEqual(0);
    await page.evaluate(() => scrollTo({ top: 0, behavior: "instant" }));
    await page.screenshot({ path: join(folder, "page.png"), fullPage: true });
    for (const panel of await page.locator("main > section").all()) {
      await panel.screenshot({ path: join(folder, `${await panel.getAttribute("id")}.png`) });
    }
  });
});

describe("the focus in the playground", () => {
  it("reaches everything by the keyboard alone", async () => {
    const page = await (await playground.visitor()).open();
    await press(page, "Stop this tab's worker");
    await page.getByRole("button", { name: "Start this tab's worker" }).waitFor();
    await page.getByRole("button", { name: /^Quick / }).focus();
    await page.keyboard.press("Enter");
    await says(page, "#results tr", /demo\.quick.*queued/);
    const total = await page.evaluate(numberControls);
    expect(total).toBeGreaterThan(50);
    await page.evaluate(() => (document.activeElement as HTMLElement).blur());
    await page.locator("h1").click();
    const reached = new Set<string>();
    for (let presses = 0; presses < total + 20; presses++) {
      await page.keyboard.press("Tab");
      reached.add(await page.evaluate(() => document.activeElement?.getAttribute("data-control") ?? ""));
    }
    reached.delete("");
    // What the page has taken away meanwhile, such as the button of a job that has ended, cannot be reached any more.
    const left = await page.evaluate(controlsLeft);
    expect(left.length).toBeGreaterThan(50);
    expect(left.filter((control) => !reached.has(control))).toEqual([]);
  });

  it("stays where it is while everything around it changes", async () => {
    const page = await (await playground.visitor()).open();
    const pause = page.getByRole("button", { name: "Pause queue default", exact: true });
    await pause.focus();
    // By script: a click of the mouse would move the focus.
    const burst = page.getByRole("button", { name: /^Burst / });
    await burst.evaluate((button) => (button as HTMLButtonElement).click());
    await says(page, "#charts .now", /[1-9][\d,]*\/s at most/);
    expect(await pause.evaluate((button) => button === document.activeElement)).toBe(true);
  });

  it("comes back after a question", async () => {
    const page = await (await playground.visitor()).open();
    await pressKind(page, "Failing");
    await says(page, "#dead-letters tr", /server\.call/);
    const purge = page.getByRole("button", { name: "Purge all", exact: true });
    await purge.click();
    await page.getByRole("dialog").waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    expect(await purge.evaluate((button) => button === document.activeElement)).toBe(true);
  });
});

/** Numbers everything that a keyboard has to reach; says how much that is. */
function numberControls(): number {
  const all = "a[href], button:enabled, input:enabled, select:enabled, textarea:enabled, summary, [tabindex='0']";
  const controls = [...document.querySelectorAll(all)].filter((control) => control.checkVisibility());
  for (const [index, control] of controls.entries()) control.setAttribute("data-control", String(index));
  return controls.length;
}

/** The numbers of those that are still there. */
function controlsLeft(): string[] {
  const numbered = [...document.querySelectorAll("[data-control]:enabled, a[data-control], summary[data-control]")];
  return numbered
    .filter((control) => control.checkVisibility())
    .map((control) => control.getAttribute("data-control") ?? "");
}
