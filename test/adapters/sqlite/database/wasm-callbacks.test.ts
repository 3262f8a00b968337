import { describe, expect, it } from "vitest";
import { addToTable, type WasmCallback } from "../../../../adapters/sqlite/database/wasm-callbacks.ts";
import { thrownBy } from "../../../src/core/thrown-by.ts";

type Call = (...parameters: unknown[]) => unknown;

/** The part of `WebAssembly.Table` used here; Node's types do not have it. */
interface Table {
  readonly length: number;
  get(index: number): Call;
  set(index: number, value: unknown): void;
  grow(by: number): number;
}

const { Table: TableClass } = Reflect.get(globalThis, "WebAssembly") as { Table: new (settings: object) => Table };
const newTable = (initial = 0): Table => new TableClass({ element: "anyfunc", initial });

describe("database/wasm-callbacks", () => {
  it("calls back with every type of value, and hands the result on", () => {
    const seen: unknown[][] = [];
    const record = (...values: unknown[]): number => seen.push(values);
    const table = newTable(2);
    const callbacks: WasmCallback[] = [
      { signature: "i", call: record },
      { signature: "iijfd", call: record },
      { signature: "vii", call: record },
      { signature: "d", call: () => 0.5 },
    ];
    const indexes = addToTable(table, callbacks);
    expect(indexes).toEqual([2, 3, 4, 5]);
    const call = (index: number, ...values: unknown[]): unknown => table.get(index)(...values);
    expect(call(2)).toBe(1);
    expect(call(3, -1, 2n ** 62n, 0.5, 0.1)).toBe(2);
    expect(call(4, 1, 2)).toBeUndefined();
    expect(call(5)).toBe(0.5);
    expect(seen).toEqual([[], [-1, 2n ** 62n, 0.5, 0.1], [1, 2]]);
  });

  it("adds behind what is there, more than one byte can count", () => {
    const table = newTable(3);
    const callbacks = Array.from({ length: 300 }, (_, index): WasmCallback => ({
      signature: "iiiiiiiiiiii",
      call: () => index,
    }));
    const indexes = addToTable(table, callbacks);
    expect(table.length).toBe(303);
    expect(indexes.map((index) => table.get(index)())).toEqual(callbacks.map((_, index) => index));
    expect(addToTable(table, [{ signature: "i", call: () => 9 }])).toEqual([303]);
  });

  it.each(["ix", "x", "i!", "is"])("refuses the signature %j", (signature) => {
    expect(thrownBy(() => addToTable(newTable(), [{ signature, call: () => 0 }]))).toBeInstanceOf(TypeError);
  });
});
