import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { codeOf, elsewhere, here, problem, withAuthority } from "../support/cross-site.ts";
import { roomy, startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import type { Reply, Sent } from "../support/http.ts";
import { newWorker } from "../support/worker.ts";

let house: TestHouse;
beforeAll(async () => {
  house = await startHouse({ ...roomy, LATCHKEY_RATE: "1000000", LATCHKEY_BURST: "1000000" });
});
afterAll(stopHouses);

/** Somebody with an entry that runs, and the call of a page on it. */
const prepare = async (route: string) => {
  const { session, workspace, made, current } = await newWorker(house);
  const { id } = await made({ duration: -1, description: "mine" });
  const [method = "", path = ""] = route.split(" ");
  const bodies: Readonly<Record<string, unknown>> = {
    POST: { created_with: "a page", start: "2026-03-04T05:00:00Z", duration: -1, wid: workspace },
    PUT: { description: "theirs" },
  };
  const send = (sent: Sent): Promise<Reply> =>
    house.send(
      method,
      path.replace("{workspace_id}", String(workspace)).replace("{time_entry_id}", String(id)),
      { session, ...sent },
    );
  const call = (headers: Sent["headers"]): Promise<Reply> =>
    send({ json: bodies[method], headers: { ...problem, ...headers } });
  /** A body of this type, as a form sends it. */
  const post = (type: string): Promise<Reply> =>
    send({ body: JSON.stringify(bodies[method] ?? {}), headers: { ...problem, "content-type": type } });
  return { id, current, call, post };
};

describe.each(withAuthority("cookie of its owner"))("%s with the cookie", (route) => {
  test("A37 is refused from elsewhere, and nothing happens; from our own pages it is carried out", async () => {
    const { id, current, call } = await prepare(route);
    for (const [where, headers] of Object.entries(elsewhere(house.config.origin))) {
      const reply = await call(headers);
      expect([reply.status, codeOf(reply)], where).toEqual([403, "cross_site"]);
    }
    expect(await current()).toMatchObject({ id, description: "mine" });

    for (const [where, headers] of Object.entries(here(house.config.origin))) {
      const own = await prepare(route);
      expect((await own.call(headers)).status, where).toBe(200);
      expect(await own.current(), where).not.toMatchObject({ id: own.id, description: "mine" });
    }
  });

  test("A37 takes no body that a form can send", async () => {
    const { id, current, post } = await prepare(route);
    for (const type of [
      "text/plain",
      "application/x-www-form-urlencoded",
      "multipart/form-data; boundary=x",
    ]) {
      const reply = await post(type);
      expect([reply.status, codeOf(reply)], type).toEqual([415, "content_type_unsupported"]);
    }
    expect(await current()).toMatchObject({ id, description: "mine" });
  });
});
