import { describe, expect, it } from "vitest";
import { openingFailure, storageFailure } from "../../../adapters/storage/node-errors.ts";
import { ClosedError, StorageFullError, StorageIoError, StorageReadOnlyError } from "../../../src/errors.ts";

describe("a failed system call", () => {
  it.each(["ENOSPC", "EDQUOT"])("is a full storage when its code is %s", (code) => {
    const cause = systemError(code);
    for (const error of [storageFailure("write", "/jobs", cause), openingFailure("open", "/jobs", "rights", cause)]) {
      expect(error).toBeInstanceOf(StorageFullError);
      expect(error).toMatchObject({ cause, retryable: true, details: { path: "/jobs" } });
    }
  });

  it.each(["EROFS", "EACCES", "EPERM"])(
    "is a read-only storage when its code is %s while opening, and only then",
    (code) => {
      const opening = openingFailure("open", "/jobs", "rights", systemError(code));
      expect(opening).toBeInstanceOf(StorageReadOnlyError);
      expect(opening.details).toEqual({ path: "/jobs", needs: "rights" });
      expect(storageFailure("write", "/jobs", systemError(code))).toBeInstanceOf(StorageIoError);
    },
  );

  it.each(["EIO", "EMFILE", "ENFILE", "EBADF"])(
    "is an I/O error with the call and the code when that is %s",
    (code) => {
      for (const error of [
        storageFailure("open", "/jobs", systemError(code)),
        openingFailure("open", "/jobs", "rights", systemError(code)),
      ]) {
        expect(error).toBeInstanceOf(StorageIoError);
        expect(error.details).toEqual({ call: "open", path: "/jobs", osCode: code });
      }
    },
  );

  it("passes typed errors on as they are, and names errors without a code", () => {
    const typed = new ClosedError("The file");
    expect(storageFailure("write", "/jobs", typed)).toBe(typed);
    expect(storageFailure("write", "/jobs", new RangeError("x")).details["osCode"]).toBe("RangeError");
    expect(storageFailure("write", "/jobs", "x").details["osCode"]).toBe("unknown");
  });
});

function systemError(code: string): Error {
  return Object.assign(new Error(code), { code });
}
