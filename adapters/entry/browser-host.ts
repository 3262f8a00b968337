import type { EngineHost } from "../../src/contracts/platform.ts";
import { EngineError } from "../../src/errors.ts";
import { browserContextHasEnded, lookForBrowserContexts } from "./browser-context.ts";
import { webDefer, webText } from "./web-host.ts";

/** What the engine needs of this page or worker. The engine is loaded once for each host. */
export function browserEngineHost(load: () => Promise<WebAssembly.Module>): EngineHost {
  let module: Promise<WebAssembly.Module> | undefined;
  return {
    loadEngine: () => {
      module ??= load();
      // A server that was down may be back.
      module.catch(() => (module = undefined));
      return module;
    },
    text: webText,
    defer: webDefer,
    contextName: "another tab",
    hasEnded: browserContextHasEnded,
    lookForContexts: lookForBrowserContexts,
  };
}

/** Fetches and compiles the engine; throws `EngineError` that names the address. */
export async function loadEngineFrom(url: string): Promise<WebAssembly.Module> {
  try {
    const response = await fetch(url);
    if (!response.ok) throw new Error(`The server answered with status ${response.status}.`);
    const type = response.headers.get("content-type") ?? "";
    // Streaming insists on the type, and many servers do not know it.
    if (/^application\/wasm\b/i.test(type)) return await WebAssembly.compileStreaming(response);
    return await WebAssembly.compile(await response.arrayBuffer());
  } catch (error) {
    const finding = `sqlite3.wasm could not be loaded from ${url}; see wasmUrl of configureBrowser`;
    throw new EngineError(finding, { cause: error, retryable: true });
  }
}
