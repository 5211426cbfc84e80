// Somebody who tracks time: a person with a workspace, as a Toggl client asks for them.

import { expect } from "vitest";
import type { TestHouse } from "./house.ts";
import type { Reply } from "./http.ts";
import { fieldsOf, listOf } from "./shapes.ts";

export type Fields = Readonly<Record<string, unknown>>;

/** Somebody with a workspace, and how they ask. */
export const newWorker = async (house: TestHouse) => {
  const { session } = await house.person();
  const me = fieldsOf((await house.send("GET", "/api/v9/me", { session })).json());
  const workspace = Number(me["default_workspace_id"]);
  const entries = `/api/v9/workspaces/${workspace}/time_entries`;
  const send = (method: string, path: string, json?: unknown): Promise<Reply> =>
    house.send(method, path, { session, ...(json === undefined ? {} : { json }) });
  const make = (fields: Fields = {}): Promise<Reply> =>
    send("POST", entries, { created_with: "tests", start: "2026-03-04T04:00:00Z", ...fields });
  const made = async (fields: Fields = {}): Promise<Fields> => {
    const reply = await make(fields);
    expect([reply.status, reply.text]).toEqual([200, expect.any(String)]);
    return fieldsOf(reply.json());
  };
  const list = async (query = ""): Promise<readonly Fields[]> => {
    const reply = await send("GET", `/api/v9/me/time_entries${query}`);
    expect(reply.status, reply.text).toBe(200);
    return listOf(reply.json()).map(fieldsOf);
  };
  const current = async (): Promise<unknown> => (await send("GET", "/api/v9/me/time_entries/current")).json();
  return { session, me, workspace, entries, send, make, made, list, current };
};

/** Status and sentence. */
export const told = ({ status, text }: Reply): readonly unknown[] => [status, JSON.parse(text)];
