// Opens the playground: builds the package, then serves the page. With `build`, makes static files of it instead.
import { build, createServer } from "vite";
import { root, run } from "./steps.mjs";

const configFile = `${root}playground/web/vite.config.ts`;

/** Whoever opens the playground looks at the package as it is now. */
const built = await run(process.execPath, ["scripts/build.mjs"]);
if (built !== 0) {
  process.exitCode = built;
} else if (process.argv[2] === "build") {
  await build({ configFile });
} else {
  const server = await createServer({ configFile });
  await server.listen();
  server.printUrls();
}
