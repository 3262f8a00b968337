import { array, assert, constant, nat, oneof, property, tuple } from "fast-check";
import { describe, expect, it } from "vitest";
import { TemporaryFile } from "../../../../adapters/sqlite/database/temporary-file.ts";
import { replayable } from "../../../src/core/replay.ts";

describe("database/temporary-file", () => {
  it("is empty at first, and reads nothing beyond its end", () => {
    const file = new TemporaryFile();
    const into = new Uint8Array(4).fill(7);
    expect([file.size(), file.read(into, 0), file.read(into, 100)]).toEqual([0, 0, 0]);
    expect(into).toEqual(new Uint8Array(4).fill(7));
  });

  it("reads a gap as zeros, also where bytes were cut off before", () => {
    const file = new TemporaryFile();
    file.write(new Uint8Array(10_000).fill(9), 0);
    file.truncate(1);
    file.write(new Uint8Array([5]), 9_000);
    const into = new Uint8Array(9_001);
    expect(file.read(into, 0)).toBe(9_001);
    expect(into.every((byte, index) => byte === (index === 0 ? 9 : index === 9_000 ? 5 : 0))).toBe(true);
  });

  it("behaves like an array of bytes under any operations", () => {
    const operation = oneof(
      tuple(constant("write" as const), nat(9_000), nat(300)),
      tuple(constant("truncate" as const), nat(9_000), nat(0)),
      tuple(constant("read" as const), nat(9_000), nat(300)),
    );
    assert(
      property(array(operation, { maxLength: 30 }), (operations) => {
        const file = new TemporaryFile();
        let model = new Uint8Array(0);
        operations.forEach(([kind, at, length], index) => {
          if (kind === "write") {
            const bytes = new Uint8Array(length).fill(index + 1);
            file.write(bytes, at);
            const grown = new Uint8Array(Math.max(model.length, at + length));
            grown.set(model);
            grown.set(bytes, at);
            model = grown;
          } else if (kind === "truncate") {
            file.truncate(at);
            model = model.slice(0, at);
          } else {
            const into = new Uint8Array(length);
            const count = file.read(into, at);
            expect([...into.subarray(0, count)]).toEqual([...model.slice(at, at + length)]);
          }
          expect(file.size()).toBe(model.length);
        });
      }),
      replayable("test/adapters/sqlite/database/temporary-file.test.ts", 200),
    );
  });
});
