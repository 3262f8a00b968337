import { describe, expect, it } from "vitest";
import { DuplicateTaskError, InvalidNameError, InvalidOptionError } from "../../../src/errors.ts";
import { defineTask } from "../../../src/runtime/define-task.ts";
import { TaskRegistry } from "../../../src/runtime/task-registry.ts";

const first = defineTask("demo.a", async () => 1);
const second = defineTask("demo.a", async () => 2);
const other = defineTask("demo.b", async () => 3);

describe("TaskRegistry", () => {
  it("resolves handlers by name and lists them in the order of registration", () => {
    const registry = new TaskRegistry([other, first]);

    expect(registry.resolve("demo.a")).toBe(first);
    expect(registry.resolve("demo.c")).toBeUndefined();
    expect(registry.handlers).toEqual([other, first]);
  });

  it("refuses a second handler of a name and keeps the first", () => {
    const registry = new TaskRegistry([first]);

    expect(() => registry.register(second)).toThrow(DuplicateTaskError);
    expect(registry.resolve("demo.a")).toBe(first);
  });

  it("replaces a handler when told to", () => {
    const registry = new TaskRegistry([first]);
    registry.register(second, { overrideExisting: true });

    expect(registry.resolve("demo.a")).toBe(second);
    expect(registry.handlers).toHaveLength(1);
  });

  it("takes the same handler twice, so that producer and worker can share registry and tasks", () => {
    const registry = new TaskRegistry([first]);
    registry.register(first);

    expect(registry.handlers).toEqual([first]);
  });

  it.each([
    ["null", null, InvalidOptionError],
    ["a string", "demo.a", InvalidOptionError],
    ["a handler without run", { name: "demo.a", options: {} }, InvalidOptionError],
    ["a handler without name", { options: {}, run: first.run }, InvalidNameError],
    ["a handler with bad options", { name: "a", options: { priority: 0.5 }, run: first.run }, InvalidOptionError],
  ])("refuses %s", (_case, handler, errorClass) => {
    expect(() => new TaskRegistry().register(handler as never)).toThrow(errorClass);
  });

  it("refuses a list that is none", () => {
    expect(() => new TaskRegistry(first as never)).toThrow(InvalidOptionError);
  });
});
