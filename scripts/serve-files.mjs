import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { extname, join, normalize } from "node:path";

const TYPES: Readonly<Record<string, string>> = {
  ".css": "text/css",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".wasm": "application/wasm",
};

/** A server of files on this machine only. */
export interface StaticServer {
  /** Without a slash at its end. */
  readonly origin: string;
  /** The paths that were asked for, with their queries, in order. */
  readonly requests: string[];
  close(): Promise<void>;
}

/** What {@link serveFiles} does differently. */
export interface StaticServerOptions {
  /** Content types by extension, such as `.wasm`, in place of the usual ones. */
  readonly types?: Readonly<Record<string, string>>;
  /** Sent with every answer. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** Serves folders, by the first part of the path they are found under; `""` has what is in none of the others. */
export async function serveFiles(
  folders: Readonly<Record<string, string>>,
  { types = {}, headers = {} }: StaticServerOptions = {},
): Promise<StaticServer> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(request.url ?? "/");
    const path = decodeURIComponent(new URL(request.url ?? "/", "http://localhost").pathname);
    const [, first = "", ...rest] = path.split("/");
    const folder = folders[first] ?? folders[""];
    const name = normalize(`/${(folders[first] === undefined ? path.slice(1) : rest.join("/")) || "index.html"}`);
    readFile(join(folder ?? "/nowhere", name)).then(
      (bytes) => {
        const type = types[extname(name)] ?? TYPES[extname(name)] ?? "application/octet-stream";
        return response.writeHead(200, { "content-type": type, ...headers }).end(bytes);
      },
      () => response.writeHead(404, headers).end("not found"),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    requests,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
