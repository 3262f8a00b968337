import { writeSync } from "node:fs";

/** Writes a whole line before it returns: it is with whoever reads before the program goes on, also when that is slow. */
export function writeLine(fd: number, line: string): void {
  let rest: Buffer = Buffer.from(`${line}\n`);
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(fd, rest));
    } catch (error) {
      // The pipe is full.
      if ((error as { code?: unknown }).code !== "EAGAIN") throw error;
    }
  }
}
