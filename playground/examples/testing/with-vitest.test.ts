// A test with Vitest; with Jest it is the same but for the first line.
import { expect, test, vi } from "vitest";
import { openTestQueue } from "stem-sqlite/testing";
import { signUp, signUpTasks } from "./sign-up.ts";

test("a new user is greeted at once, and asked after a week", async () => {
  const sendMail = vi.fn(async () => undefined);
  await using queue = await openTestQueue({ tasks: signUpTasks(sendMail) });
  await signUp(queue.stem, "ada");
  expect(queue.enqueued({ name: "sign-up.mail" })).toHaveLength(2);

  expect(await queue.drain()).toMatchObject({ succeeded: 1 });
  expect(sendMail.mock.calls).toEqual([["ada", "Welcome!"]]);

  expect(await queue.drain({ skipTime: true })).toMatchObject({ succeeded: 1 });
  expect(new Date(queue.clock.now())).toEqual(new Date("2026-01-08T00:00:00Z"));
});

test("a letter is tried again, and given up in the end", async () => {
  const sendMail = vi.fn(async () => Promise.reject(new Error("no such address")));
  await using queue = await openTestQueue({ tasks: signUpTasks(sendMail) });
  const [greeting = ""] = await signUp(queue.stem, "ada");
  await expect(queue.result(greeting)).rejects.toThrow("no such address");
  expect(sendMail).toHaveBeenCalledTimes(4);
  expect(await queue.broker.getDeadLetter("default", greeting)).not.toBeNull();
});
