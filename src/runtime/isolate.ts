import type { IsolateExit, IsolatePort } from "../contracts/isolate-host.ts";
import type { FromIsolate, ToIsolate } from "./isolate-protocol.ts";

type RunMessage = Extract<ToIsolate, { type: "run" }>;

/** What is told of the one run that a thread works on. */
export interface IsolateListener {
  readonly onMessage: (message: FromIsolate) => void;
  readonly onExit: (exit: IsolateExit) => void;
}

/** One thread, from its start to its end. */
export class Isolate {
  readonly maxMemoryMb: number | undefined;
  readonly #port: IsolatePort;
  #listener: IsolateListener | undefined;
  #runs = 0;
  #isEnded = false;

  /** @param onExit called once when the thread has ended by itself. */
  constructor(port: IsolatePort, maxMemoryMb: number | undefined, onExit: () => void) {
    this.#port = port;
    this.maxMemoryMb = maxMemoryMb;
    port.onMessage((message) => this.#receive(message));
    port.onExit((exit) => {
      if (!this.#isEnded) onExit();
      this.#isEnded = true;
      this.#tellExit(exit);
    });
  }

  /** How many runs it has begun. */
  get runs(): number {
    return this.#runs;
  }

  /** Begins a run; throws what the port has against the message. From now on the thread keeps the process alive. */
  begin(message: Omit<RunMessage, "type" | "run">, listener: IsolateListener): void {
    this.#runs += 1;
    this.#listener = listener;
    this.#port.keepAlive(true);
    this.#port.postMessage({ type: "run", run: this.#runs, ...message });
  }

  /** Sends to the current run. Does nothing when the thread has ended. */
  post(message: ToIsolate): void {
    if (!this.#isEnded) this.#port.postMessage(message);
  }

  /** The run is over: nothing more is told of it. */
  finish(): void {
    this.#listener = undefined;
    if (!this.#isEnded) this.#port.keepAlive(false);
  }

  /** Ends the thread, and the run with it. */
  async end(): Promise<void> {
    if (this.#isEnded) return;
    this.#isEnded = true;
    await this.#port.terminate();
  }

  #receive(message: unknown): void {
    // A handler can reach the platform's own port, and send whatever it likes.
    if (this.#isEnded || typeof message !== "object" || message === null) return;
    if ((message as Partial<FromIsolate>).run === this.#runs) this.#listener?.onMessage(message as FromIsolate);
  }

  #tellExit(exit: IsolateExit): void {
    const listener = this.#listener;
    this.#listener = undefined;
    listener?.onExit(exit);
  }
}
