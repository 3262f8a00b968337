import { describe, expect, it } from "vitest";
import { report } from "../support/crash-check-suite.ts";
import { checkFault, faultGrounds, type FaultGround, faultPoints } from "../support/workload-faults.ts";
import type { FaultPoint } from "../support/workload-fault-run.ts";

/** Names one point to look at again, such as `{"ground":"new","point":{...}}`; printed with each bad one. */
const REPLAY = process.env["STEM_FAULT_POINT"];
const MOST_SHOWN = 5;
/** One point in so many, another share of them each time; 1 looks at all. */
const EVERY = Number(process.env["STEM_FAULT_EVERY"] ?? 4);
const FIRST = Math.floor(Math.random() * EVERY);

const grounds = await faultGrounds();

describe("a storage call that fails", () => {
  if (REPLAY !== undefined) return describeReplay(JSON.parse(REPLAY) as { ground: string; point: FaultPoint });
  it.each(grounds.map(({ name, ...ground }) => ({ name, ground: { name, ...ground } })))(
    "is answered honestly, loses nothing, and does not end the owner: a $name database",
    async ({ ground }) => {
      const points = faultPoints(ground).filter((_, index) => index % EVERY === FIRST);
      const problems: string[] = [];
      let bad = 0;
      for (const point of points) {
        const found = await checkFault(ground, point);
        if (found.length === 0) continue;
        bad += 1;
        if (bad <= MOST_SHOWN) problems.push(describeProblem(ground, point, found));
      }
      report(`${points.length} I/O faults (one in ${EVERY}) on a ${ground.name} database, ${bad} bad`);
      expect(problems).toEqual([]);
    },
  );
});

function describeReplay({ ground, point }: { ground: string; point: FaultPoint }): void {
  it(`is answered honestly: ${JSON.stringify(point)} on a ${ground} database`, async () => {
    const found = grounds.find(({ name }) => name === ground) ?? expect.unreachable();
    expect(await checkFault(found, point)).toEqual([]);
  });
}

function describeProblem({ name }: FaultGround, point: FaultPoint, found: readonly string[]): string {
  const replay = JSON.stringify({ ground: name, point });
  return `${found.join("; ")}; see it again: STEM_FAULT_POINT='${replay}' npx vitest run test/reliability/io-faults.test.ts`;
}
