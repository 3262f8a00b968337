/** Signals of the operating system that stop a worker. */
export type StopSignal = "SIGINT" | "SIGTERM" | "SIGQUIT";

/** What tells of signals: Node's `process`, or anything of its shape. */
export interface SignalSource {
  on(signal: StopSignal, listener: () => void): unknown;
  off(signal: StopSignal, listener: () => void): unknown;
}

/** How urgent a shutdown is. */
export type ShutdownMode = "warm" | "soft" | "hard";

const MODES: readonly (readonly [StopSignal, ShutdownMode])[] = [
  ["SIGTERM", "warm"],
  ["SIGINT", "soft"],
  ["SIGQUIT", "hard"],
];

/** The global `process`, where there is one that tells of signals. */
export function processSignals(): SignalSource | undefined {
  const candidate = (globalThis as { process?: Partial<SignalSource> }).process;
  return typeof candidate?.on === "function" && typeof candidate.off === "function"
    ? (candidate as SignalSource)
    : undefined;
}

/** Calls `stop` at each signal, with `hard` from the second on. Returns what takes the listeners off again. */
export function listenForSignals(source: SignalSource, stop: (mode: ShutdownMode) => void): () => void {
  let isFirst = true;
  const listeners = MODES.map(([signal, mode]) => {
    const listener = (): void => {
      stop(isFirst ? mode : "hard");
      isFirst = false;
    };
    source.on(signal, listener);
    return [signal, listener] as const;
  });
  return () => {
    for (const [signal, listener] of listeners) source.off(signal, listener);
  };
}
