import type { SimBytes } from "./sim-bytes.ts";

/** One call that changes the disk, or fails to; a file is named by the number it got when it was created. */
export type SimOperation =
  | { readonly kind: "write"; readonly file: number; readonly at: number; readonly bytes: Uint8Array }
  | { readonly kind: "truncate"; readonly file: number; readonly size: number }
  | { readonly kind: "flush"; readonly file: number }
  | { readonly kind: "create"; readonly file: number; readonly entry: string }
  | { readonly kind: "delete"; readonly entry: string }
  | { readonly kind: "flush-directory" }
  /** A failed flush throws the unsynced data away: a kernel marks the pages clean, and never writes them. */
  | { readonly kind: "failed-flush"; readonly file: number }
  | { readonly kind: "failed" };

/** When a directory entry becomes durable: only by flushing the directory, or with any file's flush as on ext4. */
type SimDirent = "strict" | "ext4";

/** How a simulated disk treats flushes; the two `ignore` options are disks that lie, for checking the checkers. */
export interface SimDiskOptions {
  /** @defaultValue `"strict"` */
  readonly dirent?: SimDirent;
  /** @defaultValue `false` */
  readonly ignoreFlush?: boolean;
  /** @defaultValue `false` */
  readonly ignoreDirectoryFlush?: boolean;
}

/** Every durable byte of a disk: its files by entry, such as `jobs/wal`. */
export type SimContent = ReadonlyMap<string, SimBytes>;
