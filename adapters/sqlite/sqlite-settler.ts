import type { DeliverySettler } from "../../src/contracts/delivery-settler.ts";
import type { ResultBackend } from "../../src/contracts/result-backend.ts";
import type { HubHandle } from "./open-hub.ts";

export function createSqliteSettler(
  _handle: HubHandle,
  _backend: ResultBackend,
  _max: number,
  _namespace: string,
): DeliverySettler | undefined {
  return undefined;
}
