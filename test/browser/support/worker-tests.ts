import { afterAll, describe, it } from "vitest";

interface ListedTest {
  readonly names: readonly string[];
  readonly isSkipped: boolean;
}

interface WorkerSays {
  readonly tests?: readonly ListedTest[];
  readonly ran?: number;
  readonly error?: string;
  /** Why the test is not for this place. */
  readonly skipped?: string;
  /** What went wrong outside of any test's own steps. */
  readonly fault?: string;
}

/**
 * Shows the tests that a worker collected (`worker-suite.ts`) as tests of this file, and runs each in the worker when
 * its turn comes. For what exists in dedicated workers only, and is synchronous: a page could not call it from outside.
 */
export async function showWorkerTests(name: string, worker: Worker): Promise<void> {
  const waiting = new Map<number, (says: WorkerSays) => void>();
  let fault: string | undefined;
  const tests = await new Promise<readonly ListedTest[]>((resolve, reject) => {
    worker.addEventListener("error", ({ message }) => {
      fault ??= message;
      reject(new Error(`The worker failed: ${message}`));
    });
    worker.addEventListener("message", ({ data }: MessageEvent<WorkerSays>) => {
      if (data.tests !== undefined) resolve(data.tests);
      fault ??= data.fault;
      if (data.ran !== undefined) waiting.get(data.ran)?.(data);
    });
  });

  const run = async (index: number): Promise<string | undefined> => {
    const { error, skipped } = await new Promise<WorkerSays>((resolve) => {
      waiting.set(index, resolve);
      worker.postMessage({ run: index });
    });
    if (error !== undefined) throw new Error(error);
    if (fault !== undefined) throw new Error(`Nobody handled: ${fault}`);
    return skipped;
  };

  describe(name, () => {
    afterAll(() => worker.terminate());
    for (const [index, { names, isSkipped }] of tests.entries()) {
      it.skipIf(isSkipped)(names.join(" > "), async ({ skip }) => {
        const reason = await run(index);
        skip(reason !== undefined, reason);
      });
    }
  });
}
