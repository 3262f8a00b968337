import { UnsupportedEnvironmentError } from "../../src/errors.ts";
import type { EngineWorker } from "./browser-parts.ts";

/** What a page that lists its Trusted Types policies has to list. */
const POLICY = "stem-sqlite";

/** The part of the browser's `trustedTypes` that is used here. */
interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): TrustedUrls;
}

interface TrustedUrls {
  createScriptURL(url: string): string;
}

let trustedUrls: TrustedUrls | undefined;

/**
 * Starts a dedicated worker from a module of this package. `new Worker(url)` alone is refused in pages with
 * `require-trusted-types-for 'script'`. Throws `UnsupportedEnvironmentError` when the worker may not be started.
 */
export function startModuleWorker(url: string, hint: string): EngineWorker {
  // Under a name of its own: bundlers try to follow the address in `new Worker(...)`, and some fail when they cannot.
  const { Worker: ModuleWorker } = globalThis;
  try {
    return new ModuleWorker(trusted(url), { type: "module", name: "stem-sqlite" });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UnsupportedEnvironmentError(`a worker for the engine (${reason}); ${hint}`);
  }
}

/** A policy of this name can be made once in a page, and only where the page's own policy lists it. */
function trusted(url: string): string {
  const { trustedTypes } = globalThis as { readonly trustedTypes?: TrustedTypes };
  if (trustedTypes === undefined) return url;
  try {
    trustedUrls ??= trustedTypes.createPolicy(POLICY, { createScriptURL: (script) => script });
  } catch {
    // Whether a plain address will do is for the browser to say: it does unless trusted types are required.
    return url;
  }
  return trustedUrls.createScriptURL(url);
}
