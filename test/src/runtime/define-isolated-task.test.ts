import { describe, expect, it } from "vitest";
import type { TaskContext } from "../../../src/contracts/task-handler.ts";
import { InvalidNameError, InvalidOptionError } from "../../../src/errors.ts";
import { defineIsolatedTask, type IsolatedTaskOptions } from "../../../src/runtime/define-isolated-task.ts";
import { Stem } from "../../../src/runtime/stem.ts";
import { TaskRegistry } from "../../../src/runtime/task-registry.ts";
import { aRecordingBroker } from "./recording-broker.ts";

/** As `typeof import("./work.ts")` would be. */
interface WorkModule {
  readonly default: (context: TaskContext, args: { path: string }) => Promise<number>;
  readonly resize: (context: TaskContext, args: { width: number }) => { done: boolean };
  readonly tick: (context: TaskContext) => void;
  readonly dated: (context: TaskContext, args: { at: Date }) => void;
  readonly version: string;
}

const URL_OF_WORK = new URL("file:///app/work.js");

describe("defineIsolatedTask", () => {
  it("takes the types of a module's export, or the ones that are given", async () => {
    const main = defineIsolatedTask<WorkModule>("work.main", URL_OF_WORK, { maxRetries: 2 });
    const resize = defineIsolatedTask<WorkModule, "resize">("work.resize", URL_OF_WORK, { exportName: "resize" });
    const tick = defineIsolatedTask<WorkModule, "tick">("work.tick", URL_OF_WORK, { exportName: "tick" });
    const given = defineIsolatedTask<{ n: number }, string>("work.given", URL_OF_WORK.href);
    const plain = defineIsolatedTask("work.plain", URL_OF_WORK);
    const { broker, published } = aRecordingBroker();
    const stem = new Stem({ broker, tasks: [main, resize, tick, given, plain] });

    await main.enqueue(stem, { path: "a" });
    await resize.enqueue(stem, { width: 3 });
    await tick.enqueue(stem);
    await given.enqueue(stem, { n: 1 });
    await plain.enqueue(stem, { any: ["thing"] });
    // @ts-expect-error an argument has the wrong type
    await resize.enqueue(stem, { width: "3" });
    // @ts-expect-error a required argument is missing
    await main.enqueue(stem);
    // @ts-expect-error the name of the export is left out
    defineIsolatedTask<WorkModule, "resize">("work.resize", URL_OF_WORK);
    // @ts-expect-error a Date has no JSON form
    defineIsolatedTask<WorkModule, "dated">("work.dated", URL_OF_WORK, { exportName: "dated" });
    // @ts-expect-error a Map has no JSON form
    defineIsolatedTask<{ n: number }, Map<string, number>>("work.map", URL_OF_WORK);

    expect(published.slice(0, 5).map(({ name, args }) => [name, args])).toEqual([
      ["work.main", { path: "a" }],
      ["work.resize", { width: 3 }],
      ["work.tick", {}],
      ["work.given", { n: 1 }],
      ["work.plain", { any: ["thing"] }],
    ]);
    expect(published[0]?.maxRetries).toBe(2);
    expect(resize.isolated).toEqual({ module: "file:///app/work.js", exportName: "resize" });
    expect(main.isolated).toEqual({ module: "file:///app/work.js", exportName: "default" });
  });

  it.each<[string, string, unknown, unknown, typeof InvalidNameError | typeof InvalidOptionError]>([
    ["a name with blanks", "a b", URL_OF_WORK, {}, InvalidNameError],
    ["a path", "a", "./work.js", {}, InvalidOptionError],
    ["an absolute path", "a", "/app/work.js", {}, InvalidOptionError],
    ["a path with a drive", "a", "C:\\app\\work.js", {}, InvalidOptionError],
    ["no module", "a", undefined, {}, InvalidOptionError],
    ["a function for a module", "a", () => 1, {}, InvalidOptionError],
    ["an empty export name", "a", URL_OF_WORK, { exportName: "" }, InvalidOptionError],
    ["an export name that is none", "a", URL_OF_WORK, { exportName: 1 }, InvalidOptionError],
    ["too little memory", "a", URL_OF_WORK, { maxMemoryMb: 15 }, InvalidOptionError],
    ["memory without end", "a", URL_OF_WORK, { maxMemoryMb: Number.POSITIVE_INFINITY }, InvalidOptionError],
    ["a bad task option", "a", URL_OF_WORK, { maxRetries: -1 }, InvalidOptionError],
    ["an unknown option", "a", URL_OF_WORK, { memory: 32 }, InvalidOptionError],
    ["options that are none", "a", URL_OF_WORK, null, InvalidOptionError],
  ])("refuses %s", (_what, name, module, options, errorClass) => {
    expect(() => defineIsolatedTask(name, module as URL, options as IsolatedTaskOptions)).toThrow(errorClass);
  });

  it.each([
    null,
    {},
    { module: "work.js", exportName: "a" },
    { module: "file:///a.js", exportName: "a", maxMemoryMb: 1 },
  ])("has a registry refuse a handler that says it is isolated by %j", (isolated) => {
    const handler = { name: "a", options: {}, run: () => null, isolated: isolated as never };

    expect(() => new TaskRegistry([handler])).toThrow(InvalidOptionError);
  });
});
