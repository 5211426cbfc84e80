// What the houses under test answered, held against what their rows say of themselves: a refusal, a status or a body
// that its row does not know fails the file in which it was seen. What was seen is kept for tests/contract, which asks
// the other way round when everything has run.

import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { inject } from "vitest";
import { z } from "zod";
import { urlOf } from "#kernel/http/path.ts";
import type { Answer, Route, StreamedAnswer } from "#kernel/http/route.ts";

const answered = z.object({
  event: z.enum(["request_answered", "request_refused", "request_failed"]),
  method: z.string(),
  /** As the router writes it; left out where no row has the path. */
  route: z.string(),
  status: z.int(),
  code: z.string().optional(),
});

/** A row, and one of its endings. */
export const sightingOf = ({ method, path }: Route, status: number, code: string | undefined): string =>
  [method, path, status, code ?? ""].join(" ");

export type Watch = {
  /** The rows to serve: their good answers are looked at on the way out. */
  readonly rows: readonly Route[];
  /** @param line of the log */
  readonly note: (line: string) => void;
  /** @throws Error that names every answer that its row does not know */
  readonly check: () => void;
};

const known = new Set<string>();

const isKnown = (row: Route, status: number, code: string | undefined): boolean =>
  code === undefined
    ? // Pages lead elsewhere, or say that nothing is new.
      row.wire.forPeople === true || status === row.status
    : row.checks.some(({ refuses }) => refuses.some((kind) => kind.code === code && kind.status === status));

/** As a client gets it; undefined when it is not JSON. */
const bodyOf = (answer: Answer | StreamedAnswer): unknown => {
  if ("send" in answer) return undefined;
  if (answer.content) {
    const { type, body } = answer.content;
    return type.startsWith("application/json") ? JSON.parse(body.toString()) : undefined;
  }
  return answer.json === undefined ? undefined : JSON.parse(JSON.stringify(answer.json));
};

export const watchAnswers = (rows: readonly Route[]): Watch => {
  const byUrl = Map.groupBy(rows, ({ path }) => urlOf(path));
  const rowOf = (method: string, url: string): Route | undefined => {
    // What a browser asks beforehand is answered by the wire, and by no row.
    if (method === "OPTIONS") return undefined;
    const asked = method === "HEAD" ? "GET" : method;
    return byUrl.get(url)?.find((row) => row.method === "ANY" || row.method === asked);
  };
  const unknown = new Set<string>();
  const look = ({ method, path, answers }: Route, answer: Answer | StreamedAnswer): void => {
    const body = bodyOf(answer);
    const { error } = (body === undefined ? undefined : answers.schema?.safeParse(body)) ?? {};
    if (error)
      unknown.add(`${method} ${path}: a body that is not the one it says: ${z.prettifyError(error)}`);
  };
  return {
    rows: rows.map((row) => ({
      ...row,
      handle: async (incoming) => {
        const answer = await row.handle(incoming);
        look(row, answer);
        return answer;
      },
    })),
    note: (line) => {
      if (!line.includes('"request_')) return;
      const { data } = answered.safeParse(JSON.parse(line));
      const row = data && rowOf(data.method, data.route);
      if (!row) return;
      const sighting = sightingOf(row, data.status, data.code);
      if (known.has(sighting)) return;
      if (!isKnown(row, data.status, data.code)) {
        unknown.add(sighting);
        return;
      }
      known.add(sighting);
      const folder = inject("sightings");
      if (folder !== undefined) appendFileSync(join(folder, String(process.pid)), `${sighting}\n`);
    },
    check: () => {
      if (unknown.size === 0) return;
      throw new Error(`Answers that no row knows:\n${[...unknown].toSorted().join("\n")}`);
    },
  };
};
