import { describe, expect, it } from "vitest";
import { readFromOwner } from "../../../../adapters/sqlite/hub/wire.ts";

describe("hub: what a member reads of its owner", () => {
  it.each([
    { replies: [[1, "value"], [2, null, { code: "STEM_CLOSED" }], [3]], pushes: [[4, [{ token: 1 }]]] },
    { replies: [], pushes: [] },
  ])("takes a batch: %j", (batch) => {
    expect(readFromOwner({ type: "batch", batch })).toEqual({ type: "batch", batch });
  });

  it.each([
    null,
    { replies: [] },
    { replies: [null], pushes: [] },
    { replies: [5], pushes: [] },
    { replies: [["1", 2]], pushes: [] },
    { replies: [[1, 2, "error"]], pushes: [] },
    { replies: [], pushes: [null] },
    { replies: [], pushes: [[1, null]] },
    { replies: [], pushes: [[1, [null]]] },
    { replies: [], pushes: [["1", []]] },
  ])("takes nothing that no owner says, instead of throwing later: %j", (batch) => {
    expect(readFromOwner({ type: "batch", batch })).toBeUndefined();
  });
});
