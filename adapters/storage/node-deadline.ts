/** Calls `passed` once some time has gone by, unless the returned function was called before. */
export type Deadline = (passed: () => void) => () => void;

/**
 * A deadline of so many milliseconds that nothing prolongs, and that does not keep the process alive. Taken from the
 * platform: a storage driver has no clock, and the idle timeout of a socket starts anew with every byte.
 */
export function platformDeadline(milliseconds: number): Deadline {
  return (passed) => {
    const signal = AbortSignal.timeout(milliseconds);
    let turn: NodeJS.Immediate | undefined;
    const onAbort = (): void => {
      // What arrived while this thread was busy is read first: the other side is not late for that.
      turn = setImmediate(passed);
    };
    signal.addEventListener("abort", onAbort, { once: true });
    return () => {
      signal.removeEventListener("abort", onAbort);
      clearImmediate(turn);
    };
  };
}
