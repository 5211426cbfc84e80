// What the checks of credentials cost: ours, and a bare node:http server that answers the same bytes.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  compare,
  connections,
  origin,
  port,
  rounds,
  say,
  sliceMs,
  startLoad,
  startOther,
  startOurs,
} from "./measure.ts";

const people = 50;
const password = "a quiet river at noon";
const path = "/api/v9/me";

type Person = { readonly email: string; readonly cookie: string; readonly token: string };

export const signUp = async (index: number): Promise<Person> => {
  const email = `person${index}@example.com`;
  const reply = await fetch(`${origin}/api/signup`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ email, password, tos_accepted_for: "track" }),
  });
  const cookie = reply.headers.getSetCookie()[0]?.split(";")[0] ?? "";
  const me: unknown = await (await fetch(`${origin}${path}`, { headers: { cookie } })).json();
  if (typeof me !== "object" || me === null || !("api_token" in me)) throw new Error("No token");
  return { email, cookie, token: String(me.api_token) };
};

export const basic = (user: string, secret: string): string => `Basic ${btoa(`${user}:${secret}`)}`;

const checks = {
  "API token": (person: Person) => ["Authorization", basic(person.token, "api_token")],
  "session cookie": (person: Person) => ["Cookie", person.cookie],
  "Basic e-mail and password, repeated": (person: Person) => ["Authorization", basic(person.email, password)],
} as const;

/** What a bare server has to say to say the same. */
const sampleOf = async (name: string, value: string) => {
  const sample = await fetch(`${origin}${path}`, { headers: { [name]: value } });
  const headers = Object.fromEntries(
    [...sample.headers].filter(([key]) => !["date", "connection", "keep-alive"].includes(key)),
  );
  return { headers, body: await sample.text() };
};

export const benchChecks = async (): Promise<void> => {
  const folder = await mkdtemp(join(tmpdir(), "latchkey-bench-"));
  const ours = await startOurs(folder);
  const load = startLoad();
  try {
    const crowd: Person[] = [];
    for (let index = 0; index < people; index++) crowd.push(await signUp(index));
    say(
      `GET ${path}, ${connections} connections, ${people} people in turn, ${rounds} rounds of ${sliceMs} ms each; Node ${process.version}\n`,
    );
    say("| credential | CPU ratio to bare node:http (median) | range | ours, CPU µs a request | bare |");
    say("| --- | --- | --- | --- | --- |");
    for (const [name, headerOf] of Object.entries(checks)) {
      const requests = crowd.map((person) => {
        const [header = "", value = ""] = headerOf(person);
        return `GET ${path} HTTP/1.1\r\nHost: localhost:${port}\r\n${header}: ${value}\r\n\r\n`;
      });
      const [first] = crowd;
      if (!first) throw new Error("Nobody is there");
      const [header = "", value = ""] = headerOf(first);
      const bare = await startOther("./bare-server.ts", await sampleOf(header, value));
      try {
        const costs = await compare(load, { server: ours, requests }, { server: bare, requests });
        say(
          `| ${name} | ${costs.ratio.toFixed(2)} | ${costs.range} | ${costs.ours.toFixed(1)} | ${costs.other.toFixed(1)} |`,
        );
      } finally {
        await bare.stop();
      }
    }
  } finally {
    await load.stop();
    await ours.stop();
    await rm(folder, { recursive: true, force: true });
  }
};
