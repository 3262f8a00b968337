import {
  ASYMMETRIC_MATCHERS_OBJECT,
  chai,
  type ExpectStatic,
  getState,
  JestAsymmetricMatchers,
  JestChaiExpect,
  JestExtend,
  setState,
} from "@vitest/expect";

/** What Vitest's server makes of `import()` calls this, which only its own page has. */
Object.assign(globalThis, {
  __vitest_browser_runner__: { wrapDynamicImport: <T>(load: () => Promise<T>): Promise<T> => load() },
});

/*
 * What contract suites import as "vitest" when they run in a dedicated worker, where Vitest itself cannot run. It
 * collects tests for the page that shows them as its own (worker-tests.ts), has what the suites use and no more, and
 * takes Vitest's assertions.
 */

type Hook = () => unknown;
type Body = (context: SuiteContext) => unknown;

/** What a test may ask for while it runs. */
interface SuiteContext {
  skip(condition: boolean, reason: string): void;
}

/** Ends a test that turned out not to be for this place. */
class Skipped extends Error {}

interface Group {
  readonly name: string;
  readonly parent: Group | undefined;
  readonly isSkipped: boolean;
  readonly before: Hook[];
  readonly after: Hook[];
}

interface CollectedTest {
  readonly group: Group;
  readonly name: string;
  readonly body: Body;
}

const tests: CollectedTest[] = [];
let current: Group = { name: "", parent: undefined, isSkipped: false, before: [], after: [] };

/**
 * Collects the tests of a group.
 *
 * @public
 */
export const describe = Object.assign((name: string, body: () => void): void => collect(name, false, body), {
  skipIf: (isSkipped: boolean) => (name: string, body: () => void) => collect(name, isSkipped, body),
});

/**
 * Collects a test.
 *
 * @public
 */
export const it = Object.assign((name: string, body: Body): void => void tests.push({ group: current, name, body }), {
  each: (values: readonly unknown[]) => (name: string, body: (value: unknown) => unknown) => {
    for (const value of values) it(named(name, value), () => body(value));
  },
  for: (values: readonly unknown[]) => (name: string, body: (value: unknown, context: SuiteContext) => unknown) => {
    for (const value of values) it(named(name, value), (context) => body(value, context));
  },
});

/**
 * Runs before each test of the group.
 *
 * @public
 */
export function beforeEach(hook: Hook): void {
  current.before.push(hook);
}

/**
 * Runs after each test of the group, whatever came of it.
 *
 * @public
 */
export function afterEach(hook: Hook): void {
  current.after.push(hook);
}

/**
 * Vitest's assertions.
 *
 * @public
 */
export const expect: ExpectStatic = makeExpect();

/** Answers the page that runs the collected tests, from now on. */
export function serveSuite(): void {
  addEventListener("message", ({ data }: MessageEvent<{ readonly run: number }>) => {
    const test = tests[data.run];
    if (test === undefined) throw new Error(`There is no test ${data.run}.`);
    runTest(test).then(
      () => postMessage({ ran: data.run }),
      (error: unknown) => {
        if (error instanceof Skipped) postMessage({ ran: data.run, skipped: error.message });
        else postMessage({ ran: data.run, error: String(error instanceof Error ? error.stack : error) });
      },
    );
  });
  addEventListener("unhandledrejection", ({ reason }) => postMessage({ fault: String(reason) }));
  const list = tests.map(({ group, name }) => ({ names: [...namesOf(group), name], isSkipped: skips(group) }));
  postMessage({ tests: list });
}

function collect(name: string, isSkipped: boolean, body: () => void): void {
  const parent = current;
  current = { name, parent, isSkipped, before: [], after: [] };
  body();
  current = parent;
}

async function runTest({ group, body }: CollectedTest): Promise<void> {
  const lineage: Group[] = [];
  for (let each: Group | undefined = group; each !== undefined; each = each.parent) lineage.unshift(each);
  try {
    for (const { before } of lineage) for (const hook of before) await hook();
    await body({
      skip(condition, reason) {
        if (condition) throw new Skipped(reason);
      },
    });
  } finally {
    for (const { after } of lineage.toReversed()) for (const hook of after) await hook();
  }
}

function named(name: string, value: unknown): string {
  return name.replace("%s", String(Array.isArray(value) ? value[0] : value));
}

function namesOf({ name, parent }: Group): readonly string[] {
  return parent === undefined ? [] : [...namesOf(parent), name];
}

function skips({ isSkipped, parent }: Group): boolean {
  return isSkipped || (parent !== undefined && skips(parent));
}

function makeExpect(): ExpectStatic {
  chai.use(JestExtend);
  chai.use(JestChaiExpect);
  chai.use(JestAsymmetricMatchers);
  const assertion = ((value: unknown, message?: string) => chai.expect(value, message)) as unknown as ExpectStatic;
  const matchers = (globalThis as unknown as Record<symbol, object>)[ASYMMETRIC_MATCHERS_OBJECT];
  Object.assign(assertion, chai.expect, matchers, {
    getState: () => getState(assertion),
    setState: (state: object) => setState(state, assertion),
    unreachable: (message?: string) => chai.assert.fail(message ?? "this was to be unreachable"),
  });
  return assertion;
}
