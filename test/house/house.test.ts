import { readdirSync, readFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { describe, expect, it } from "vitest";

const ROOT = resolve(import.meta.dirname, "../..");
const ROOMS = ["src", "adapters", "test", "playground", "scripts", "bench", "e2e", "examples"];
const SOURCE = /\.(?:ts|mts|tsx|mjs|js)$/;
const HIDDEN = /(?:^|\/)(?:node_modules|dist|\.demo)\//;

interface SourceFile {
  readonly path: string;
  readonly text: string;
}

const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");

function filesBelow(room: string): SourceFile[] {
  const entries = readdirSync(ROOT).includes(room)
    ? readdirSync(join(ROOT, room), { recursive: true, withFileTypes: true })
    : [];
  return entries
    .filter((entry) => entry.isFile() && SOURCE.test(entry.name))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)).replaceAll("\\", "/"))
    .filter((path) => !HIDDEN.test(path))
    .map((path) => ({ path, text: read(path) }));
}

const files = ROOMS.flatMap(filesBelow);
const shipped = files.filter(({ path }) => path.startsWith("src/") || path.startsWith("adapters/"));

/** Places, as `path:line`, where a line of the files matches. */
function linesWith(pattern: RegExp, among: readonly SourceFile[]): string[] {
  return among.flatMap(({ path, text }) =>
    text.split("\n").flatMap((line, index) => (pattern.test(line) ? [`${path}:${index + 1}`] : [])),
  );
}

describe("the sources", () => {
  it("are found", () => {
    expect(shipped.length).toBeGreaterThan(50);
  });

  it("have no file over 400 lines", () => {
    const long = files.map(({ path, text }) => ({ path, lines: text.trimEnd().split("\n").length }));
    expect(long.filter(({ lines }) => lines > 400)).toEqual([]);
  });

  it("have no open ends", () => {
    // One letter is in brackets everywhere below, or this file would find itself.
    expect(linesWith(/\b(?:TO[D]O|FIX[M]E|XX[X])\b/, files)).toEqual([]);
  });

  it("write no markup from strings", () => {
    expect(linesWith(/[Ii]nner[H]TML|[Oo]uter[H]TML|insertAdjacent[H]TML/, files)).toEqual([]);
  });

  it("run every test", () => {
    expect(linesWith(/\b(?:describe|it|test)\.on[l]y\b/, files)).toEqual([]);
  });

  it("give a reason with every skipped test", () => {
    const skipped = linesWith(/\b(?:describe|it|test)\.(?:skip|todo)\(/, files);
    expect(skipped, "use skip(condition, reason) inside the test").toEqual([]);
  });

  it("begin and end transactions in one file only", () => {
    const statement =
      /["'`]\s*(?:begin|commit|rollback|savepoint|release)\b(?=\s*(?:["'`;$]|to\b|immediate\b|exclusive\b|deferred\b|transaction\b))/i;
    const places = linesWith(
      statement,
      shipped
        .filter(({ path }) => path.startsWith("adapters/sqlite/"))
        .map(({ path, text }) => ({ path, text: text.replaceAll(/^\s*(?:\/?\*|\/\/).*$/gm, "") })),
    );
    const found = new Set(places.map((place) => place.replace(/:\d+$/, "")));
    expect([...found]).toEqual(["adapters/sqlite/database/transaction.ts"]);
  });

  it("ask only the injected ports for the time and for ids", () => {
    const rooms = shipped.filter(({ path }) => !/^src\/(?:ports|testing)\//.test(path));
    expect(linesWith(/\bnew Date\(\)|\brandomUUID\(/, rooms)).toEqual([]);
  });

  it("import only types into contracts", () => {
    const contracts = shipped.filter(({ path }) => path.startsWith("src/contracts/"));
    expect(linesWith(/^(?:import|export) (?!type\b|interface\b).*\bfrom\b/, contracts)).toEqual([]);
  });

  it("name no machine, registry or temporary folder of their authors", () => {
    expect(
      linesWith(
        /(?:\/home\/\w|\/Users\/\w|\/work\/\w|https?:\/\/(?:registry|npm)\.)/,
        files.filter(({ path }) => path !== "test/house/house.test.ts"),
      ),
    ).toEqual([]);
  });
});

describe("documented defaults", () => {
  const block = (text: string): string =>
    /const DEFAULTS\b[^=]*= \{([\s\S]*?)\}(?: as const)?(?: satisfies [^;]+)?;/.exec(text)?.[1] ?? "";
  const literal = /^(?:-?[\d_.]+|"[^"]*"|true|false)$/;

  /** Fields whose comment names a literal as default, with the literal that DEFAULTS of the same file has. */
  const pairs = shipped.flatMap(({ path, text }) => {
    const defaults = block(text);
    return [...text.matchAll(/@defaultValue `([^`]+)`[^`]*?\*\/\s*readonly (\w+)\?:/g)].flatMap(
      ([, documented, name]) => {
        const actual = new RegExp(`(?:^|[\\s{,])${name}: ([^,\\n]+?)\\s*(?:,|$)`, "m").exec(defaults)?.[1];
        return actual !== undefined && literal.test(actual) ? [{ field: `${path} ${name}`, documented, actual }] : [];
      },
    );
  });

  it("are compared for many options", () => {
    expect(pairs.length).toBeGreaterThanOrEqual(10);
  });

  it.each(pairs)("of $field are what DEFAULTS holds", ({ documented, actual }) => {
    expect(documented).toBe(actual);
  });
});

describe("the package", () => {
  const manifest = JSON.parse(read("package.json")) as Record<string, unknown>;
  const lock = JSON.parse(read("package-lock.json")) as {
    packages: Record<string, { resolved?: string; dependencies?: object; devDependencies?: object }>;
  };

  it("installs nothing beside itself", () => {
    for (const field of ["dependencies", "optionalDependencies", "bundledDependencies", "bundleDependencies"]) {
      expect(Object.keys((manifest[field] as object | undefined) ?? {}), field).toEqual([]);
    }
    const peers = Object.keys(manifest["peerDependencies"] as object);
    expect(manifest["peerDependenciesMeta"], "peers are optional").toEqual(
      Object.fromEntries(peers.map((name) => [name, { optional: true }])),
    );
    expect(peers).toEqual(["sql.js"]);
  });

  it("runs nothing when it is installed", () => {
    const scripts = Object.keys(manifest["scripts"] as object);
    const onInstall = ["preinstall", "install", "postinstall", "prepare", "preprepare", "postprepare", "dependencies"];
    expect(scripts.filter((name) => onInstall.includes(name))).toEqual([]);
    expect(readdirSync(ROOT)).not.toContain("binding.gyp");
  });

  it("pins its tools exactly", () => {
    const versions = Object.entries(manifest["devDependencies"] as Record<string, string>);
    expect(versions.filter(([, version]) => !/^(?:npm:[\w@/-]+@)?\d+\.\d+\.\d+(?:-[\w.]+)?$/.test(version))).toEqual(
      [],
    );
  });

  it("locks its tools without naming the registry they came from", () => {
    const named = Object.entries(lock.packages).filter(([, entry]) => /^https?:/.test(entry.resolved ?? ""));
    expect(named.map(([name]) => name)).toEqual([]);
    expect(read("package-lock.json")).not.toMatch(/"resolved": "https?:/);
  });

  it("is locked at the versions it names", () => {
    expect(lock.packages[""]?.devDependencies).toEqual(manifest["devDependencies"]);
    expect(lock.packages[""]?.dependencies).toBeUndefined();
  });

  it("lists only its entries as having side effects", () => {
    const entries = ["browser", "cli", "default", "inline", "node", "testing-*", "*-thread"];
    // The first line is for the bundling of the others.
    expect(manifest["sideEffects"]).toEqual([
      "./dist/adapters/entry/*.js",
      ...entries.map((name) => `./dist/package/${name}.js`),
    ]);
  });
});
