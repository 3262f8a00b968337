import type { Clock, Timer } from "../../../src/contracts/clock.ts";
import type { HubClient, OwnerLink } from "./hub-client.ts";
import type { Owner } from "./owner.ts";

/** Long enough that the timer, which is there to keep the process alive, never fires in practice. */
const KEEP_ALIVE_MS = 2 ** 40;

/** Reaches an owner that lives in this thread. */
export function inlineLink(owner: Owner, clock: Clock): (client: HubClient) => OwnerLink {
  return (client) => {
    const member = owner.connect((batch) => client.receive(batch));
    let keepAlive: Timer | undefined;
    return {
      send: (batch) => member.receive(batch),
      waiting(on) {
        keepAlive?.cancel();
        keepAlive = on ? clock.schedule(() => undefined, KEEP_ALIVE_MS, { keepAlive: true }) : undefined;
      },
      async close() {
        await owner.close();
        member.close();
      },
    };
  };
}
