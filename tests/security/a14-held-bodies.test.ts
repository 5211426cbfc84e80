// Memory that strangers fill: bodies that are begun and never ended, and bodies in the smallest of pieces.

import { afterEach, beforeEach, expect, test } from "vitest";
import { roomy, startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import { head, openLine, type OpenLine } from "../support/open-line.ts";

const limit = 64 * 1024;
/** So many of the largest bodies of the accounts' calls are received at once in the houses of this file. */
const places = 8;

let house: TestHouse;
const lines: OpenLine[] = [];
beforeEach(async () => {
  house = await startHouse(roomy, { mostBodyBytes: places * limit });
});
afterEach(async () => {
  for (const line of lines.splice(0)) line.hangUp();
  await stopHouses();
});

/** As large as a body may be, and refused for what it says when it has come: nobody signs up with it. */
const body = "{}".padStart(limit);

const signUpHead = (...more: readonly string[]): string =>
  head(
    "POST /api/signup HTTP/1.1",
    `Host: ${house.config.origin.host}`,
    "Content-Type: application/json",
    ...more,
  );

const open = (bytes: string | Buffer): OpenLine => {
  const line = openLine(house.config.port);
  line.send(bytes);
  lines.push(line);
  return line;
};

/** All but the last byte. */
const hold = (): OpenLine => open(signUpHead(`Content-Length: ${limit}`) + body.slice(0, -1));
const holdMany = (count: number): readonly OpenLine[] => Array.from({ length: count }, hold);

const wholeBody = async (): Promise<number> => {
  const headers = { "content-type": "application/json" };
  return (await house.send("POST", "/api/signup", { body, headers })).status;
};

const withStatus = (of: readonly OpenLine[], status: number | undefined): readonly OpenLine[] =>
  of.filter((line) => line.status() === status);

test("A14: bodies whose last byte is held back fill no more than their budget, and all of it is free behind them", async () => {
  const held = holdMany(places + 5);
  await expect.poll(() => withStatus(held, 503).length).toBeGreaterThanOrEqual(5);
  for (const line of held) line.send(body.slice(-1));
  await expect.poll(() => withStatus(held, undefined)).toEqual([]);

  const refused = withStatus(held, 503);
  const taken = withStatus(held, 400);
  expect(taken.length + refused.length).toBe(held.length);
  expect(taken.length).toBeGreaterThan(0);
  for (const line of refused) {
    expect(line.text()).toContain("\r\nretry-after: 1\r\n");
    expect(line.text().toLowerCase()).toContain("\r\nconnection: close\r\n");
    expect(line.text()).toContain("The server is busy");
  }
  // As many as there is room for, at the same time.
  const again = holdMany(places);
  for (const line of again) line.send(body.slice(-1));
  await expect.poll(() => withStatus(again, 400).length).toBe(places);
});

test("A14: the room of a body is free when its client leaves, and when it is refused", async () => {
  const fill = async (): Promise<readonly OpenLine[]> => {
    const held = holdMany(places);
    await expect.poll(wholeBody).toBe(503);
    return held;
  };
  for (const line of await fill()) line.hangUp();
  await expect.poll(wholeBody).toBe(400);

  const tooLong = signUpHead("Transfer-Encoding: chunked");
  const chunk = `${limit.toString(16)}\r\n${body}\r\n`;
  const held = Array.from({ length: places }, () => open(tooLong + chunk));
  await expect.poll(wholeBody).toBe(503);
  for (const line of held) line.send("1\r\n.\r\n");
  await expect.poll(() => withStatus(held, 413).length).toBe(places);
  expect(await wholeBody()).toBe(400);

  const damaged = signUpHead("Content-Encoding: gzip", `Content-Length: ${limit}`) + body;
  const zipped = Array.from({ length: 3 * places }, () => open(damaged));
  await expect.poll(() => withStatus(zipped, undefined)).toEqual([]);
  expect(await wholeBody()).toBe(400);
});

test("A14: whoever never ends makes room for whoever comes with a whole body", async () => {
  const held = holdMany(places);
  await expect.poll(wholeBody).toBe(503);
  expect(withStatus(held, 503)).toEqual([]);
  house.clock.advance(2000);
  expect(await wholeBody()).toBe(400);
  await expect.poll(() => withStatus(held, 503).length).toBe(1);
});

test("A14: a body in chunks of one byte is refused long before it is a body", async () => {
  const dust = open(signUpHead("Transfer-Encoding: chunked") + "1\r\n \r\n".repeat(limit));
  await expect.poll(dust.status).toBe(400);
  expect(dust.text()).toContain("too many pieces");
  // A client that writes one word at a time is none of these.
  const words = open(
    `${signUpHead("Transfer-Encoding: chunked")}${"4\r\n    \r\n".repeat(1000)}2\r\n{}\r\n0\r\n\r\n`,
  );
  await expect.poll(words.status).toBe(400);
  expect(words.text()).toContain("email is required");
});

test("A14: nobody needs room to be told that they may not call", async () => {
  const held = holdMany(places);
  await expect.poll(wholeBody).toBe(503);
  const json = { "content-type": "application/json" };
  for (const [method, path] of [
    ["PUT", "/api/v9/me"],
    ["POST", "/api/me/email_change/request"],
    ["POST", "/connect/sessions"],
    ["POST", "/connections"],
  ] as const) {
    expect((await house.send(method, path, { body, headers: json })).status, path).toBe(401);
  }
  expect((await house.send("POST", "/nowhere", { body, headers: json })).status).toBe(404);
  expect((await house.send("POST", "/connect/telemetry", { body, headers: json })).status).toBe(204);
  expect(withStatus(held, undefined)).toHaveLength(places);
});
