// The same with the test runner of Node: `node --test dist/playground/examples/testing/with-node-test.js`.
import assert from "node:assert/strict";
import { test } from "node:test";
import { openTestQueue } from "stem-sqlite/testing";
import { signUp, signUpTasks } from "./sign-up.ts";

void test("a new user is greeted at once, and asked after a week", async () => {
  const sent: string[] = [];
  await using queue = await openTestQueue({ tasks: signUpTasks(async (_to, text) => void sent.push(text)) });
  await signUp(queue.stem, "ada");

  assert.equal((await queue.drain()).succeeded, 1);
  assert.deepEqual(sent, ["Welcome!"]);
  assert.equal((await queue.drain({ skipTime: true })).succeeded, 1);
  assert.deepEqual(sent, ["Welcome!", "How do you like it?"]);
});

void test("a letter is tried again, and given up in the end", async () => {
  const tasks = signUpTasks(async () => Promise.reject(new Error("no such address")));
  await using queue = await openTestQueue({ tasks });
  const [greeting = ""] = await signUp(queue.stem, "ada");
  await assert.rejects(queue.result(greeting), /no such address/);
});
