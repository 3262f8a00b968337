export { FakeClock } from "./fake-clock.ts";
export { type LogRecord, RecordingLogger } from "./recording-logger.ts";
export { createSeededRandomness } from "./seeded-randomness.ts";
export { createSequentialIds } from "./sequential-ids.ts";
