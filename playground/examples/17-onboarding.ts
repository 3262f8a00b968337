// Onboarding with pauses: while a run sleeps, nothing of it is in memory, and no worker is busy with it.
import { defineTask, StemWorkflowApp, type WorkflowAppOptions, WorkflowScript } from "stem-sqlite";
import type { ExampleContext } from "./example.ts";

/** A day, for the sake of the example. */
const DAY = 40;

const onboarding = new WorkflowScript<string, { name: string }>({
  name: "onboarding",
  // This code runs again each time the run goes on: what is to happen once is in steps and tasks.
  async run(script) {
    const { name } = script.params;
    await script.tasks("welcome", [{ name: "mail.send", args: { to: name, subject: "Welcome" } }]);
    await script.sleep(DAY, { name: "a-day" });
    await script.tasks("tips", [{ name: "mail.send", args: { to: name, subject: "Three tips" } }]);
    await script.sleep(3 * DAY, { name: "three-days" });
    return script.step("close", () => `${name} is on board`);
  },
});

export function program(log: ExampleContext["log"]): WorkflowAppOptions {
  const sendMail = defineTask("mail.send", async (_context, { to, subject }: { to: string; subject: string }) => {
    log(`${subject} -> ${to}`);
  });
  return { workflows: [onboarding], tasks: [sendMail] };
}

export async function run({ file, log }: ExampleContext): Promise<void> {
  const app = await StemWorkflowApp.open(file("onboarding.sqlite"), program(log));
  await app.start();

  const runId = await onboarding.start(app, { params: { name: "ada" } });
  const result = await onboarding.waitFor(app, runId);
  log(String(result?.value));
  await app.close();
}

export const expected: readonly string[] = ["Welcome -> ada", "Three tips -> ada", "ada is on board"];
