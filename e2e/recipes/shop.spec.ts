// How to test a page that has a queue, with Playwright. Copy what is of use.
import { expect, type Page, test as base } from "@playwright/test";
import { queueIn } from "stem-sqlite/testing";

/** Each test has a browser context of its own, and with it empty storage; its pages, and only they, share a queue. */
const test = base.extend({
  context: async ({ context }, use) => {
    await context.addInitScript(() => Object.assign(globalThis, { isUnderTest: true }));
    await use(context);
  },
  page: async ({ page }, use) => {
    await page.goto("index.html");
    await queueIn(page).counts();
    await use(page);
  },
});

/** Orders as a user does, and waits for what the page shows once the task is stored. Returns the task's id. */
async function order(page: Page, amount: number): Promise<string> {
  const orders = page.getByRole("list", { name: "Orders" }).getByRole("listitem");
  const before = await orders.count();
  await page.getByLabel("Amount").fill(String(amount));
  await page.getByRole("button", { name: "Order" }).click();
  const id = await orders.nth(before).getAttribute("data-task");
  if (id === null) throw new Error("The page does not say which task the order is.");
  return id;
}

test("an order is charged", async ({ page }) => {
  const id = await order(page, 30);
  expect(await queueIn(page).result(id)).toBe("charged 30");
  await expect(page.getByText("charged 30")).toBeVisible();
});

test("an order over the limit fails after its retry, with the reason", async ({ page }) => {
  const id = await order(page, 300);
  await expect(queueIn(page).result(id)).rejects.toThrow("RangeError: over the limit");
  await expect(page.getByText("was refused")).toBeVisible();
  expect(await queueIn(page).idle()).toEqual({ ready: 0, running: 0, deadLettered: 1 });
});

test("nothing is left to do after many orders, without a sleep", async ({ page }) => {
  const ids: string[] = [];
  for (const amount of [1, 2, 3, 4, 5]) ids.push(await order(page, amount));
  expect(await queueIn(page).idle()).toEqual({ ready: 0, running: 0, deadLettered: 0 });
  const results = await Promise.all(ids.map((id) => queueIn(page).result(id)));
  expect(results).toEqual(["charged 1", "charged 2", "charged 3", "charged 4", "charged 5"]);
});

test("another tab sees the orders of the first, and goes on when that is closed", async ({ page, context }) => {
  const second = await context.newPage();
  await second.goto("index.html");
  const fromFirst = await order(page, 10);
  expect(await queueIn(second).result(fromFirst)).toBe("charged 10");
  await page.close();
  const fromSecond = await order(second, 20);
  expect(await queueIn(second).result(fromSecond)).toBe("charged 20");
});

test("an order survives a reload", async ({ page }) => {
  const id = await order(page, 40);
  await page.reload();
  expect(await queueIn(page).result(id)).toBe("charged 40");
});

test("another visitor has another queue", async ({ page, browser, baseURL }) => {
  const refused = await order(page, 500);
  await expect(queueIn(page).result(refused)).rejects.toThrow("over the limit");
  const context = await browser.newContext(baseURL === undefined ? {} : { baseURL });
  await context.addInitScript(() => Object.assign(globalThis, { isUnderTest: true }));
  const visitor = await context.newPage();
  await visitor.goto("index.html");
  expect(await queueIn(visitor).counts()).toEqual({ ready: 0, running: 0, deadLettered: 0 });
  await context.close();
});
