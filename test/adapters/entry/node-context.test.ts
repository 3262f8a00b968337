import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, it, onTestFinished } from "vitest";
import { contextId, hasEnded } from "../../../adapters/entry/node-context.ts";

const own = contextId();
const [boot = "", namespace = "", pid = "", startedAt = ""] = own.split("/");

/** The name of a new process, and how it is killed. */
async function another(): Promise<{ id: string; kill(): Promise<void> }> {
  const module = JSON.stringify(new URL("../../../dist/adapters/entry/node-context.js", import.meta.url).href);
  const program = `import(${module}).then(({ contextId }) => console.log(contextId())); setInterval(() => 0, 1e9);`;
  const child = spawn(process.execPath, ["-e", program], { stdio: ["ignore", "pipe", "inherit"] });
  const kill = async (): Promise<void> => {
    child.kill("SIGKILL");
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  };
  onTestFinished(kill);
  const [chunk] = (await once(child.stdout, "data")) as [Buffer];
  return { id: String(chunk).trim(), kill };
}

// Elsewhere the platform does not tell, and nobody is ever said to have ended.
describe.runIf(process.platform === "linux")("entry/node-context", () => {
  it("names this process, which has not ended", () => {
    expect(own.split("/")).toHaveLength(4);
    expect(hasEnded(own)).toBe(false);
  });

  it("knows when another process has ended, and not before", async () => {
    const { id, kill } = await another();
    expect(id).not.toBe(own);
    expect(hasEnded(id)).toBe(false);
    await kill();
    expect(hasEnded(id)).toBe(true);
  });

  it("tells a process from an earlier one of the same number", () => {
    expect(hasEnded([boot, namespace, pid, `${Number(startedAt) - 1}`].join("/"))).toBe(true);
  });

  it("knows that nothing outlives a restart", () => {
    expect(hasEnded(["another-boot", namespace, pid, startedAt].join("/"))).toBe(true);
  });

  it.each([
    ["of another container", [boot, "pid:[1]", "999999", "1"].join("/")],
    ["that has no name", ""],
    ["with a name that is none", "x/y/z"],
  ])("says nothing of a process %s", (_which, id) => {
    expect(hasEnded(id)).toBe(false);
  });
});
