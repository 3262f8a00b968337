/** Keys of an envelope's meta that this library writes and reads. */
export const META_KEYS = {
  task: "stem.task",
  queue: "stem.queue",
  retryPolicy: "stem.retryPolicy",
  expiresAt: "stem.expiresAt",
  timeLimitMs: "stem.timeLimitMs",
  softTimeLimitMs: "stem.softTimeLimitMs",
  ignoreResult: "stem.ignoreResult",
  exchange: "stem.exchange",
  routingKey: "stem.routingKey",
  serializer: "stem.serializer",
  compression: "stem.compression",
  shadow: "stem.shadow",
  replyTo: "stem.replyTo",
  publishConnection: "stem.publishConnection",
  producer: "stem.producer",
  link: "stem.link",
  linkError: "stem.linkError",
  parentTaskId: "stem.parentTaskId",
  parentAttempt: "stem.parentAttempt",
  rootTaskId: "stem.rootTaskId",
  expired: "stem.expired",
} as const;

/** What the names of the library's own headers begin with; they are about one message alone. */
export const INTERNAL_HEADER_PREFIX = "stem-";

/** Names of headers that this library reads. */
export const HEADER_NAMES = {
  /** The task's terminal status becomes a member result of this group. */
  groupId: "stem-group-id",
  /** W3C trace context; the only headers a child task takes over from its parent. */
  traceparent: "traceparent",
  tracestate: "tracestate",
} as const;
