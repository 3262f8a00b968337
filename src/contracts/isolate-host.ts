/** How a thread ended. */
export interface IsolateExit {
  readonly code: number;
  /** What nobody caught in it, if that is why it ended. */
  readonly fault?: unknown;
  /** Whether it was ended because its heap was full. */
  readonly isOutOfMemory: boolean;
}

/** A message channel to one thread that runs handlers. Values are copied by structured clone. */
export interface IsolatePort {
  /** Throws when `message` cannot be copied. */
  postMessage(message: unknown): void;
  /** Called for each message, in order. */
  onMessage(listener: (message: unknown) => void): void;
  /** Called once when the thread has ended, however it came to that. */
  onExit(listener: (exit: IsolateExit) => void): void;
  /** Whether the thread keeps the process alive; a new one does not. */
  keepAlive(on: boolean): void;
  /** Ends the thread, whatever it does at the moment. Resolves when it has ended. */
  terminate(): Promise<void>;
}

/** What a thread is started with. */
export interface IsolateLimits {
  /** Most memory its heap may take, in MiB; the platform's own limit when absent. */
  readonly maxMemoryMb?: number;
}

/** Starts threads that run handlers; their code is `serveIsolate`. */
export interface IsolateHost {
  /** Throws when no thread can be started. */
  spawn(limits: IsolateLimits): IsolatePort;
}
