import { PayloadNotSerializableError } from "../../src/errors.ts";

/** The JSON of a message between two contexts; throws `PayloadNotSerializableError` for what is no JSON value. */
export function messageToJson(message: unknown): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(message);
  } catch (error) {
    throw new PayloadNotSerializableError("the message", "it is not made of JSON values", error);
  }
  if (text === undefined) throw new PayloadNotSerializableError("the message", "it is not a JSON value");
  return text;
}
