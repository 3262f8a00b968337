import { describe, expect, it } from "vitest";
import { webText } from "../../../adapters/entry/web-host.ts";

describe("entry/web-host text", () => {
  it.each(["", "a", "é\0😀", "\ufeffx", "x\ufeff"])("brings %j back as it was", (text) => {
    const bytes = new Uint8Array(100);
    const length = webText.write(text, bytes, 10);
    expect(webText.read(bytes, 10, length)).toBe(text);
  });
});
