import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { minute } from "#kernel/clock.ts";
import { makeCertificate } from "../support/certificate.ts";
import { codeOf, connectClient, connectSession, environmentKey } from "../support/connect.ts";
import { roomy, startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import { startNameServer, type NameServer } from "../support/name-server.ts";
import { addIntegration, answerAsToggl, linkedTo, type Linked } from "../support/proxied.ts";
import { startUpstream, type Upstream } from "../support/upstream.ts";
import { openScene, setUpWebhooks } from "../support/webhooks.ts";

/**
 * A51, names whose server says nothing: who types them waits, alone. The name server's answers are held back by hand
 * until everybody else has got theirs.
 */

let names: NameServer;
let provider: Upstream;
let origin: string;
let house: TestHouse;
let key: string;
let linked: Linked;
let gitlab: string;
beforeAll(async () => {
  const certificate = makeCertificate("api.test", "hook.test");
  [names, provider] = await Promise.all([startNameServer(), startUpstream(certificate)]);
  answerAsToggl(provider);
  origin = `https://api.test:${provider.port}`;
  for (const name of ["api.test", "hook.test"]) names.has(name, { addresses: ["127.0.0.1"] });
  house = await startHouse(
    { ...roomy, LATCHKEY_OUTBOUND_ALLOW: `${origin},https://hook.test:${provider.port}` },
    { outbound: { nameServers: [names.address], authorities: [certificate.cert] } },
  );
  key = await environmentKey(house);
  linked = await linkedTo(house, { origin }, key);
  gitlab = await addIntegration(house, key, { provider: "gitlab-token" });
});
afterAll(async () => {
  await stopHouses();
  await Promise.all([names.stop(), provider.stop()]);
});

/** On a machine that is busy with other things. */
const soon = { timeout: 10_000 };

const newLink = (): Promise<string> => connectSession(connectClient(house, key));

const submit = (link: string, hostname: string) =>
  house.send(
    "POST",
    `/api-auth/api-key/${gitlab}?connect_session_token=${link}&params[hostname]=${hostname}`,
    { json: { apiKey: "glpat-0123456789abcdef0123" } },
  );

const askedFor = (ending: string): ReadonlySet<string> =>
  new Set(names.asked.filter(({ name }) => name.endsWith(ending)).map(({ name }) => name));

/** All that others want of the server, each thing by a name that has to be looked up. */
const othersAreServed = async (): Promise<void> => {
  const person = await house.person();
  const { email, password } = person;
  expect((await house.send("POST", "/api/sessions", { json: { email, password } })).status).toBe(200);

  // What was looked up before is not believed any more.
  house.clock.advance(minute);
  const before = names.asked.length;
  expect((await linked.call("GET", "/api/v9/me")).status).toBe(200);
  expect(names.asked.slice(before).map(({ name }) => name)).toContain("api.test");

  const scene = await openScene(house, provider);
  const path = `/hook-${scene.environment}`;
  provider.answers(path, { status: 204 });
  await setUpWebhooks(scene.app, { primary_url: `https://hook.test:${provider.port}${path}` });
  await scene.tell(scene.creation());
  await scene.deliver();
  expect(await scene.deliveries()).toMatchObject([{ state: "delivered" }]);
};

test("A51 six names of one link are looked up one after the other, and nobody else waits for them", async () => {
  const release = Promise.withResolvers<void>();
  onTestFinished(() => release.resolve());
  names.has(".six.example", { fails: "NXDOMAIN", after: release.promise });
  const link = await newLink();
  let isAnswered = false;
  const slow = Array.from({ length: 6 }, (_, index) => submit(link, `a${index}.six.example`));
  void Promise.race(slow).then(() => (isAnswered = true));
  await expect.poll(() => askedFor(".six.example").size, soon).toBe(1);

  await othersAreServed();
  expect(isAnswered).toBe(false);
  expect(askedFor(".six.example").size).toBe(1);

  release.resolve();
  for (const reply of await Promise.all(slow)) expect(codeOf(reply)).toEqual([502, "provider_unavailable"]);
  expect(askedFor(".six.example").size).toBe(6);
});

test("A51 the names of many links take half of the places at most", async () => {
  const release = Promise.withResolvers<void>();
  onTestFinished(() => release.resolve());
  names.has(".many.example", { fails: "NXDOMAIN", after: release.promise });
  let isAnswered = false;
  const links = await Promise.all(Array.from({ length: 40 }, () => newLink()));
  const slow = links.map((link, index) => submit(link, `a${index}.many.example`));
  void Promise.race(slow).then(() => (isAnswered = true));
  await expect.poll(() => askedFor(".many.example").size, soon).toBe(16);

  await othersAreServed();
  expect(isAnswered).toBe(false);
  expect(askedFor(".many.example").size).toBe(16);

  release.resolve();
  for (const reply of await Promise.all(slow)) expect(codeOf(reply)).toEqual([502, "provider_unavailable"]);
});

test("A51 a name of which nothing is ever heard ends in 502, and is not asked for again and again", async () => {
  names.has("never.example", { fails: "silence" });
  const replies = await Promise.all(
    Array.from({ length: 5 }, async () => submit(await newLink(), "never.example")),
  );
  for (const reply of replies) expect(codeOf(reply)).toEqual([502, "provider_unavailable"]);
  const asked = (): number => names.asked.filter(({ name }) => name === "never.example").length;
  const before = asked();
  expect(codeOf(await submit(await newLink(), "never.example"))).toEqual([502, "provider_unavailable"]);
  expect(asked()).toBe(before);
});

test("A51 a client that leaves takes its look-up along, and the next name has its turn", async () => {
  names.has("left.example", { fails: "silence" });
  names.has("next.example", { fails: "NXDOMAIN" });
  const reader = await environmentKey(house);
  const headers = { ...linked.headers, authorization: `Bearer ${reader}` };
  const left = new AbortController();
  const call = fetch(`http://127.0.0.1:${house.config.port}/proxy/x`, {
    headers: { ...headers, "base-url-override": "https://left.example" },
    signal: left.signal,
  }).catch(() => "left");
  await expect.poll(() => askedFor("left.example").size, soon).toBe(1);
  const next = house.send("GET", "/proxy/x", {
    headers: { ...headers, "base-url-override": "https://next.example" },
  });
  left.abort();
  expect(await call).toBe("left");
  expect(codeOf(await next)).toEqual([502, "provider_unavailable"]);
});
