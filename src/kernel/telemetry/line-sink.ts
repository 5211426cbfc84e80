/** Where log lines go: standard error, which nobody may have to wait for and which may fail without harm. */
import { fstatSync, writeSync } from "node:fs";
import type { Clock } from "../clock.ts";

export type LineSink = {
  /** Takes one line. Never throws, never blocks; what finds no room is counted, and told with the next line that does. */
  write(line: string): void;
  /** Resolves when everything has gone out, or after this many milliseconds: a last word must not keep a process. */
  drained(withinMs: number): Promise<void>;
};

/** Bytes that wait for a reader who has stopped reading: some thousand lines. */
export const mostWaiting = 1024 * 1024;

/** Gives a line away at once or refuses it. */
type Outlet = {
  /** @returns false when the line was not taken */
  offer(line: string): boolean;
  drained(withinMs: number): Promise<void>;
};

/**
 * A pipe or a socket: its reader may be slow, or stop. Node writes as much as they take and keeps the rest, where a
 * synchronous write would wait for the reader, and the whole process with it.
 */
const streamOutlet = (): Outlet => {
  const stream = process.stderr;
  // A reader that is gone stays gone; the server serves on.
  stream.on("error", () => undefined);
  return {
    offer: (line) => {
      if (!stream.writable || stream.writableLength + line.length > mostWaiting) return false;
      stream.write(line);
      return true;
    },
    drained: (withinMs) =>
      new Promise((resolve) => {
        const timer = setTimeout(resolve, withinMs);
        // Called in its turn, or with the error of a stream that is closed.
        stream.write("", () => {
          clearTimeout(timer);
          resolve();
        });
      }),
  };
};

/** A file or a terminal: written at once. A full disk costs the line, and the next one begins on a line of its own. */
const fileOutlet = (fd: number): Outlet => {
  let torn = false;
  return {
    offer: (line) => {
      const bytes = Buffer.from(torn ? `\n${line}` : line);
      try {
        const written = writeSync(fd, bytes);
        torn = written < bytes.length;
        return !torn;
      } catch {
        return false;
      }
    },
    drained: () => Promise.resolve(),
  };
};

const outletOf = (fd: number): Outlet => {
  try {
    const stats = fstatSync(fd);
    return fd === 2 && (stats.isFIFO() || stats.isSocket()) ? streamOutlet() : fileOutlet(fd);
  } catch {
    // Started with a closed standard error.
    return { offer: () => false, drained: () => Promise.resolve() };
  }
};

/** @param fd standard error, unless said. Touched with the first line: a log that is silent opens nothing. */
export const createLineSink = (clock: Clock, fd = 2): LineSink => {
  let opened: Outlet | undefined;
  const outlet = (): Outlet => (opened ??= outletOf(fd));
  let dropped = 0;
  const tellDropped = (): boolean => {
    const time = new Date(clock.now()).toISOString();
    const told = { level: "warn", time, pid: process.pid, event: "log_lines_dropped", lines: dropped };
    if (!outlet().offer(`${JSON.stringify(told)}\n`)) return false;
    dropped = 0;
    return true;
  };
  return {
    write: (line) => {
      if ((dropped > 0 && !tellDropped()) || !outlet().offer(line)) dropped += 1;
    },
    drained: (withinMs) => opened?.drained(withinMs) ?? Promise.resolve(),
  };
};
