// Functions of isolated tasks, good and bad. Whatever they do, they do to their own thread.
import { threadId } from "node:worker_threads";
import type { TaskContext } from "stem-sqlite";

export function double(_context: TaskContext, args: { n: number }): number {
  return args.n * 2;
}

export function thread(): number {
  return threadId;
}

export function loop(): never {
  for (;;);
}

/** A loop that never gives its thread a turn, and asks at each round whether it may go on. */
export function politeLoop(context: TaskContext): never {
  for (let round = 0; ; round += 1) {
    if (round === 0) context.progress(0);
    context.heartbeat();
  }
}

/** The same, by its signal. */
export function signalledLoop(context: TaskContext): string {
  context.progress(0);
  while (!context.signal.aborted);
  return (context.signal.reason as Error).name;
}

/** Blocks its thread for so long. */
export function block(context: TaskContext, args: { ms: number }): number {
  const cell = new Int32Array(new SharedArrayBuffer(4));
  Atomics.wait(cell, 0, 0, args.ms);
  return context.deliveries;
}

export function exit(_context: TaskContext, args: { code: number }): void {
  process.exit(args.code);
}

export function fillHeap(): void {
  const kept: unknown[] = [];
  for (;;) kept.push({ values: Array.from({ length: 100 }, (_, index) => index) });
}

export async function rejectElsewhere(): Promise<void> {
  void Promise.reject(new RangeError("nobody caught this"));
  await new Promise(() => undefined);
}

export async function throwElsewhere(): Promise<void> {
  setImmediate(() => {
    throw new TypeError("nobody caught this");
  });
  await new Promise(() => undefined);
}

export function throwText(): never {
  throw "only a text";
}

export function throwError(): never {
  throw Object.assign(new RangeError("too far", { cause: new Error("the reason") }), { code: "E_FAR" });
}

export function retryOnce(context: TaskContext): number {
  if (context.attempt === 0) context.retry({ countdown: 0, maxRetries: 1 });
  return context.attempt;
}

export async function parent(context: TaskContext, args: { n: number }): Promise<string> {
  context.progress(0.5, { half: true });
  return context.spawn("isolated.double", { args, headers: { own: "h" } });
}

export async function refusedChild(context: TaskContext): Promise<string> {
  return context.enqueue("a b").catch((error: Error) => `${error.constructor.name} ${error.name}`);
}

export function notJson(): unknown {
  return { at: [Number.NaN] };
}

export function print(_context: TaskContext, args: { text: string }): void {
  console.log(args.text);
}
