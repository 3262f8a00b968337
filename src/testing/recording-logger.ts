import type { Logger, LogLevel } from "../contracts/logger.ts";

/** One recorded log call. */
export interface LogRecord {
  readonly level: LogLevel;
  readonly message: string;
  readonly facts: Readonly<Record<string, unknown>> | undefined;
}

/** Keeps what is logged, for tests to look at. */
export class RecordingLogger implements Logger {
  readonly records: LogRecord[] = [];

  log(level: LogLevel, message: string, facts?: Readonly<Record<string, unknown>>): void {
    this.records.push({ level, message, facts });
  }
}
