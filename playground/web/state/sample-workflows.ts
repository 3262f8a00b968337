import { Flow, type HasDefinition, type JsonValue, type WorkflowRuntime, WorkflowScript } from "stem-sqlite";
import { charge, pause, serverIsUp } from "./tasks.ts";

/** The topic that an approval waits for. */
export const APPROVAL_TOPIC = "approval";
const APPROVAL_TIMEOUT_MS = 600_000;
const STEP_MS = 900;
const SLEEP_MS = 5_000;
const FAN_OUT = 20;
const MANY = 100;
const ONCE_MORE = { maxRetries: 1, defaultDelay: 1_500, jitter: false } as const;

/** What a step of these samples does: it takes a while, and returns what it is given. */
async function work<Result extends JsonValue>(result: Result): Promise<Result> {
  await pause(STEP_MS);
  return result;
}

const order = new Flow<JsonValue>({
  name: "order",
  build: (flow) =>
    flow
      .step("check-stock", () => work({ inStock: 3 }))
      .step(
        "charge-card",
        async ({ attempt }) => {
          if (attempt === 0) throw new Error("the first attempt fails on purpose");
          return work({ charged: 30 });
        },
        { retryPolicy: ONCE_MORE },
      )
      .step("send-receipt", ({ previousResult }) => work({ sent: true, after: previousResult })),
});

const onboarding = new WorkflowScript<JsonValue>({
  name: "onboarding",
  async run(script) {
    await script.step("welcome-mail", () => work("welcome"));
    await script.sleep(SLEEP_MS, { name: "first-day" });
    await script.step("tips-mail", () => work("three tips"));
    await script.sleep(SLEEP_MS, { name: "first-week" });
    return script.step("survey-mail", () => work("how is it going?"));
  },
});

const trip = new WorkflowScript<JsonValue>({
  name: "trip",
  async run(script) {
    await script.step("book-flight", () => work("flight 12"), {
      compensate: (_context, booked) => work(`no ${booked}`),
    });
    await script.step("book-hotel", () => work("room 7"), { compensate: (_context, booked) => work(`no ${booked}`) });
    return script.step(
      "pay",
      async () => {
        if (!serverIsUp.value) throw new Error("connection refused: the server is down");
        return work("paid");
      },
      { retryPolicy: ONCE_MORE },
    );
  },
});

const approval = new WorkflowScript<JsonValue>({
  name: "approval",
  async run(script) {
    await script.step("ask", () => work("May this be published?"), {
      compensate: () => work("the question is taken back"),
    });
    const decision = await script.awaitEvent(APPROVAL_TOPIC, { name: "decision", timeout: APPROVAL_TIMEOUT_MS });
    if (decision.kind === "deadline") throw new Error("nobody answered in time");
    const answer = decision.payload as Readonly<{ approved?: unknown }> | null;
    if (answer?.approved !== true) throw new Error(`not approved: ${JSON.stringify(decision.payload)}`);
    return script.step("publish", () => work({ published: true, by: decision.payload }));
  },
});

const billing = new WorkflowScript<JsonValue>({
  name: "billing",
  async run(script) {
    const calls = Array.from({ length: FAN_OUT }, (_, index) => ({ name: charge.name, args: { amount: index + 1 } }));
    const charges = await script.tasks("charge-cards", calls);
    const charged = charges.filter(({ status }) => status === "succeeded").length;
    return script.step("report", () => work({ charged, of: charges.length }));
  },
});

const delivery = new Flow<JsonValue, { readonly parcel: string }>({
  name: "delivery",
  build: (flow) =>
    flow
      .step("pack", ({ params }) => work({ packed: params.parcel }))
      .step("hand-over", ({ params }) => work({ delivered: params.parcel })),
});

const sale = new WorkflowScript<JsonValue>({
  name: "sale",
  async run(script) {
    await script.step("take-order", () => work("one parcel"));
    const delivered = await script.child("deliver", delivery.ref(), { parcel: "tea" });
    return script.step("close-order", () => work({ closed: true, delivered }));
  },
});

const small = new Flow<number, { readonly n: number }>({
  name: "small",
  build: (flow) =>
    flow
      .step("double", ({ params }) => params.n * 2)
      .step("add-one", ({ previousResult }) => Number(previousResult) + 1),
});

export const WORKFLOWS: readonly HasDefinition[] = [order, onboarding, trip, approval, billing, delivery, sale, small];

/** A workflow that a button starts. */
export interface Sample {
  readonly title: string;
  readonly explanation: string;
  /** Resolves to the ids of the runs. */
  readonly start: (workflows: WorkflowRuntime) => Promise<readonly string[]>;
}

const one =
  (workflow: { readonly name: string }): Sample["start"] =>
  async (workflows) => [await workflows.startWorkflow(workflow.name)];

export const SAMPLES: readonly Sample[] = [
  { title: "Three steps", explanation: "one fails once and is retried", start: one(order) },
  { title: "Onboarding", explanation: "mails with sleeps of 5 s between", start: one(onboarding) },
  { title: "Saga", explanation: "the payment fails, bookings are undone", start: one(trip) },
  { title: "Approval", explanation: "waits until an event is emitted", start: one(approval) },
  { title: "Fan-out", explanation: `waits for ${FAN_OUT} tasks`, start: one(billing) },
  { title: "Child", explanation: "waits for a workflow of its own", start: one(sale) },
  {
    title: `Start ${MANY}`,
    explanation: "small runs in one transaction",
    start: (workflows) =>
      Promise.all(Array.from({ length: MANY }, (_, n) => workflows.startWorkflow(small, { params: { n } }))),
  },
];
