import type { BrowserChoice } from "../storage/web/browser.ts";

/** What the log says of where a database is kept. Not being in files of the browser is worth a warning, once. */
export function describeChoice({ database, backend, reason }: BrowserChoice): {
  readonly level: "info" | "warn";
  readonly message: string;
} {
  if (reason === undefined) return { level: "info", message: `"${database}" is kept in storage "${backend}".` };
  return {
    level: "warn",
    message: `"${database}" is new and will be kept in storage "${backend}", not in "opfs": ${reason.message}`,
  };
}
