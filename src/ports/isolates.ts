import type { IsolateHost } from "../contracts/isolate-host.ts";

let installed: IsolateHost | undefined;

/** Called once by the package's entry for a runtime that has threads. */
export function installIsolateHost(host: IsolateHost): void {
  installed = host;
}

/** Where workers start threads unless they are told otherwise; `undefined` in a runtime without them. */
export function currentIsolateHost(): IsolateHost | undefined {
  return installed;
}
