// A part of a program that uses a queue; the files beside it are its tests.
import { defineTask, type Stem } from "stem-sqlite";

/** Sends a letter; replaced in tests. */
export type SendMail = (to: string, text: string) => Promise<void>;

/** The tasks of this part. The letter is sent by `sendMail`, at most four times, a minute and more apart. */
export function signUpTasks(sendMail: SendMail) {
  const mail = defineTask(
    "sign-up.mail",
    async ({ attempt }, { to, text }: { to: string; text: string }) => {
      await sendMail(to, text);
      return `sent at attempt ${attempt}`;
    },
    { maxRetries: 3, retryPolicy: { backoff: true, defaultDelay: 60_000, backoffMax: 3_600_000 } },
  );
  return [mail] as const;
}

/** Greets a new user, and asks again after a week. Resolves to the ids of both letters. */
export async function signUp(stem: Stem, to: string): Promise<readonly string[]> {
  const letter = (text: string) => ({ name: "sign-up.mail", args: { to, text } });
  const inAWeek = { enqueueOptions: { countdown: 7 * 86_400_000 } };
  return stem.enqueueAll([letter("Welcome!"), { ...letter("How do you like it?"), ...inAWeek }]);
}
