import type { Broker, PublishReceipt } from "../../../src/contracts/broker.ts";
import type { Envelope } from "../../../src/core/envelope.ts";

/** A broker that keeps what is published, or refuses it with `failure`. */
export interface RecordingBroker {
  readonly broker: Broker;
  readonly published: Envelope[];
  readonly calls: string[];
  failure: unknown;
}

/** Only publishing works: all that producers need. */
export function aRecordingBroker(): RecordingBroker {
  const recording: RecordingBroker = { broker: undefined as never, published: [], calls: [], failure: undefined };
  const publishAll = async (envelopes: readonly Envelope[]): Promise<readonly PublishReceipt[]> => {
    if (recording.failure !== undefined) throw recording.failure;
    recording.published.push(...envelopes);
    return envelopes.map(({ id }) => ({ id, outcome: "stored" as const }));
  };
  const broker = {
    publish: async (envelope: Envelope) => {
      recording.calls.push("publish");
      return (await publishAll([envelope]))[0];
    },
    publishAll: (envelopes: readonly Envelope[]) => {
      recording.calls.push("publishAll");
      return publishAll(envelopes);
    },
  };
  return Object.assign(recording, { broker: broker as unknown as Broker });
}
