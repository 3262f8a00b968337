import { describe, expect, it } from "vitest";
import { createSeededRandomness, createSequentialIds } from "../../../src/testing/index.ts";

describe("createSeededRandomness", () => {
  it("repeats itself for the same seed, and only then", () => {
    const take = (seed: number): readonly number[] => {
      const { number, fill } = createSeededRandomness(seed);
      const bytes = new Uint8Array(8);
      fill(bytes);
      return [...bytes, number(), number()];
    };

    expect(take(1)).toEqual(take(1));
    expect(take(1)).not.toEqual(take(2));
  });

  it("is spread over the whole range", () => {
    const { number } = createSeededRandomness(7);
    const numbers = Array.from({ length: 10_000 }, () => number());
    const tenths = new Set(numbers.map((each) => Math.floor(each * 10)));

    expect([...tenths].toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });
});

describe("createSequentialIds", () => {
  it("counts up from 1", () => {
    const next = createSequentialIds("job");

    expect([next(), next(), createSequentialIds()()]).toEqual(["job-1", "job-2", "task-1"]);
  });
});
