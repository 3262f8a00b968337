import { closeSync, existsSync, openSync, symlinkSync, unlinkSync } from "node:fs";
import { connect, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { StorageIoError, UnsupportedEnvironmentError } from "../../src/errors.ts";
import { osCode, storageFailure } from "./node-errors.ts";

/** The kernel's limit for the path of a socket, in bytes, without the closing NUL. */
const PATH_LIMIT = process.platform === "darwin" ? 103 : 107;
const DESCRIPTORS = "/proc/self/fd";

/** Where to bind or connect; `close` after that was done, not before. */
export interface SocketAddress {
  readonly path: string;
  close(): void;
}

/**
 * Gives a path for the socket `name` in `directory` that the kernel takes whole. Node 20 cuts a longer path off without
 * a word and reaches another database's socket. `viaLink` goes through a short link as on systems without `/proc`.
 */
export function socketAddress(directory: string, name: string, viaLink: boolean = needsLink()): SocketAddress {
  const path = join(directory, name);
  if (Buffer.byteLength(path) <= PATH_LIMIT) return { path, close: () => undefined };
  return viaLink ? addressThroughLink(directory, name) : addressThroughDescriptor(directory, name);
}

/** Why nobody answered: what the kernel says of the process that made the socket. */
export type DialRefusal = "dead" | "gone" | "hidden" | "crowded" | "closed";

/** A connection, or why there is none. */
export type DialAnswer = { readonly socket: Socket } | { readonly refusal: DialRefusal };

/**
 * Connects to a socket. Only the kernel answers for a process that died or hangs: `dead` means that nobody listens,
 * `gone` that the socket is not there, `hidden` that this user may not connect, `crowded` that too many wait to be let
 * in, `closed` that the connection was closed at once.
 */
export async function dial(directory: string, name: string): Promise<DialAnswer> {
  let address: SocketAddress;
  try {
    address = socketAddress(directory, name);
  } catch (error) {
    return { refusal: toRefusal(error, directory) };
  }
  try {
    return await dialAt(address.path, join(directory, name));
  } finally {
    address.close();
  }
}

/** As {@link dial} at a path that is known to fit; errors name `shown` in its place. */
export function dialAt(path: string, shown: string): Promise<DialAnswer> {
  return new Promise<DialAnswer>((resolve, reject) => {
    const socket = connect({ path });
    socket.once("connect", () => resolve({ socket }));
    // Stays when connected, until the socket's taker has a listener of its own.
    socket.on("error", (error) => {
      try {
        resolve({ refusal: toRefusal(error, shown) });
      } catch (failure) {
        reject(failure);
      }
    });
  });
}

/** What a connection attempt tells about the process that made the socket. */
export type KnockAnswer = "alive" | "dead" | "gone" | "hidden";

/** Connects to a socket only to learn whether anybody listens. */
export async function knock(directory: string, name: string): Promise<KnockAnswer> {
  return toKnockAnswer(await dial(directory, name));
}

/** Closes the connection of a {@link dial} and keeps what it told. */
export function toKnockAnswer(answer: DialAnswer): KnockAnswer {
  if ("socket" in answer) {
    answer.socket.destroy();
    return "alive";
  }
  const { refusal } = answer;
  return refusal === "crowded" || refusal === "closed" ? "alive" : refusal;
}

/** Starts listening in this very process, also in a cluster worker, and never keeps the process alive for it. */
export async function listen(server: Server, directory: string, name: string): Promise<void> {
  const address = socketAddress(directory, name);
  try {
    await listenAt(server, address.path);
  } finally {
    address.close();
  }
}

/** As {@link listen} at a path that is known to fit. */
export async function listenAt(server: Server, path: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ path, exclusive: true }, () => {
      server.off("error", reject);
      resolve();
    });
  });
  server.unref();
}

function needsLink(): boolean {
  return !existsSync(DESCRIPTORS);
}

function toRefusal(error: unknown, path: string): DialRefusal {
  const code = osCode(error);
  if (code === "ECONNREFUSED") return "dead";
  if (code === "ENOENT" || code === "ENOTDIR") return "gone";
  if (code === "EACCES" || code === "EPERM") return "hidden";
  if (code === "EAGAIN") return "crowded";
  if (code === "ECONNRESET" || code === "EPIPE") return "closed";
  throw storageFailure("connect", path, error);
}

function addressThroughDescriptor(directory: string, name: string): SocketAddress {
  const descriptor = openSync(directory, "r");
  return { path: `${DESCRIPTORS}/${descriptor}/${name}`, close: () => closeSync(descriptor) };
}

function addressThroughLink(directory: string, name: string): SocketAddress {
  const link = join(tmpdir(), `stem-${name}`);
  const path = join(link, name);
  if (Buffer.byteLength(path) > PATH_LIMIT) {
    throw new UnsupportedEnvironmentError(`a temporary folder with a path shorter than "${tmpdir()}"`);
  }
  try {
    symlinkSync(directory, link);
  } catch (error) {
    throw new StorageIoError("symlink", link, osCode(error), error);
  }
  return { path, close: () => unlinkSync(link) };
}
