import type { Clock, Timer } from "../../../src/contracts/clock.ts";
import type { MemberIdentity } from "./members.ts";
import type { Owner } from "./owner.ts";
import type { HeldLink, LinkListener } from "./owner-link.ts";

/** Long enough that the timer, which is there to keep the process alive, never fires in practice. */
const KEEP_ALIVE_MS = 2 ** 40;

/** Reaches an owner that lives in this thread. */
export function inlineLink(
  owner: Owner,
  clock: Clock,
  identity?: MemberIdentity,
): (listener: Pick<LinkListener, "receive">) => HeldLink {
  return (listener) => {
    const close = async (): Promise<void> => {
      await owner.close();
      member.close(true);
    };
    const member = owner.connect((batch) => listener.receive(batch), identity);
    let stop: (() => void) | undefined;
    return {
      send: (batch, answered) => member.receive(batch, answered),
      waiting(on) {
        stop?.();
        stop = on ? keepAlive(clock) : undefined;
      },
      close,
      letGo: close,
    };
  };
}

/** Keeps the process alive until the returned function is called. */
export function keepAlive(clock: Clock): () => void {
  const timer: Timer = clock.schedule(() => undefined, KEEP_ALIVE_MS, { keepAlive: true });
  return () => timer.cancel();
}
