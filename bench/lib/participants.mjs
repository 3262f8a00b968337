import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";

const PROGRAM = fileURLToPath(new URL("./participant.mjs", import.meta.url));

/** Starts a process in a role of `roles.mjs`; resolves once it is open, to a function that has it do something. */
async function startParticipant({ role, contender, directory, options = {} }) {
  const child = fork(PROGRAM, [role, contender, directory, JSON.stringify(options)], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const pending = new Map();
  let nextId = 0;
  const expectReply = () => new Promise((resolve, reject) => pending.set(nextId++, { resolve, reject }));
  child.on("message", ({ id, value, error }) => {
    const { resolve, reject } = pending.get(id);
    pending.delete(id);
    if (error === undefined) resolve(value);
    else reject(new Error(`${role}: ${error}`));
  });
  const exited = new Promise((resolve) => child.once("exit", resolve));
  child.once("exit", (code, signal) => {
    for (const { reject } of pending.values()) reject(new Error(`the ${role} ended with ${signal ?? code}`));
  });
  await expectReply();
  const call = (method, ...args) => {
    const reply = expectReply();
    child.send({ id: nextId - 1, method, args });
    return reply;
  };
  return {
    call,
    async close() {
      await call("close");
      await exited;
    },
    kill: () => child.kill("SIGKILL"),
  };
}

/**
 * Starts processes one after another, so that the first one is the owner of the store, and calls `work` with them.
 * Afterwards they are closed in the opposite order.
 */
export async function withParticipants(list, work) {
  const participants = [];
  try {
    for (const one of list) participants.push(await startParticipant(one));
    const result = await work(participants);
    for (const participant of participants.toReversed()) await participant.close();
    return result;
  } catch (error) {
    for (const participant of participants) participant.kill();
    throw error;
  }
}
