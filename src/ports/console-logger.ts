import type { Logger } from "../contracts/logger.ts";

/** Writes warnings and errors to the console and drops the rest: the default, so that nothing fails unseen. */
export const consoleLogger: Logger = {
  log(level, message, facts) {
    if (level !== "warn" && level !== "error") return;
    console[level](`[stem] ${message}`, ...(facts === undefined ? [] : [facts]));
  },
};

/** Drops everything. */
export const silentLogger: Logger = { log: () => undefined };
