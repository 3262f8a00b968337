/** What an example is run with. */
export interface ExampleContext {
  /** The path of a file of this name in a folder of this run's own. */
  file(name: string): string;
  /** Takes one line of output, as `console.log` does. */
  log(value: unknown): void;
}

/** A numbered example: a program, and the lines it prints. */
export interface Example {
  readonly expected: readonly string[];
  run(context: ExampleContext): Promise<void>;
}
