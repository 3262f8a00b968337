export type LogLevel = "debug" | "info" | "warn" | "error";

/** Receives what can no longer be returned to a caller. Must not throw; payloads are never passed to it. */
export interface Logger {
  log(level: LogLevel, message: string, facts?: Readonly<Record<string, unknown>>): void;
}
