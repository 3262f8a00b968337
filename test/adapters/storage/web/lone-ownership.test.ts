import { describe, expect, it, onTestFinished } from "vitest";
import { becomeLoneOwner } from "../../../../adapters/storage/web/lone-ownership.ts";
import type { WebOwnership } from "../../../../adapters/storage/web/web-ownership.ts";
import { DatabaseBusyError } from "../../../../src/errors.ts";

let lastPlace = 0;
const aPlace = () => ({ driver: "test", database: `/lone-${(lastPlace += 1)}` });

/** Broadcasts come as turns of the event loop, within a few of them. */
async function aWhile(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** Contexts that open one database, each of them a round further when it is told so. */
function contexts(count: number) {
  const place = aPlace();
  const gates: (() => void)[] = [];
  const opened = Array.from({ length: count }, (_, at) =>
    becomeLoneOwner(place, () => new Promise((resolve) => (gates[at] = resolve))),
  );
  for (const opening of opened) {
    opening.catch(() => undefined);
    onTestFinished(async () => {
      await opening.then(
        (ownership) => ownership.release(),
        () => undefined,
      );
    });
  }
  const goOn = async (at: number): Promise<void> => {
    gates[at]?.();
    await aWhile();
  };
  return { opened, goOn };
}

const ownersOf = (results: readonly PromiseSettledResult<WebOwnership>[]): readonly boolean[] =>
  results.map((result) => result.status === "fulfilled" && result.value.isInPlace());

describe("web/lone-ownership", () => {
  it("has one owner of two that open at the same time, whoever is the quicker, and that one stays it", async () => {
    for (let time = 0; time < 6; time += 1) {
      const { opened, goOn } = contexts(2);
      await aWhile();
      for (let round = 0; round < 8; round += 1) {
        await goOn(time % 2);
        await goOn(1 - (time % 2));
      }
      const results = await Promise.allSettled(opened);
      expect(ownersOf(results).filter(Boolean)).toHaveLength(1);
      const refused = results.find((result) => result.status === "rejected");
      expect(refused?.reason).toBeInstanceOf(DatabaseBusyError);
    }
  });
});
