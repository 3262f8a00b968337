/** A server of files on this machine only. */
export interface StaticServer {
  /** Without a slash at its end. */
  readonly origin: string;
  /** The paths that were asked for, with their queries, in order. */
  readonly requests: string[];
  close(): Promise<void>;
}
/** What {@link serveFiles} does differently. */
export interface StaticServerOptions {
  /** Content types by extension, such as `.wasm`, in place of the usual ones. */
  readonly types?: Readonly<Record<string, string>>;
  /** Sent with every answer. */
  readonly headers?: Readonly<Record<string, string>>;
}
/** Serves folders, by the first part of the path they are found under; `""` has what is in none of the others. */
export declare function serveFiles(
  folders: Readonly<Record<string, string>>,
  options?: StaticServerOptions,
): Promise<StaticServer>;
