// A server of files on this machine only, for tests and benchmarks in a browser.
import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { extname, join, normalize } from "node:path";

const TYPES = {
  ".css": "text/css",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".wasm": "application/wasm",
};

/** Serves folders, by the first part of the path they are found under; `""` has what is in none of the others. */
export async function serveFiles(folders, { types = {}, headers = {} } = {}) {
  const requests = [];
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
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  return {
    origin: `http://127.0.0.1:${port}`,
    requests,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
