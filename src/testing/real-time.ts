/** Taken when this module is loaded: fake timers, which a test installs later, replace the global ones. */
const { setTimeout: start, clearTimeout: stop, performance: machine } = globalThis;
const monotonic = machine.now.bind(machine);

/** Milliseconds of real time since some instant; the one clock of a test that no test moves. */
export function realTime(): number {
  return monotonic();
}

/** Calls `callback` after so many real milliseconds, until the returned function is called. */
export function afterRealTime(ms: number, callback: () => void): () => void {
  const handle = start(callback, ms);
  return () => stop(handle);
}

/** Resolves after so many real milliseconds. */
export function realPause(ms: number): Promise<void> {
  return new Promise((resolve) => void afterRealTime(ms, resolve));
}
